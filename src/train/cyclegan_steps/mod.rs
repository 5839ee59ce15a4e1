//! The programs CycleGAN's training is made of, over one set of banks. X and Y are the two sets of pictures; both
//! directions stand in the same step, so that a device may overlap them.

mod building;

use super::optimizer::TrainedBanks;
use crate::Result;
use crate::graph::{Bank, Graph, Step, Var};
use crate::nn::diffaugment::DiffAugmentPolicy;
use crate::nn::loss::{Adversarial, R1};
use crate::nn::{Network, Statistics};
use crate::optim::Adam;
use crate::ranks::Shard;
use crate::shape::Shape;
use building::Building;
use serde::{Deserialize, Serialize};

/// Banks of both generators, trained by one optimizer.
pub const GENERATORS: TrainedBanks = TrainedBanks::starting_at(0);
/// Banks of both discriminators, trained by another.
pub const DISCRIMINATORS: TrainedBanks = TrainedBanks::starting_at(TrainedBanks::COUNT);
/// The generators' averages, laid out as their parameters.
pub const AVERAGES: usize = 2 * TrainedBanks::COUNT;
/// The last generator step's translations, X then Y, each `[batch, size, size, channels]`.
pub const FAKES: usize = AVERAGES + 1;
/// The pools of past translations, X then Y, each `[pool, size, size, channels]`.
pub const POOLS: usize = AVERAGES + 2;

/// How far a picture translated there and back is from where it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CycleLoss {
    /// Mean squared error.
    Mse,
    /// Mean absolute error.
    L1,
    /// Not counted.
    None,
}

/// Which optimizer steps make an iteration, in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Updates {
    /// Discriminators on real pictures; discriminators on fakes; generators along Y to X to Y; along X to Y to X.
    Apart,
    /// Discriminators on both, then generators along both.
    DiscriminatorsFirst,
    /// Generators along both, then discriminators on the fakes made before.
    GeneratorsFirst,
}

/// What is minimised, and how.
#[derive(Clone, Copy, Debug)]
pub struct CycleObjective {
    /// The adversarial loss.
    pub loss: Adversarial,
    /// Factor of each discriminator's loss.
    pub d_scale: f64,
    /// The penalty on each discriminator's slopes.
    pub r1: R1,
    /// Factor of each generator's adversarial loss.
    pub g_scale: f64,
    /// The cycle loss.
    pub cycle: CycleLoss,
    /// Its weight.
    pub lambda_cycle: f64,
    /// Weight of the identity loss `|G_XtoY(y) - y|`; 0 turns it off.
    pub lambda_identity: f64,
    /// The order of updates.
    pub updates: Updates,
    /// Past translations of each direction shown to the discriminators again; 0 shows only new ones.
    pub pool: usize,
    /// Whether averages of the generators are kept.
    pub average: bool,
    /// The generators' optimizer.
    pub g_adam: Adam,
    /// The discriminators' optimizer.
    pub d_adam: Adam,
    /// Augmentation in front of the discriminators.
    pub diffaugment: DiffAugmentPolicy,
}

/// The four networks, their sizes and what they minimise.
#[derive(Clone, Debug)]
pub struct CycleGan {
    /// `G_XtoY` and `G_YtoX`.
    pub generators: [Network; 2],
    /// `D_X` and `D_Y`: of each as many as there are scales. The first judges pictures as they are, each next one pictures
    /// half as large, by means of 2x2 pixels; losses and penalties are means over them (Wang 2018).
    pub discriminators: [Vec<Network>; 2],
    /// Height and width of the pictures in training.
    pub size: usize,
    /// Colour channels.
    pub channels: usize,
    /// Pictures of each set in a step of this process.
    pub batch: usize,
    /// What is minimised.
    pub objective: CycleObjective,
}

/// The domain a picture belongs to, or is translated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    /// The first set.
    X,
    /// The second.
    Y,
}

impl CycleGan {
    /// All banks, in the order of [`GENERATORS`], [`DISCRIMINATORS`], [`AVERAGES`], [`FAKES`] and [`POOLS`]; the last
    /// three are empty where the objective does not need them.
    pub fn banks(&self) -> Vec<Bank> {
        let objective = &self.objective;
        let generators = TrainedBanks::banks(&self.generators.each_ref());
        let averages = if objective.average { generators[0].clone() } else { Bank::default() };
        let pictures = |count: usize, wanted: bool| {
            let mut bank = Bank::default();
            for name in ["X", "Y"].iter().filter(|_| wanted) {
                bank.push(*name, Shape([count, self.size, self.size, self.channels]));
            }
            bank
        };
        let mut banks: Vec<Bank> = generators.into();
        banks.extend(TrainedBanks::banks(&self.judges()));
        banks.push(averages);
        banks.push(pictures(self.batch, objective.updates == Updates::GeneratorsFirst));
        banks.push(pictures(objective.pool, objective.pool > 0));
        banks
    }

    /// The generator that translates to a set.
    pub fn generator(&self, to: Domain) -> &Network {
        &self.generators[to.generators().0]
    }

    /// All discriminators, those of X before those of Y.
    pub fn judges(&self) -> Vec<&Network> {
        self.discriminators.iter().flatten().collect()
    }

    /// The optimizer steps of one iteration, in order, for `batch` pictures of each set, or this rank's part of them. Inputs, where a step needs
    /// them: `x` and `y`; `rates` (see [`crate::graph::UpdateRule::Adam`]); DiffAugment's draws under `X.real.`, `Y.real.`, `X.fake.` and
    /// `Y.fake.`; `decay` of the averages; for the pool `X.rows` and `Y.rows` (see [`Var::select_rows`]: the pool, then
    /// the new fakes) and `X.store` and `Y.store` (see [`crate::graph::Update::StoreRows`]), one number a picture, the latter of the
    /// whole batch. With an R1 penalty that is not of every update, the step that judges real pictures comes twice: without it, then with.
    /// Outputs: `R1_X`, `R1_Y`; `D_X`, `D_Y` (with [`Updates::Apart`] `_real` and `_fake` by step), `G_XtoY`, `G_YtoX`, `cycle_X`,
    /// `cycle_Y`, `identity_X`, `identity_Y`, each as it enters the sum; the discriminators' errors (see [`Adversarial::errors`]) `errors_X_real`,
    /// `errors_X_fake`, `errors_Y_real`, `errors_Y_fake`, one a picture or a patch.
    ///
    /// # Errors
    /// If the networks do not fit each other or the size.
    pub fn steps(&self, batch: impl Into<Shard>) -> Result<Vec<Step>> {
        let shard = batch.into();
        type Part = for<'g, 'm> fn(&mut Building<'g, 'm>, [Var<'g>; 2]) -> Result<()>;
        let both: Part = |step, [x, y]| {
            let real = step.judge_real([x, y], ["D_X_real", "D_Y_real"])?;
            let fakes = step.fakes_now([x, y])?;
            let fake = step.judge_fakes(fakes, ["D_X_fake", "D_Y_fake"])?;
            step.join(real, fake)
        };
        let steps: &[(&str, Part)] = match self.objective.updates {
            Updates::Apart => &[
                ("discriminators_real_step", |step, pictures| {
                    let real = step.judge_real(pictures, ["D_X_real", "D_Y_real"])?;
                    step.discriminate(real[0].add(real[1])?)
                }),
                ("discriminators_fake_step", |step, pictures| {
                    let fakes = step.fakes_now(pictures)?;
                    let fake = step.judge_fakes(fakes, ["D_X_fake", "D_Y_fake"])?;
                    step.discriminate(fake[0].add(fake[1])?)
                }),
                ("generators_yxy_step", |step, [_, y]| {
                    let (loss, _) = step.translate(Domain::X, y)?;
                    step.generate(loss)
                }),
                ("generators_xyx_step", |step, [x, _]| {
                    let (loss, _) = step.translate(Domain::Y, x)?;
                    step.generate(loss)
                }),
            ],
            Updates::DiscriminatorsFirst => &[
                ("discriminators_step", both),
                ("generators_step", |step, [x, y]| {
                    let (along_x, _) = step.translate(Domain::Y, x)?;
                    let (along_y, _) = step.translate(Domain::X, y)?;
                    step.generate(along_x.add(along_y)?)
                }),
            ],
            Updates::GeneratorsFirst => &[
                ("generators_step", |step, [x, y]| {
                    let (along_x, fake_y) = step.translate(Domain::Y, x)?;
                    let (along_y, fake_x) = step.translate(Domain::X, y)?;
                    step.keep([fake_x, fake_y]);
                    step.generate(along_x.add(along_y)?)
                }),
                ("discriminators_step", |step, pictures| {
                    let real = step.judge_real(pictures, ["D_X_real", "D_Y_real"])?;
                    let fakes = step.fakes_kept(pictures[0].shape());
                    let fake = step.judge_fakes(fakes, ["D_X_fake", "D_Y_fake"])?;
                    step.join(real, fake)
                }),
            ],
        };
        let mut built = Vec::new();
        for (name, part) in steps {
            let step = self.step(name, shard, false, part)?;
            let variants = match step.outputs.iter().any(|(name, _)| name == "D_X_real") {
                true => self.objective.r1.variants(),
                false => &[false],
            };
            for &penalized in variants {
                built.push(if penalized { self.step(name, shard, true, part)? } else { step.clone() });
            }
        }
        Ok(built)
    }

    fn step(
        &self,
        name: &str,
        shard: Shard,
        penalized: bool,
        part: impl for<'g, 'm> Fn(&mut Building<'g, 'm>, [Var<'g>; 2]) -> Result<()>,
    ) -> Result<Step> {
        let graph = Graph::new();
        let banks = self.banks();
        let shape = Shape([shard.len, self.size, self.size, self.channels]);
        let pictures = ["x", "y"].map(|name| graph.input(name, shape));
        let mut building = Building {
            model: self,
            graph: &graph,
            shard,
            generators: GENERATORS.tensors(&graph, &self.generators.each_ref(), &banks),
            discriminators: DISCRIMINATORS.tensors(&graph, &self.judges(), &banks),
            banks,
            judges: vec![None; self.judges().len()],
            penalized,
            penalties: Vec::new(),
            updates: Vec::new(),
            outputs: Vec::new(),
        };
        part(&mut building, pictures)?;
        Step::new(name, &graph, &building.outputs, building.updates)
    }

    /// Translations to `to` of pictures of any size that divides by 4, and those translated back, without any change of
    /// state; by the averages where they are kept. Input: `pictures` `[batch, h, w, channels]`. Outputs: `translation`
    /// and `back`, in [-1, 1].
    ///
    /// # Errors
    /// If the networks do not fit the size.
    pub fn translator(
        &self,
        to: Domain,
        batch: usize,
        size: [usize; 2],
        statistics: Statistics,
    ) -> Result<Step> {
        self.translation(to, batch, size, statistics, true)
    }

    /// As [`CycleGan::translator`], without the way back.
    ///
    /// # Errors
    /// If the network does not fit the size.
    pub fn one_way(
        &self,
        to: Domain,
        batch: usize,
        size: [usize; 2],
        statistics: Statistics,
    ) -> Result<Step> {
        self.translation(to, batch, size, statistics, false)
    }

    fn translation(
        &self,
        to: Domain,
        batch: usize,
        [h, w]: [usize; 2],
        statistics: Statistics,
        and_back: bool,
    ) -> Result<Step> {
        let graph = Graph::new();
        let banks = self.banks();
        let bank = if self.objective.average { AVERAGES } else { GENERATORS.parameters };
        let tensors = GENERATORS.tensors_from(bank, &graph, &self.generators.each_ref(), &banks);
        let (there, back) = to.generators();
        let pictures = graph.input("pictures", Shape([batch, h, w, self.channels]));
        let (translation, _) = self.generators[there].forward(pictures, &tensors[there], statistics)?;
        let mut outputs = vec![("translation", translation)];
        if and_back {
            let (returned, _) = self.generators[back].forward(translation, &tensors[back], statistics)?;
            outputs.push(("back", returned));
        }
        Step::new("translate", &graph, &outputs, vec![])
    }
}

impl Domain {
    /// X, then Y.
    pub const BOTH: [Self; 2] = [Self::X, Self::Y];

    /// Its name: `X` or `Y`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X => "X",
            Self::Y => "Y",
        }
    }

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::X => Self::Y,
            Self::Y => Self::X,
        }
    }

    /// The generator that translates to this domain, and the one that translates back.
    fn generators(self) -> (usize, usize) {
        match self {
            Self::Y => (0, 1),
            Self::X => (1, 0),
        }
    }

    /// The discriminator of this domain.
    fn discriminator(self) -> usize {
        match self {
            Self::X => 0,
            Self::Y => 1,
        }
    }
}
