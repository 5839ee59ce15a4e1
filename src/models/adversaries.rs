//! A generator and a discriminator, each trained by an optimizer of its own: the state that DCGAN and pix2pix train.

use crate::graph::StateBuffer;
use crate::nn::Network;
use crate::optim::OptimizerState;
use crate::train::model::{AccuracySpec, Trained};

/// State buffers of the generator.
pub const GENERATOR: OptimizerState = OptimizerState::starting_at(0);
/// State buffers of the discriminator.
pub const DISCRIMINATOR: OptimizerState = OptimizerState::starting_at(OptimizerState::COUNT);
/// The generator's averages, laid out as its parameters.
pub const AVERAGE: usize = 2 * OptimizerState::COUNT;
/// The loss scales of the generator and of the discriminator.
pub const SCALES: [usize; 2] = [AVERAGE + 1, AVERAGE + 2];

/// How often the discriminator is right.
pub const ACCURACIES: &[AccuracySpec] = &[
    AccuracySpec { name: "accuracy_real", output: "errors_real", real: true },
    AccuracySpec { name: "accuracy_fake", output: "errors_fake", real: false },
];

/// Both networks, and what is kept beside them.
#[derive(Clone, Copy, Debug)]
pub struct Adversaries<'n> {
    /// What draws.
    pub generator: &'n Network,
    /// What judges.
    pub discriminator: &'n Network,
    /// Whether an average of the generator is kept.
    pub average: bool,
    /// Whether losses are scaled before their gradients are taken.
    pub scaled: bool,
}

impl<'n> Adversaries<'n> {
    /// Their sizes, in words.
    pub fn describe(self) -> String {
        let [generator, discriminator] =
            [self.generator, self.discriminator].map(|network| network.parameter_count());
        format!("generator {generator} parameters, discriminator {discriminator}")
    }

    /// [`GENERATOR`] and [`DISCRIMINATOR`], with their loss scales where there are such.
    pub fn optimizers(self) -> [OptimizerState; 2] {
        let scale = |index: usize| self.scaled.then_some(SCALES[index]);
        [GENERATOR.scaled(scale(0)), DISCRIMINATOR.scaled(scale(1))]
    }

    /// All state buffers, in the order of [`GENERATOR`], [`DISCRIMINATOR`], [`AVERAGE`] and [`SCALES`]; the last three are empty where they
    /// are not needed.
    pub fn buffers(self) -> Vec<StateBuffer> {
        let networks = [self.generator, self.discriminator];
        let mut buffers: Vec<StateBuffer> =
            networks.into_iter().flat_map(|of| OptimizerState::buffers(&[of])).collect();
        let average = self.average.then(|| buffers[GENERATOR.parameters].clone());
        buffers.push(average.unwrap_or_default());
        let scale = if self.scaled { StateBuffer::loss_scale() } else { StateBuffer::default() };
        buffers.extend([scale.clone(), scale]);
        buffers
    }

    /// The state buffer of the weights that images are drawn by: the average where it is kept.
    pub fn drawing(self) -> usize {
        if self.average { AVERAGE } else { GENERATOR.parameters }
    }

    /// What is trained, and by which state.
    pub fn trained(self) -> Vec<Trained<'n>> {
        let [of_generator, of_discriminator] = self.optimizers();
        let generator = Trained {
            networks: vec![(self.generator, "init.g".into())],
            buffers: of_generator,
            average: self.average.then_some(AVERAGE),
        };
        let networks = vec![(self.discriminator, "init.d".into())];
        vec![generator, Trained { networks, buffers: of_discriminator, average: None }]
    }
}
