//! The programs CycleGAN's training is made of, over one set of state buffers. X and Y are the two sets of images; both
//! directions stand in the same step, so that a device may overlap them.

mod building;
mod parts;
mod tile;

use crate::Result;
use crate::graph::{Graph, Step};
use crate::nn::diffaugment::DiffAugmentPolicy;
use crate::nn::loss::{Adversarial, R1};
use crate::nn::{Network, NormMode, Tensors};
use crate::optim::Adam;
use crate::optim::OptimizerState;
use crate::ranks::Shard;
use crate::shape::Shape;
use crate::size::Size;
use crate::train::model::Model;
use building::Building;
use parts::Part;
pub(super) use parts::Trains;
use serde::{Deserialize, Serialize};

/// State buffers of both generators, trained by one optimizer.
pub const GENERATORS: OptimizerState = OptimizerState::starting_at(0);
/// State buffers of both discriminators, trained by another.
pub const DISCRIMINATORS: OptimizerState = OptimizerState::starting_at(OptimizerState::COUNT);
/// The generators' averages, laid out as their parameters.
pub const AVERAGES: usize = 2 * OptimizerState::COUNT;
/// The last generator step's translations, X then Y, each `[batch, size, size, channels]`.
pub const FAKES: usize = AVERAGES + 1;
/// The pools of past translations, X then Y, each `[pool, size, size, channels]`.
pub const POOLS: usize = AVERAGES + 2;
/// The loss scales of the generators and of the discriminators.
pub const SCALES: [usize; 2] = [AVERAGES + 3, AVERAGES + 4];

/// How far an image translated there and back is from where it began.
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
    /// Discriminators on real images; discriminators on fakes; generators along Y to X to Y; along X to Y to X.
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
    /// Whether losses are scaled before their gradients are taken, for contractions in half precision.
    pub scaled: bool,
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
    /// `D_X` and `D_Y`: of each as many as there are scales. The first judges images as they are, each next one images
    /// half as large, by means of 2x2 pixels; losses and penalties are means over them (Wang 2018).
    pub discriminators: [Vec<Network>; 2],
    /// Height and width of the images in training.
    pub size: Size,
    /// Colour channels.
    pub channels: [usize; 2],
    /// Images of each set in a step of this process.
    pub batch: usize,
    /// What is minimised.
    pub objective: CycleObjective,
}

/// The domain an image belongs to, or is translated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    /// The first set.
    X,
    /// The second.
    Y,
}

impl CycleGan {
    /// [`GENERATORS`] and [`DISCRIMINATORS`], with their loss scales where there are such.
    pub(super) fn optimizers(&self) -> [OptimizerState; 2] {
        let scale = |index: usize| self.objective.scaled.then_some(SCALES[index]);
        [GENERATORS.scaled(scale(0)), DISCRIMINATORS.scaled(scale(1))]
    }

    /// The generator that translates to a set.
    pub fn generator(&self, to: Domain) -> &Network {
        &self.generators[to.generators().0]
    }

    /// All discriminators, those of X before those of Y.
    pub fn all_discriminators(&self) -> Vec<&Network> {
        self.discriminators.iter().flatten().collect()
    }

    /// The optimizer steps of an iteration, in order, for `batch` images of each set, or this rank's part of them; the step that sees
    /// real images comes twice where the R1 penalty is not part of every update: without it, then with. Inputs, where a step needs them: `x` and `y`; `rates` (see
    /// [`crate::graph::UpdateRule::Adam`]); DiffAugment's draws under `X.real.`, `Y.real.`, `X.fake.` and `Y.fake.`; `decay` of the averages;
    /// for the pool `X.rows` and `Y.rows` (see [`crate::graph::Var::gather_rows`]: the pool, then the new fakes) and `X.store` and `Y.store` (see
    /// [`crate::graph::Update::ScatterRows`]), one number an image, the latter of the whole batch. Outputs: `R1_X`, `R1_Y`; `D_X`, `D_Y` (with
    /// [`Updates::Apart`] `_real` and `_fake` by step), `G_XtoY`, `G_YtoX`, `cycle_X`, `cycle_Y`, `identity_X`, `identity_Y`, each as it
    /// enters the sum; the discriminators' errors (see [`Adversarial::errors`]) `errors_X_real`, `errors_X_fake`, `errors_Y_real`,
    /// `errors_Y_fake`, one an image or a patch.
    ///
    /// # Errors
    /// If the networks do not fit each other or the size.
    pub fn steps(&self, batch: impl Into<Shard>) -> Result<Vec<Step>> {
        let shard = batch.into();
        let variants = |part: &'static Part| {
            let variants = if part.sees_real { self.objective.r1.variants() } else { &[false] };
            variants.iter().map(move |&penalized| self.step(part, shard, penalized))
        };
        self.parts().iter().flat_map(variants).collect()
    }

    /// The optimizer steps of an iteration, in order.
    pub(super) fn parts(&self) -> &'static [Part] {
        match self.objective.updates {
            Updates::Apart => parts::APART,
            Updates::DiscriminatorsFirst => parts::DISCRIMINATORS_FIRST,
            Updates::GeneratorsFirst => parts::GENERATORS_FIRST,
        }
    }

    /// The step of a part for `shard` images of each set; where it sees real ones, `penalized` by R1.
    ///
    /// # Errors
    /// If the networks do not fit each other or the size.
    pub(super) fn step(&self, part: &Part, shard: Shard, penalized: bool) -> Result<Step> {
        let graph = Graph::new();
        let buffers = self.buffers();
        let shape = |channels| Shape([shard.len, self.size.height, self.size.width, channels]);
        let [x, y] = self.channels.map(shape);
        let images = [("x", x), ("y", y)].map(|(name, shape)| graph.input(name, shape));
        let mut building = Building {
            model: self,
            graph: &graph,
            shard,
            generators: GENERATORS.tensors(&graph, &self.generators.each_ref(), &buffers),
            discriminators: DISCRIMINATORS.tensors(&graph, &self.all_discriminators(), &buffers),
            buffers,
            normalized: vec![None; self.all_discriminators().len()],
            penalized,
            penalties: Vec::new(),
            updates: Vec::new(),
            outputs: Vec::new(),
        };
        (part.build)(&mut building, images)?;
        let name = if penalized { format!("penalized_{}", part.name) } else { part.name.to_owned() };
        Step::new(&name, &graph, &building.outputs, building.updates)
    }

    /// Translations to `to` of images of any size that divides by 4, and those translated back, without any change of
    /// state; by the averages where they are kept. Input: `images` `[batch, h, w, channels]`, channels those of the other domain. Outputs: `translation`
    /// and `back`, in [-1, 1].
    ///
    /// # Errors
    /// If the networks do not fit the size.
    pub fn translator(
        &self,
        to: Domain,
        batch: usize,
        size: [usize; 2],
        statistics: NormMode,
    ) -> Result<Step> {
        self.translation(to, batch, size, statistics, true)
    }

    /// As [`CycleGan::translator`], without the way back.
    ///
    /// # Errors
    /// If the network does not fit the size.
    pub fn one_way(&self, to: Domain, batch: usize, size: [usize; 2], statistics: NormMode) -> Result<Step> {
        self.translation(to, batch, size, statistics, false)
    }

    fn translation(
        &self,
        to: Domain,
        batch: usize,
        [h, w]: [usize; 2],
        statistics: NormMode,
        and_back: bool,
    ) -> Result<Step> {
        let graph = Graph::new();
        let tensors = self.translating(&graph);
        let (there, back) = to.generators();
        let images = graph.input("images", Shape([batch, h, w, self.channels[to.other() as usize]]));
        let (translation, _) = self.generators[there].forward(images, &tensors[there], statistics)?;
        let mut outputs = vec![("translation", translation)];
        if and_back {
            let (returned, _) = self.generators[back].forward(translation, &tensors[back], statistics)?;
            outputs.push(("back", returned));
        }
        Step::new("translate", &graph, &outputs, vec![])
    }

    /// The tensors by which both generators translate: the averages where they are kept.
    fn translating<'g>(&self, graph: &'g Graph) -> Vec<Tensors<'g>> {
        let buffer = if self.objective.average { AVERAGES } else { GENERATORS.parameters };
        GENERATORS.tensors_from(buffer, graph, &self.generators.each_ref(), &self.buffers())
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
