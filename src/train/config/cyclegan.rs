//! CycleGAN's settings.

#[cfg(feature = "cli")]
use super::parts;
use super::{DiffAugmentParts, Preset};
use crate::Result;
use crate::data::{Augment, AugmentKind, Batching, Fit, LoadOptions};
use crate::nn::cyclegan::{Translator, generator, patch_discriminator, patch70_discriminator};
use crate::nn::dcgan::{Norm, discriminator};
use crate::nn::loss::{Adversarial, R1};
use crate::nn::{Network, Upsample};
use crate::optim::{Adam, Schedule};
use crate::train::cyclegan_steps::{CycleGan, CycleLoss, CycleObjective, Domain, Updates};
use crate::train::initial::{Initial, one_or_more};
#[cfg(feature = "cli")]
use crate::train::settings::named;
use crate::train::settings::settings;
use serde::{Deserialize, Serialize};

/// What a discriminator looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Discriminator {
    /// The whole picture, as DCGAN's: one score.
    Whole,
    /// Patches: a score for every 16x16 pixels.
    Patch,
    /// Overlapping patches of 70x70 pixels (Isola 2017).
    Patch70,
}

impl Discriminator {
    /// The smallest picture it can judge: so many pixels both ways.
    pub(super) const fn least(self) -> usize {
        match self {
            Self::Whole => 8,
            Self::Patch => 16,
            Self::Patch70 => 24,
        }
    }
}

settings! {
    /// CycleGAN's settings as given: each may be missing.
    given CycleGanSettings;
    /// All settings of a CycleGAN run. Written as the run's `config.toml`, they are enough to run it again.
    full CycleGanConfig;
    kind "cyclegan";
    presets Preset::cyclegan_config;
    perhaps {
        /// Where values that are not given come from: small, the default, seed, course or paper.
        #[arg(value_parser = named::<Preset>, value_name = "small|seed|course|paper")]
        preset: Preset,
        /// Iterations in all; or give --epochs.
        #[arg(conflicts_with = "epochs")]
        steps: u64,
        /// Passes over the larger set of pictures; or give --steps.
        epochs: u64,
        /// The generators' learning rate, where it is not --lr.
        g_lr: f64,
        /// The discriminators' learning rate, where it is not --lr.
        d_lr: f64,
        /// With the linear schedule: the step after which the learning rate falls; half of all where it is not given.
        decay_from: u64,
        /// The discriminators' normalisation, where it is not --norm: none, over the batch, over each picture, or of the
        /// weights by their largest singular value.
        #[arg(value_parser = named::<Norm>, value_name = "none|batch|instance|spectral")]
        d_norm: Norm,
        /// Refuse to start where more memory than this is planned, in MiB.
        #[arg(value_name = "MIB")]
        memory_limit: u64,
    }
    always {
        /// The first set of pictures, X: a folder, or a bundled set such as builtin:noto.
        #[arg(value_name = "DIR|builtin:SET")]
        x: String,
        /// The second set of pictures, Y.
        #[arg(value_name = "DIR|builtin:SET")]
        y: String,
        /// Height and width of the pictures in training: a multiple of 4.
        size: usize,
        /// 3 for colour, 1 for grey.
        channels: usize,
        /// How pictures become square: the centre cropped, or the whole picture stretched.
        #[arg(value_parser = named::<Fit>, value_name = "crop|stretch")]
        fit: Fit,
        /// Go on without pictures that cannot be read.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        skip_bad: bool,
        /// Fraction of each set's pictures that is not trained on.
        holdout: f64,
        /// Pictures as they are (none and basic), or cropped out of slightly larger ones and mirrored (deluxe: 1.1 times
        /// as large, close to the 286/256 of the published CycleGAN).
        #[arg(value_parser = named::<AugmentKind>, value_name = "none|basic|deluxe")]
        augment: AugmentKind,
        /// Rotate pictures at random by up to this many degrees either way.
        rotate: f64,
        /// Stretch pictures at random by up to this fraction, height and width each.
        stretch: f64,
        /// Augmentation of real and fake pictures in front of the discriminators: none, or some of
        /// color,translation,cutout.
        #[arg(value_parser = parts, value_name = "PART,PART..|none")]
        diffaugment: DiffAugmentParts,
        /// Pictures of each set a step.
        batch: usize,
        /// The generators: plain convolutions, or the published residual network.
        #[arg(value_parser = named::<Translator>, value_name = "plain|resnet")]
        generator: Translator,
        /// Channels behind the generators' first layer.
        g_width: usize,
        /// Residual blocks in the middle of the generators.
        blocks: usize,
        /// How the generators double the size: by transposed convolutions, or by repeated or by interpolated pixels
        /// and a convolution, which leave no checkerboards.
        #[arg(value_parser = named::<Upsample>, value_name = "transposed|nearest|bilinear")]
        upsample: Upsample,
        /// What the discriminators judge: the whole picture, patches, or overlapping patches of 70x70 pixels.
        #[arg(value_parser = named::<Discriminator>, value_name = "whole|patch|patch70")]
        discriminator: Discriminator,
        /// Discriminators of each set, each looking at pictures half as large as the one before; their losses are averaged.
        scales: usize,
        /// Channels behind the discriminators' first layer.
        d_width: usize,
        /// Normalisation: none, over the batch, or over each picture.
        #[arg(value_parser = named::<Norm>, value_name = "none|batch|instance")]
        norm: Norm,
        /// Whether batch or instance norm stands behind the first layer of whole-picture discriminators too.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        d_first_norm: bool,
        /// Whether batch norm goes by the pictures of all ranks together, where there are several, and not by each rank's own.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        sync_batch_norm: bool,
        /// Slope of the discriminators' leaky ReLU below 0.
        slope: f64,
        /// Initial weights: uniform in 1/sqrt(fan_in), normal with deviation 0.02, or those of a safetensors file, such as a
        /// checkpoint; of a file that holds one network, G_XtoY=FILE. May be given several times.
        #[arg(value_name = "uniform|normal|[NETWORK=]FILE")]
        #[serde(with = "one_or_more")]
        init: Vec<Initial>,
        /// Adversarial loss: least squares, binary cross-entropy, or hinge.
        #[arg(value_parser = named::<Adversarial>, value_name = "lsgan|bce|hinge")]
        loss: Adversarial,
        /// Factor of the discriminators' losses.
        d_scale: f64,
        /// Factor of the generators' adversarial losses.
        g_scale: f64,
        /// Weight of the R1 penalty: half the squared slope of the discriminators' score at real pictures; 0 turns it off.
        r1: f64,
        /// Add the penalty every this many iterations, as many times as large.
        r1_every: u64,
        /// How far a picture translated there and back is from where it began: mean squared or absolute error, or not
        /// counted.
        #[arg(value_parser = named::<CycleLoss>, value_name = "mse|l1|none")]
        cycle_loss: CycleLoss,
        /// Weight of the cycle loss; 0 turns it off.
        lambda_cycle: f64,
        /// Weight of the identity loss: a generator should leave pictures of its target set as they are; 0 turns it off.
        lambda_identity: f64,
        /// The steps of an iteration: each loss apart, discriminators then generators, or generators then discriminators.
        #[arg(value_parser = named::<Updates>, value_name = "apart|discriminators-first|generators-first")]
        updates: Updates,
        /// With --updates apart: show the discriminators fakes every this many iterations.
        d_fake_every: u64,
        /// Past translations of each direction that are shown to the discriminators again; 0 shows only new ones.
        pool: usize,
        /// Decay of an average of the generators' weights that draws samples and translates; 0 keeps none.
        average: f64,
        /// Learning rate of both optimizers.
        lr: f64,
        /// Over the run, the learning rate is constant, constant then linear to 0, or half a cosine to 0; a run resumed with
        /// more steps follows the longer schedule from there.
        #[arg(value_parser = named::<Schedule>, value_name = "constant|linear|cosine")]
        schedule: Schedule,
        /// Adam's decay of the first moment.
        beta1: f64,
        /// Adam's decay of the second moment.
        beta2: f64,
        /// Added by Adam to the root of the second moment.
        eps: f64,
        /// Decides every random number of the run.
        seed: u64,
        /// Log the losses every this many steps.
        log_every: u64,
        /// Draw the sample sheets every this many steps.
        sample_every: u64,
        /// Write a checkpoint every this many steps.
        checkpoint_every: u64,
        /// Look for infinities and NaN in the state every this many steps; a checkpoint does so as well.
        check_every: u64,
        /// How many checkpoints stay; 0 keeps all.
        keep: usize,
        /// What to compute on: auto (a hardware GPU, else the CPU), gpu, cpu, or a part of a GPU's name.
        #[arg(value_name = "auto|gpu|cpu|NAME")]
        device: String,
        /// Take kernels as they are known to be sensible; do not measure which are fastest on this GPU.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        no_tune: bool,
        /// Write no event files for TensorBoard.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        no_tensorboard: bool,
    }
}

impl CycleGanConfig {
    /// The networks and what they are trained for.
    ///
    /// # Errors
    /// If the networks do not fit the size.
    pub fn cyclegan(&self) -> Result<CycleGan> {
        let translator = |name| {
            generator(
                name,
                self.generator,
                self.g_width,
                self.blocks,
                self.channels,
                self.norm,
                self.upsample,
            )
        };
        let adam = |lr| Adam { lr, beta1: self.beta1, beta2: self.beta2, eps: self.eps };
        let counted = self.lambda_cycle > 0.0;
        Ok(CycleGan {
            generators: [translator("G_XtoY")?, translator("G_YtoX")?],
            discriminators: [self.judges("D_X")?, self.judges("D_Y")?],
            size: self.size,
            channels: self.channels,
            batch: self.batch,
            objective: CycleObjective {
                loss: self.loss,
                d_scale: self.d_scale,
                r1: R1 { weight: self.r1, every: self.r1_every },
                g_scale: self.g_scale,
                cycle: if counted { self.cycle_loss } else { CycleLoss::None },
                lambda_cycle: self.lambda_cycle,
                lambda_identity: self.lambda_identity,
                updates: self.updates,
                pool: self.pool,
                average: self.average > 0.0,
                g_adam: adam(self.g_lr.unwrap_or(self.lr)),
                d_adam: adam(self.d_lr.unwrap_or(self.lr)),
                diffaugment: self.diffaugment.policy(),
            },
        })
    }

    /// The discriminators of one domain: `D_X`, or where there are several scales `D_X.0`, `D_X.1`, .. (an `nn.ModuleList`).
    fn judges(&self, name: &str) -> Result<Vec<Network>> {
        if self.scales == 1 {
            return Ok(vec![self.judge(name, self.size)?]);
        }
        (0..self.scales).map(|scale| self.judge(&format!("{name}.{scale}"), self.size >> scale)).collect()
    }

    fn judge(&self, name: &str, size: usize) -> Result<Network> {
        let Self { d_width: width, channels, slope, .. } = *self;
        let norm = self.d_norm.unwrap_or(self.norm);
        match self.discriminator {
            Discriminator::Patch => Ok(patch_discriminator(name, width, channels, norm, slope)),
            Discriminator::Patch70 => Ok(patch70_discriminator(name, width, channels, norm, slope)),
            Discriminator::Whole => {
                let network = discriminator(width, size, channels, norm, self.d_first_norm, slope)?;
                Ok(Network { name: name.into(), ..network })
            }
        }
    }

    /// The source of a set's pictures.
    pub fn source(&self, domain: Domain) -> &str {
        match domain {
            Domain::X => &self.x,
            Domain::Y => &self.y,
        }
    }

    /// How pictures are loaded to be trained on.
    pub fn load_options(&self) -> LoadOptions {
        LoadOptions { side: self.augment().stored_side(self.size), ..self.plain_options() }
    }

    /// How pictures are loaded to be looked at: at the size of training, not augmented.
    pub fn plain_options(&self) -> LoadOptions {
        LoadOptions { side: self.size, channels: self.channels, fit: self.fit, skip_bad: self.skip_bad }
    }

    /// In which order a set's pictures are seen, and how they are changed.
    pub fn batching(&self, domain: Domain) -> Batching {
        Batching {
            batch: self.batch,
            drop_last: true,
            seed: self.seed,
            name: match domain {
                Domain::X => "x",
                Domain::Y => "y",
            },
            augment: self.augment(),
            size: self.size,
            rank: (0, 1),
        }
    }

    fn augment(&self) -> Augment {
        Augment { kind: self.augment, rotate: self.rotate as f32, stretch: self.stretch as f32 }
    }

    /// Updates the generators and the discriminators have made after `step` iterations.
    pub fn update_counts(&self, step: u64) -> (u64, u64) {
        match self.updates {
            Updates::Apart => (2 * step, step + step / self.d_fake_every),
            Updates::DiscriminatorsFirst | Updates::GeneratorsFirst => (step, step),
        }
    }
}
