//! How fast a device is, and which share of what it can do every kernel reaches: see [`run`].

mod iterations;
mod ladder;
pub mod operations;
pub mod report;
pub mod table;

use crate::device::Device;
use crate::executor::Executor;
use crate::gpu::GpuExecutor;
use crate::gpu::program::Program;
use crate::graph::StateBuffer;
use crate::measure::peaks::{self, Peak, Peaks};
use crate::measure::{self, Effort, Progress, Spread, measure, repeated};
use crate::models::system::{self, System};
use crate::random::uniform;
use crate::reference::Reference;
use crate::{Error, Result};
use iterations::{Running, subject};
use operations::Operation;
use report::{Group, LeftOut, Report, Row, Subject};
use std::cell::RefCell;
use std::rc::Rc;

/// Something to be timed.
type Task = measure::Task<Subject>;

/// What is measured, and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// Rows of which `group/name/presets` holds one of these; all where there is none.
    pub filter: Vec<String>,
    /// Time for each row.
    pub effort: Effort,
    /// Iterations that would take longer than this, in seconds, are left out.
    pub longest: f64,
}

impl Options {
    fn wants(&self, subject: &Subject) -> bool {
        let text = format!("{}/{}/{}", subject.group.name(), subject.name, subject.used_by.join(", "));
        self.filter.is_empty() || self.filter.iter().any(|part| text.contains(part))
    }
}

/// The control: the same task twice, before all others.
const CONTROLS: usize = 2;

/// Measures what `device` can do, and by that: the presets' contractions, by every kernel there is; on a GPU the rungs of
/// the ladder; norms and pointwise functions; whole training iterations. The largest contraction of DCGAN's preset `course` runs along twice, as a control.
///
/// # Errors
/// If the device fails, or the filter leaves nothing.
pub fn run(device: &Device, options: &Options, progress: Progress<'_>) -> Result<Report> {
    let mut systems = system::all(device.precision())?;
    let mut operations = operations::all(&systems);
    let of_course =
        |operation: &&Operation| operation.subject.used_by.iter().any(|name| name == "dcgan course");
    let largest = operations.iter().filter(of_course).max_by_key(|operation| operation.subject.flops);
    let control =
        largest.cloned().ok_or_else(|| Error::Input("the preset course has no contraction".into()))?;
    operations.retain(|operation| options.wants(&operation.subject));
    systems.retain(|system| options.wants(&subject(system)));
    let (mut rungs, buffer) = match device {
        Device::Cpu { .. } => Default::default(),
        Device::Gpu(gpu) => ladder::programs(gpu)?,
    };
    rungs.retain(|(subject, _)| options.wants(subject));
    if operations.is_empty() && systems.is_empty() && rungs.is_empty() {
        return Err(Error::Input(format!(
            "`filter` {}: no such row; rows are, for example, contractions/conv2d, norms/normalize, steps/dcgan course, and on a GPU ladder/1 naive",
            options.filter.join(",")
        )));
    }

    let mut tasks = kernels(device, control, &operations, (rungs, buffer))?;
    let samples = measure(&mut tasks, options.effort, progress)?;
    let mut ratios = ratios(&samples);
    let mut rows: Vec<Row> =
        tasks.iter().zip(&samples).map(|(task, samples)| Row::new(task.subject.clone(), samples)).collect();

    // The control goes on beside the iterations.
    tasks.truncate(CONTROLS);
    let rate = rows[0].flops_per_second.unwrap_or(f64::INFINITY);
    let (running, left_out) = start(device, &systems, rate, options.longest, &mut tasks);
    if !running.is_empty() {
        let effort = Effort { patience: f64::INFINITY, ..options.effort };
        let samples = measure(&mut tasks, effort, progress)?;
        ratios.extend(self::ratios(&samples));
        for (run, (task, samples)) in running.iter().zip(tasks.iter().zip(&samples).skip(CONTROLS)) {
            let mut row = Row::new(task.subject.clone(), samples);
            progress(0, 0, &format!("{}, one by one", row.subject.name));
            row.iteration = Some(run.explain(device, row.seconds.median, options.effort)?);
            rows.push(row);
        }
    }

    let of_peaks = rows.iter().filter(|row| row.subject.group == Group::Peaks);
    let fastest = of_peaks.map(|row| (row.subject.flops, row.subject.bytes, row.seconds.min));
    let peaks = Peaks::of(&fastest.collect::<Vec<_>>());
    rows.iter_mut().for_each(|row| row.share_of(&peaks));
    rows.sort_by_key(|row| Group::ALL.iter().position(|group| *group == row.subject.group));
    Ok(Report {
        program: format!("mewgan {}", env!("CARGO_PKG_VERSION")),
        device: device.describe(),
        precision: device.precision(),
        matrix_units: match device {
            Device::Cpu { .. } => vec![],
            Device::Gpu(gpu) => gpu.matrix_units().to_vec(),
        },
        peaks,
        control: Spread::of(&ratios),
        rows,
        left_out,
    })
}

/// Makes the training of `systems` ready and adds its tasks. What an iteration would take is predicted from the `rate` of the
/// control, in operations a second; over `longest` seconds, or too large for the device, it is left out.
fn start(
    device: &Device,
    systems: &[System],
    rate: f64,
    longest: f64,
    tasks: &mut Vec<Task>,
) -> (Vec<Running>, Vec<LeftOut>) {
    let (mut running, mut left_out) = (Vec::new(), Vec::new());
    for system in systems {
        let predicted = system.flops() as f64 / rate;
        let begun = if predicted > longest {
            Err(format!("an iteration would take {predicted:.0} s, over the {longest} s allowed"))
        } else {
            iterations::start(device, system).map_err(|error| error.to_string())
        };
        match begun {
            Ok((run, task)) => {
                running.push(run);
                tasks.push(task);
            }
            Err(why) => left_out.push(LeftOut { name: system.name.clone(), why }),
        }
    }
    (running, left_out)
}

/// The second control's time over the first's, round by round.
fn ratios(samples: &[Vec<f64>]) -> Vec<f64> {
    samples[1].iter().zip(&samples[0]).map(|(second, first)| second / first).collect()
}

/// The tasks of the control, of the peaks, of single operations and of the ladder's rungs, on one executor.
fn kernels(
    device: &Device,
    control: Operation,
    operations: &[Operation],
    (rungs, of_rungs): (Vec<(Subject, Program)>, StateBuffer),
) -> Result<Vec<Task>> {
    let buffer = operations::buffer(operations.iter().chain([&control]).map(|of| &of.step));
    let buffers = [if rungs.is_empty() || buffer.len > of_rungs.len { buffer } else { of_rungs }];
    let as_control = |subject: Subject| Subject { group: Group::Control, ..subject };
    let (mut executor, mut subjects): (Box<dyn Executor>, Vec<Subject>) = match device {
        Device::Cpu { .. } => {
            let all = || [&control, &control].into_iter().chain(operations);
            let steps = all().map(|operation| operation.step.clone()).collect();
            (Box::new(Reference::<f32>::new(&buffers, steps)?), all().map(|of| of.subject.clone()).collect())
        }
        Device::Gpu(gpu) => {
            let chosen = operations::candidates(gpu, &control, &buffers)?.remove(0);
            let mut all = vec![chosen.clone(), chosen];
            let peaks = peaks::programs(gpu.target().max_binding)?.into_iter();
            all.extend(peaks.map(|(peak, program)| (peak.into(), program)));
            for operation in operations {
                all.extend(operations::candidates(gpu, operation, &buffers)?);
            }
            all.extend(rungs);
            let (subjects, programs) = all.into_iter().unzip();
            (Box::new(GpuExecutor::load_lowered(gpu.clone(), &buffers, programs)?), subjects)
        }
    };
    subjects[..CONTROLS].iter_mut().for_each(|subject| *subject = as_control(subject.clone()));
    // Away from 0, so that variances are positive and nothing is denormal.
    executor.write_state(0, &uniform("bench", 0.1, buffers[0].len))?;
    let executor = Rc::new(RefCell::new(executor));
    let mut tasks: Vec<Task> = (0..)
        .zip(subjects)
        .map(|(step, subject)| Task { subject, work: repeated(&executor, step) })
        .collect();
    match device {
        Device::Cpu { .. } => {
            let peak = |of: measure::Task<Peak>| Task { subject: of.subject.into(), work: of.work };
            tasks.extend(peaks::host().into_iter().map(peak));
        }
        Device::Gpu(_) => tasks.push(Task {
            subject: Subject::new(Group::Peaks, "submit", "nothing, and wait for it"),
            work: Box::new(move |times| {
                let mut executor = executor.borrow_mut();
                (0..times).try_for_each(|_| executor.run(&[]).and_then(|()| executor.wait()))
            }),
        }),
    }
    Ok(tasks)
}
