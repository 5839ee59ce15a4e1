//! The settings that every model has.

use super::fields::settings;
use super::{DiffAugmentParts, Intervals, Preset};
#[cfg(feature = "cli")]
use super::{fields::named, parts};
use crate::data::{Augment, AugmentKind, Batching, Fit, LoadOptions};
use crate::nn::diffaugment::DiffAugmentPolicy;
use crate::nn::loss::{Adversarial, R1};
use crate::nn::{Init, Norm, Upsample};
use crate::optim::{Adam, Schedule};
use crate::ranks::{Ranks, Shard};
use crate::real::Precision;
use crate::size::Size;
use crate::train::initial::{Initial, one_or_more};
use crate::train::phase::Rates;
use crate::{Error, Result};

settings! {
    /// The settings of every model as given: each may be missing.
    given CommonSettings;
    /// All settings that every model has.
    full Common;
    perhaps {
        /// The preset, which supplies all settings that are not given [default: small].
        #[arg(value_parser = named::<Preset>, value_name = "small|seed|course|paper")]
        preset: Preset,
        /// Total number of iterations; or give --epochs.
        #[arg(conflicts_with = "epochs")]
        steps: u64,
        /// Passes over the dataset (the larger one of two); or give --steps.
        epochs: u64,
        /// Scale images to this size and train on random crops of --size. By default --augment decides: deluxe crops from
        /// images 1.1 times as large, the others do not crop.
        #[arg(value_name = "SIDE|WIDTHxHEIGHT")]
        load_size: Size,
        /// The generators' learning rate [default: --lr].
        g_lr: f64,
        /// The discriminators' learning rate [default: --lr].
        d_lr: f64,
        /// With the linear schedule: the step after which the learning rate falls [default: half of all steps].
        decay_from: u64,
        /// The discriminators' normalisation [default: --norm]: none, batch norm, instance norm, or spectral normalisation
        /// of the weights.
        #[arg(value_parser = named::<Norm>, value_name = "none|batch|instance|spectral")]
        d_norm: Norm,
        /// Refuse to start if the run needs more memory than this, in MiB.
        #[arg(value_name = "MIB")]
        memory_limit: u64,
    }
    always {
        /// Size of the training images. For dcgan, sides that can be halved down to 3 to 16 pixels, such as 64, 96x64 or 80;
        /// for cyclegan and pix2pix, multiples of 4.
        #[arg(value_name = "SIDE|WIDTHxHEIGHT")]
        size: Size,
        /// 3 for colour, 1 for grey, 4 for colour with transparency.
        channels: usize,
        /// How images are brought to --size: cut the centre, stretch the whole image, or take random crops at the image's
        /// own scale (or at --load-size).
        #[arg(value_parser = named::<Fit>, value_name = "crop|stretch|crop-random")]
        fit: Fit,
        /// Skip images that cannot be read.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        skip_bad: bool,
        /// Fraction of each dataset to keep out of training, for evaluate.
        holdout: f64,
        /// Data augmentation: nothing (none, basic), or random crops from images 1.1 times as large and random mirroring
        /// (deluxe; the published CycleGAN uses 286/256).
        #[arg(value_parser = named::<AugmentKind>, value_name = "none|basic|deluxe")]
        augment: AugmentKind,
        /// Rotate images randomly by up to this many degrees either way.
        rotate: f64,
        /// Stretch images randomly by up to this fraction, height and width separately.
        stretch: f64,
        /// DiffAugment, which augments real and fake images before the discriminators: none, or any of
        /// color,translation,cutout.
        #[arg(value_parser = parts, value_name = "PART,PART..|none")]
        diffaugment: DiffAugmentParts,
        /// Batch size: images of each dataset per step.
        batch: usize,
        /// Channels of the generators: after the first layer of CycleGAN's and pix2pix's, before the last of DCGAN's.
        g_width: usize,
        /// Residual blocks: in the middle of CycleGAN's generators, before each upsampling stage of DCGAN's.
        blocks: usize,
        /// How generators upsample: transposed convolutions, or nearest or bilinear interpolation and a convolution, which
        /// avoid checkerboard patterns.
        #[arg(value_parser = named::<Upsample>, value_name = "transposed|nearest|bilinear")]
        upsample: Upsample,
        /// Channels after the discriminators' first layer; each later layer has twice as many.
        d_width: usize,
        /// Normalisation: none, batch norm, or instance norm.
        #[arg(value_parser = named::<Norm>, value_name = "none|batch|instance")]
        norm: Norm,
        /// Normalise after the discriminator's first layer too (discriminators of whole images).
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        d_first_norm: bool,
        /// Compute batch norm over the images of all ranks instead of each rank's own.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        sync_batch_norm: bool,
        /// Negative slope of the discriminators' leaky ReLU.
        slope: f64,
        /// Initial weights: uniform within 1/sqrt(fan_in), normal with standard deviation 0.02, or from a safetensors file
        /// such as a checkpoint. For a file with a single network, say which: generator=FILE. May be repeated.
        #[arg(value_name = "uniform|normal|[NETWORK=]FILE")]
        #[serde(with = "one_or_more")]
        init: Vec<Initial>,
        /// Adversarial loss: least squares, binary cross-entropy, or hinge.
        #[arg(value_parser = named::<Adversarial>, value_name = "lsgan|bce|hinge")]
        loss: Adversarial,
        /// Factor on the discriminators' losses.
        d_scale: f64,
        /// Factor on the generators' adversarial losses.
        g_scale: f64,
        /// Weight of the R1 gradient penalty on real images; 0 turns it off.
        r1: f64,
        /// Apply R1 only every N-th update on real images, N times as strong.
        r1_every: u64,
        /// Decay of an exponential moving average of the generators' weights, used for samples and translations; 0 turns it
        /// off.
        average: f64,
        /// Learning rate of both optimizers.
        lr: f64,
        /// Learning rate schedule: constant, constant then linear to 0, or cosine to 0. A run resumed with more steps
        /// follows the longer schedule from there.
        #[arg(value_parser = named::<Schedule>, value_name = "constant|linear|cosine")]
        schedule: Schedule,
        /// Adam's beta1.
        beta1: f64,
        /// Adam's beta2.
        beta2: f64,
        /// Adam's epsilon.
        eps: f64,
        /// Seed of all random numbers of the run.
        seed: u64,
        /// Log losses every N steps.
        log_every: u64,
        /// Draw sample sheets every N steps.
        sample_every: u64,
        /// Write a checkpoint every N steps.
        checkpoint_every: u64,
        /// Check the state for infinities and NaN every N steps, and at every checkpoint.
        check_every: u64,
        /// How many checkpoints to keep; 0 keeps all.
        keep: usize,
        /// Device: auto (a hardware GPU, else the CPU), gpu, cpu, or a GPU's number or words of its name from mewgan
        /// devices.
        #[arg(value_name = "auto|gpu|cpu|N|NAME")]
        device: String,
        /// Precision: f32, or mixed (convolutions multiply in half precision, for GPUs that are faster at it).
        #[arg(value_parser = named::<Precision>, value_name = "f32|mixed")]
        precision: Precision,
        /// Use default kernels; do not measure which are fastest on this GPU.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        no_tune: bool,
        /// Decode all images at every start; do not cache large datasets on disk.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        no_cache: bool,
        /// Do not write TensorBoard event files.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        no_tensorboard: bool,
    }
}

impl Common {
    /// What presets begin with: small networks with batch norm and least squares. `steps` and `epochs` are left to the model.
    pub fn base(preset: Preset) -> Self {
        Self {
            preset: Some(preset),
            steps: None,
            epochs: None,
            load_size: None,
            g_lr: None,
            d_lr: None,
            decay_from: None,
            d_norm: None,
            memory_limit: None,
            size: Size::square(64),
            channels: 3,
            fit: Fit::Crop,
            skip_bad: false,
            holdout: 0.0,
            augment: AugmentKind::Deluxe,
            rotate: 0.0,
            stretch: 0.0,
            diffaugment: DiffAugmentParts::default(),
            batch: 16,
            g_width: 16,
            blocks: 0,
            upsample: Upsample::Transposed,
            d_width: 16,
            norm: Norm::Batch,
            d_first_norm: true,
            sync_batch_norm: false,
            slope: 0.0,
            init: vec![Init::Uniform.into()],
            loss: Adversarial::Lsgan,
            d_scale: 1.0,
            g_scale: 0.5,
            r1: 0.0,
            r1_every: 16,
            average: 0.0,
            lr: 3e-4,
            schedule: Schedule::Constant,
            beta1: 0.5,
            beta2: 0.999,
            eps: 1e-8,
            seed: 11,
            log_every: 10,
            sample_every: 200,
            checkpoint_every: 400,
            check_every: 100,
            keep: 3,
            device: crate::device::AUTO.into(),
            precision: Precision::F32,
            no_tune: false,
            no_cache: false,
            no_tensorboard: false,
        }
    }

    /// How often a run writes what.
    pub fn intervals(&self) -> Intervals {
        Intervals {
            log: self.log_every,
            sample: self.sample_every,
            checkpoint: self.checkpoint_every,
            check: self.check_every,
            keep: self.keep,
        }
    }

    /// Whether events for TensorBoard are written.
    pub fn has_events(&self) -> bool {
        cfg!(feature = "report") && !self.no_tensorboard
    }

    /// The discriminators' normalisation.
    pub fn discriminator_norm(&self) -> Norm {
        self.d_norm.unwrap_or(self.norm)
    }

    /// The generators' optimizer.
    pub fn g_adam(&self) -> Adam {
        self.adam(self.g_lr)
    }

    /// The discriminators' optimizer.
    pub fn d_adam(&self) -> Adam {
        self.adam(self.d_lr)
    }

    fn adam(&self, lr: Option<f64>) -> Adam {
        Adam { lr: lr.unwrap_or(self.lr), beta1: self.beta1, beta2: self.beta2, eps: self.eps }
    }

    /// What an optimizer reads over the run.
    pub fn rates(&self, adam: Adam) -> Rates {
        Rates { adam, schedule: self.schedule, decay_from: self.decay_from }
    }

    /// The R1 penalty.
    pub fn r1(&self) -> R1 {
        R1 { weight: self.r1, every: self.r1_every }
    }

    /// Whether an average of the generators' weights is kept.
    pub fn keeps_average(&self) -> bool {
        self.average > 0.0
    }

    /// Augmentation in front of the discriminators.
    pub fn diffaugment_policy(&self) -> DiffAugmentPolicy {
        self.diffaugment.policy()
    }

    /// How images are loaded to be trained on.
    pub fn load_options(&self, channels: usize) -> LoadOptions {
        let plain = self.plain_options(channels);
        let size = self.augmentation().stored_size(self.size);
        match self.fit {
            Fit::CropRandom => LoadOptions { whole: true, ..plain },
            Fit::Crop | Fit::Stretch => LoadOptions { size, cache: !self.no_cache, ..plain },
        }
    }

    /// How images are loaded to be looked at: at the size of training, not augmented.
    pub fn plain_options(&self, channels: usize) -> LoadOptions {
        LoadOptions {
            fit: self.fit,
            cover: self.load_size,
            skip_bad: self.skip_bad,
            ..LoadOptions::new(self.size, channels)
        }
    }

    /// In which order the images of the set `name` are seen, and how they are changed.
    pub fn batching(&self, name: &'static str, drop_last: bool) -> Batching {
        Batching {
            batch: self.batch,
            drop_last,
            seed: self.seed,
            name,
            augment: self.augmentation(),
            size: self.size,
            rank: (0, 1),
        }
    }

    fn augmentation(&self) -> Augment {
        Augment {
            kind: self.augment,
            rotate: self.rotate as f32,
            stretch: self.stretch as f32,
            load_size: self.load_size,
        }
    }

    /// A rank's part of a batch.
    pub fn shard(&self, ranks: &Ranks, batch: usize) -> Shard {
        let shard = ranks.shard(batch);
        Shard { synced: shard.share.is_some() && self.sync_batch_norm, ..shard }
    }

    /// The run's last step, with `epoch` steps in an epoch.
    ///
    /// # Errors
    /// If the learning rate would begin to fall only after it.
    pub fn total(&self, epoch: u64) -> Result<u64> {
        let total = self.steps.unwrap_or_else(|| self.epochs.unwrap_or(1).saturating_mul(epoch));
        match self.decay_from.filter(|from| *from >= total) {
            Some(from) => Err(Error::Setting {
                name: "decay_from",
                problem: format!(
                    "decay_from is {from}, but the run has {total} steps; choose an earlier one, or more `steps`"
                ),
            }),
            None => Ok(total),
        }
    }
}
