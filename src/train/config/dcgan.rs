//! DCGAN's settings.

#[cfg(feature = "cli")]
use super::parts;
use super::{DiffAugmentParts, Preset};
use crate::Result;
use crate::data::{Augment, AugmentKind, Batching, Fit, LoadOptions, NoiseKind};
use crate::nn::Upsample;
use crate::nn::dcgan::{Generator, Norm, discriminator};
use crate::nn::loss::{Adversarial, R1};
use crate::optim::Adam;
use crate::train::dcgan_steps::{Dcgan, Objective};
use crate::train::initial::{Initial, one_or_more};
#[cfg(feature = "cli")]
use crate::train::settings::named;
use crate::train::settings::settings;

settings! {
    /// Settings as given: each may be missing.
    given DcganSettings;
    /// All settings of a DCGAN run. Written as the run's `config.toml`, they are enough to run it again.
    full DcganConfig;
    kind "dcgan";
    presets Preset::config;
    perhaps {
        /// Where values that are not given come from: small, the default, seed, course or paper.
        #[arg(value_parser = named::<Preset>, value_name = "small|seed|course|paper")]
        preset: Preset,
        /// Iterations in all; or give --epochs.
        #[arg(conflicts_with = "epochs")]
        steps: u64,
        /// Passes over all pictures; or give --steps.
        epochs: u64,
        /// The generator's learning rate, where it is not --lr.
        g_lr: f64,
        /// The discriminator's learning rate, where it is not --lr.
        d_lr: f64,
        /// The discriminator's normalisation, where it is not --norm: none, over the batch, over each picture, or of the
        /// weights by their largest singular value.
        #[arg(value_parser = named::<Norm>, value_name = "none|batch|instance|spectral")]
        d_norm: Norm,
        /// Refuse to start where more memory than this is planned, in MiB.
        #[arg(value_name = "MIB")]
        memory_limit: u64,
    }
    always {
        /// A folder of pictures, or a bundled set such as builtin:noto, builtin:noto/faces or builtin:twemoji.
        #[arg(value_name = "DIR|builtin:SET")]
        data: String,
        /// Height and width of the pictures: 8, 16, 32, 64, 128, ...
        size: usize,
        /// 3 for colour, 1 for grey.
        channels: usize,
        /// How pictures become square: the centre cropped, or the whole picture stretched.
        #[arg(value_parser = named::<Fit>, value_name = "crop|stretch")]
        fit: Fit,
        /// Go on without pictures that cannot be read.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        skip_bad: bool,
        /// Fraction of the pictures that is not trained on.
        holdout: f64,
        /// Pictures as they are (none and basic), or cropped out of slightly larger ones and mirrored (deluxe).
        #[arg(value_parser = named::<AugmentKind>, value_name = "none|basic|deluxe")]
        augment: AugmentKind,
        /// Rotate pictures at random by up to this many degrees either way.
        rotate: f64,
        /// Stretch pictures at random by up to this fraction, height and width each.
        stretch: f64,
        /// Augmentation of real and fake pictures in front of the discriminator: none, or some of
        /// color,translation,cutout.
        #[arg(value_parser = parts, value_name = "PART,PART..|none")]
        diffaugment: DiffAugmentParts,
        /// Pictures a step.
        batch: usize,
        /// Leave out an epoch's last batch where it is short.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        drop_last: bool,
        /// Numbers in one noise vector.
        noise_size: usize,
        /// Distribution of the noise: uniform from -1 to 1, or normal.
        #[arg(value_parser = named::<NoiseKind>, value_name = "uniform|normal")]
        noise: NoiseKind,
        /// Channels in front of the generator's last layer; each layer before has twice as many.
        g_width: usize,
        /// Residual blocks in front of each of the generator's doublings.
        blocks: usize,
        /// How the generator doubles the size: by transposed convolutions, or by repeated or by interpolated pixels
        /// and a convolution, which leave no checkerboards.
        #[arg(value_parser = named::<Upsample>, value_name = "transposed|nearest|bilinear")]
        upsample: Upsample,
        /// Whether the generator's features from 32x32 pixels on are gated by those of an eighth of their size; for pictures
        /// of 64 pixels or more.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        excite: bool,
        /// Channels behind the discriminator's first layer; each layer after has twice as many.
        d_width: usize,
        /// Normalisation: none, over the batch, or over each picture.
        #[arg(value_parser = named::<Norm>, value_name = "none|batch|instance")]
        norm: Norm,
        /// Whether batch or instance norm stands behind the discriminator's first layer too.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        d_first_norm: bool,
        /// Whether batch norm goes by the pictures of all ranks together, where there are several, and not by each rank's own.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        sync_batch_norm: bool,
        /// Slope of the discriminator's leaky ReLU below 0.
        slope: f64,
        /// Initial weights: uniform in 1/sqrt(fan_in), normal with deviation 0.02, or those of a safetensors file, such as a
        /// checkpoint; of a file that holds one network, generator=FILE. May be given several times.
        #[arg(value_name = "uniform|normal|[NETWORK=]FILE")]
        #[serde(with = "one_or_more")]
        init: Vec<Initial>,
        /// Adversarial loss: least squares, binary cross-entropy, or hinge.
        #[arg(value_parser = named::<Adversarial>, value_name = "lsgan|bce|hinge")]
        loss: Adversarial,
        /// Factor of the discriminator's loss.
        d_scale: f64,
        /// Factor of the generator's loss.
        g_scale: f64,
        /// Weight of the R1 penalty: half the squared slope of the discriminator's score at real pictures; 0 turns it off.
        r1: f64,
        /// Add the penalty at every this many updates of the discriminator, as many times as large.
        r1_every: u64,
        /// Step the discriminator every this many iterations.
        d_every: u64,
        /// Whether the generator's step draws noise of its own, not the noise of the discriminator's.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        fresh_noise: bool,
        /// Decay of an average of the generator's weights that draws samples; 0 keeps none.
        average: f64,
        /// Learning rate of both optimizers.
        lr: f64,
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
        /// Draw the sample pictures every this many steps.
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

impl DcganConfig {
    /// The networks and what they are trained for.
    ///
    /// # Errors
    /// If the size is none DCGAN can draw.
    pub fn dcgan(&self) -> Result<Dcgan> {
        let adam = |lr| Adam { lr, beta1: self.beta1, beta2: self.beta2, eps: self.eps };
        Ok(Dcgan {
            generator: Generator {
                noise: self.noise_size,
                width: self.g_width,
                size: self.size,
                channels: self.channels,
                norm: self.norm,
                upsample: self.upsample,
                blocks: self.blocks,
                excite: self.excite,
            }
            .network()?,
            discriminator: discriminator(
                self.d_width,
                self.size,
                self.channels,
                self.d_norm.unwrap_or(self.norm),
                self.d_first_norm,
                self.slope,
            )?,
            noise: self.noise_size,
            size: self.size,
            channels: self.channels,
            objective: Objective {
                loss: self.loss,
                d_scale: self.d_scale,
                g_scale: self.g_scale,
                r1: R1 { weight: self.r1, every: self.r1_every },
                fresh_noise: self.fresh_noise,
                average: self.average > 0.0,
                g_adam: adam(self.g_lr.unwrap_or(self.lr)),
                d_adam: adam(self.d_lr.unwrap_or(self.lr)),
                diffaugment: self.diffaugment.policy(),
            },
        })
    }

    /// How pictures are loaded.
    pub fn load_options(&self) -> LoadOptions {
        LoadOptions {
            side: self.augment().stored_side(self.size),
            channels: self.channels,
            fit: self.fit,
            skip_bad: self.skip_bad,
        }
    }

    /// In which order pictures are seen, and how they are changed.
    pub fn batching(&self) -> Batching {
        Batching {
            batch: self.batch,
            drop_last: self.drop_last,
            seed: self.seed,
            name: "data",
            augment: self.augment(),
            size: self.size,
            rank: (0, 1),
        }
    }

    fn augment(&self) -> Augment {
        Augment { kind: self.augment, rotate: self.rotate as f32, stretch: self.stretch as f32 }
    }
}
