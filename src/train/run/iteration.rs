//! The one executor of phases: whatever the model, an iteration is its phases that are due.

use super::{Setup, networks};
use crate::data::{Batching, Loader};
use crate::executor::{Executor, in_batches};
use crate::graph::Step;
use crate::ranks::{Ranks, Shard};
use crate::train::config::{Common, RunConfig};
use crate::train::dataset::{Dataset, DatasetSpec};
use crate::train::log::Loss;
use crate::train::model::{AccuracySpec, Model, SheetSpec};
use crate::train::phase::{Inputs, Moment, Phase};
use crate::train::run_folder::RunFolder;
use crate::train::split::{Members, Split};
use crate::{Error, Result};
use std::sync::Arc;

/// All steps of a rank of a run.
pub struct Programs {
    /// The phases for each number of images that a batch can have: the usual one, and that of an epoch's short last batch.
    batches: Vec<(usize, Vec<Phase>)>,
    sheets: Vec<SheetSpec>,
}

impl Programs {
    /// Those of a run of `config` on the images of `split`.
    ///
    /// # Errors
    /// If the networks do not fit the size.
    pub fn new<M: Model>(config: &M::Config, split: &Split, ranks: &Ranks) -> Result<Self> {
        if ranks.size() > 1 {
            M::check_ranks(config)?;
        }
        let (model, common) = (networks::<M>(config, ranks)?, config.common());
        let mut sizes = vec![common.batch];
        let members: Vec<&Members> = M::datasets(config).iter().map(|spec| split.of(spec.name)).collect();
        for (spec, of) in M::datasets(config).iter().zip(&members) {
            let short = of.trained.len() % common.batch;
            if short > 0 && !spec.batching.drop_last && !sizes.contains(&short) {
                sizes.push(short);
            }
        }
        let phases = |size| Ok((size, model.phases(config, common.shard(ranks, size))?));
        let batches = sizes.into_iter().map(phases).collect::<Result<_>>()?;
        Ok(Self { batches, sheets: model.sheets(config, &members)? })
    }

    /// The set whose images those of each sheet are to look like, by its index.
    pub fn like(&self) -> impl Iterator<Item = usize> + '_ {
        self.sheets.iter().map(|sheet| sheet.like)
    }

    /// The steps, as they are numbered on a device.
    pub fn steps(&self) -> Vec<Step> {
        let phases = self.batches.iter().flat_map(|(_, phases)| phases).map(|phase| &phase.step);
        phases.chain(self.sheets.iter().map(|sheet| &sheet.step)).cloned().collect()
    }
}

/// A model in training.
pub struct Training<M: Model> {
    pub config: M::Config,
    pub model: M,
    pub executor: Box<dyn Executor>,
    batches: Vec<Batch>,
    sheets: Vec<Sheet>,
    loaders: Vec<Loader>,
    /// The batch size of the latest iteration, by its index, and this rank's part of that batch.
    latest: usize,
    pub shard: Shard,
    total: u64,
}

/// The phases for one number of images, and the index of the first one's step.
struct Batch {
    images: usize,
    phases: Vec<Phase>,
    first: usize,
}

/// A sample sheet, and the index of its step.
struct Sheet {
    input: &'static str,
    constants: Vec<(String, Vec<f32>)>,
    outputs: Vec<String>,
    values: Vec<f32>,
    /// Numbers that are computed at once.
    at_once: usize,
    step: usize,
}

impl<M: Model> Training<M> {
    /// Makes everything ready to go on after the steps done; the state is still to be written.
    ///
    /// # Errors
    /// If the device cannot be used or is too small.
    pub fn new(setup: Setup<M>) -> Result<Self> {
        let Setup { config, sets, split, device, ranks, programs, step, total, .. } = setup;
        let members: Vec<&Members> = M::datasets(&config).iter().map(|spec| split.of(spec.name)).collect();
        let (model, steps) = (networks::<M>(&config, &ranks)?, programs.steps());
        let mut next = 0;
        let batch = |(images, phases): (usize, Vec<Phase>)| {
            next += phases.len();
            Batch { images, first: next - phases.len(), phases }
        };
        let batches: Vec<Batch> = programs.batches.into_iter().map(batch).collect();
        let sheet = |(index, SheetSpec { step, input, constants, .. }): (usize, SheetSpec)| {
            let taken = step.inputs().find(|(_, name, _)| *name == input).map(|(_, _, shape)| shape.len());
            Ok(Sheet {
                input,
                constants,
                outputs: step.outputs.iter().map(|(name, _)| name.clone()).collect(),
                values: M::sheet_input(&config, &members, index)?,
                at_once: taken.unwrap_or(1),
                step: next + index,
            })
        };
        let sheets = programs.sheets.into_iter().enumerate().map(sheet).collect::<Result<_>>()?;
        let executor = device.executor(&model.buffers(), steps)?;
        let shard = config.common().shard(&ranks, config.common().batch);
        let rank = (ranks.rank(), ranks.size());
        let load = |(spec, set): (DatasetSpec<'_>, Dataset)| {
            Loader::start(Arc::new(set.images), Batching { rank, ..spec.batching }, step)
        };
        let loaders = M::datasets(&config).into_iter().zip(sets).map(load).collect::<Result<_>>()?;
        Ok(Self { config, model, executor, batches, sheets, loaders, latest: 0, shard, total })
    }

    pub fn common(&self) -> &Common {
        self.config.common()
    }

    /// What one step sees, such as `16 images`.
    pub fn batch(&self) -> String {
        let of_each = if self.loaders.len() > 1 { " of each set" } else { "" };
        format!("{} images{of_each}", self.common().batch)
    }

    /// Goes to where it was after `step`, as far as that is not in the state.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn seek(&mut self, step: u64) -> Result<()> {
        self.loaders.iter_mut().try_for_each(|loader| loader.seek(step))
    }

    /// Iteration `t`, counted from 1: the phases that are due, in their order.
    ///
    /// # Errors
    /// If the device fails.
    pub fn iterate(&mut self, t: u64) -> Result<()> {
        let sets = self.loaders.iter_mut().map(Loader::next_batch).collect::<Result<Vec<_>>>()?;
        let count = sets.first().map_or(self.config.common().batch, |batch| batch.count);
        self.shard = sets.first().map_or(self.shard, |batch| batch.shard);
        let known = self.batches.iter().position(|batch| batch.images == count);
        self.latest = known.ok_or_else(|| {
            Error::Input(format!("a batch of {count} images, which none of this run's steps takes"))
        })?;
        let Batch { phases, first, .. } = &self.batches[self.latest];
        let Common { seed, size, .. } = *self.config.common();
        let moment = Moment { seed, t, total: self.total, shard: self.shard, size };
        let mut inputs = Inputs::new(moment, phases, sets.iter().map(|batch| &batch.images[..]).collect());
        let due: Vec<usize> = (0..phases.len()).filter(|&phase| phases[phase].due.is_at(t)).collect();
        let executor = &mut self.executor;
        for &phase in &due {
            inputs.of_phase(phase, |name, values| executor.write_input(first + phase, name, values))?;
        }
        executor.run(&due.iter().map(|phase| first + phase).collect::<Vec<_>>())
    }

    /// The losses of iteration `t`, the one that ran last, on this rank's part of the batch.
    ///
    /// # Errors
    /// If the device fails.
    pub fn losses(&mut self, t: u64) -> Result<Vec<Loss>> {
        let mut losses = Vec::new();
        for spec in M::LOSSES {
            let whole = [spec.name];
            let outputs = if self.gives(spec.name) { &whole[..] } else { spec.parts };
            if outputs.is_empty() || !outputs.iter().all(|output| self.gives(output)) {
                continue;
            }
            let steps: Option<Vec<usize>> = outputs.iter().map(|output| self.step_of(output, t)).collect();
            let mut value = steps.as_ref().map(|_| 0.0);
            for (step, output) in steps.into_iter().flatten().zip(outputs) {
                let read = self.executor.read_output(step, output)?;
                let read = read.first().map_or(f64::NAN, |&value| f64::from(value));
                value = value.map(|sum| sum + read);
            }
            losses.push(Loss { name: spec.name, value, shown: spec.shown });
        }
        let adversarial = self.config.common().loss;
        for &AccuracySpec { name, output, real } in M::ACCURACIES {
            if let Some(step) = self.step_of(output, t) {
                let errors = self.executor.read_output(step, output)?;
                losses.push(Loss { name, value: Some(adversarial.accuracy(&errors, real)), shown: false });
            }
        }
        Ok(losses)
    }

    /// Whether a phase has the output.
    fn gives(&self, output: &str) -> bool {
        self.batches[self.latest].phases.iter().any(|phase| phase.has(output))
    }

    /// The step with the output that is due at iteration `t`.
    fn step_of(&self, output: &str, t: u64) -> Option<usize> {
        let Batch { phases, first, .. } = &self.batches[self.latest];
        let found = phases.iter().position(|phase| phase.has(output) && phase.due.is_at(t));
        found.map(|phase| first + phase)
    }

    /// Draws and writes the sample sheets after `step`; the state stays as it is. Returns the drawn images of each,
    /// `[n, size, size, channels]` in [-1, 1].
    ///
    /// # Errors
    /// If the device fails or a file cannot be written.
    pub fn save_sheets(&mut self, folder: &RunFolder, step: u64) -> Result<Vec<Vec<f32>>> {
        let mut drawn = Vec::new();
        for (index, sheet) in self.sheets.iter().enumerate() {
            let values = (&sheet.values[..], sheet.at_once);
            for (name, constant) in &sheet.constants {
                self.executor.write_input(sheet.step, name, constant)?;
            }
            let mut outputs =
                in_batches(&mut *self.executor, sheet.step, sheet.input, values, &sheet.outputs)?;
            M::save_sheet(&self.config, index, &sheet.values, &outputs, folder, step)?;
            drawn.push(outputs.swap_remove(0));
        }
        Ok(drawn)
    }
}
