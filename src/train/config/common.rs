//! The settings that every model has.

use super::check::{check_channels, check_norms, counts, number, positive, refuse, weights, within};
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
        /// Where values that are not given come from: small, the default, seed, course or paper.
        #[arg(value_parser = named::<Preset>, value_name = "small|seed|course|paper")]
        preset: Preset,
        /// Iterations in all; or give --epochs.
        #[arg(conflicts_with = "epochs")]
        steps: u64,
        /// Passes over all images, of several sets over the largest; or give --steps.
        epochs: u64,
        /// Scale images to this height and width and train on random crops of --size, of large ones without shrinking them
        /// much; where it is not given, crops are of images 1.1 times as large, or there are none: see --augment.
        #[arg(value_name = "SIDE|WIDTHxHEIGHT")]
        load_size: Size,
        /// The generators' learning rate, where it is not --lr.
        g_lr: f64,
        /// The discriminators' learning rate, where it is not --lr.
        d_lr: f64,
        /// With the linear schedule: the step after which the learning rate falls; half of all where it is not given.
        decay_from: u64,
        /// The discriminators' normalisation, where it is not --norm: none, over the batch, over each image, or of the
        /// weights by their largest singular value.
        #[arg(value_parser = named::<Norm>, value_name = "none|batch|instance|spectral")]
        d_norm: Norm,
        /// Refuse to start where more memory than this is planned, in MiB.
        #[arg(value_name = "MIB")]
        memory_limit: u64,
    }
    always {
        /// Height and width of the images in training, or WIDTHxHEIGHT: for dcgan sides that can be halved to 3 to 16 pixels, such as
        /// 64, 96x64 or 80; for cyclegan multiples of 4.
        #[arg(value_name = "SIDE|WIDTHxHEIGHT")]
        size: Size,
        /// 3 for colour, 1 for grey, 4 for colour and transparency.
        channels: usize,
        /// How images take the shape of --size: the centre cropped, the whole image stretched, or random crops at the image's own
        /// scale, or that of --load-size.
        #[arg(value_parser = named::<Fit>, value_name = "crop|stretch|crop-random")]
        fit: Fit,
        /// Go on without images that cannot be read.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        skip_bad: bool,
        /// Fraction of each set's images that is not trained on.
        holdout: f64,
        /// Images as they are (none and basic), or cropped out of slightly larger ones and mirrored (deluxe: 1.1 times
        /// as large, close to the 286/256 of the published CycleGAN).
        #[arg(value_parser = named::<AugmentKind>, value_name = "none|basic|deluxe")]
        augment: AugmentKind,
        /// Rotate images at random by up to this many degrees either way.
        rotate: f64,
        /// Stretch images at random by up to this fraction, height and width each.
        stretch: f64,
        /// Augmentation of real and fake images in front of the discriminators: none, or some of
        /// color,translation,cutout.
        #[arg(value_parser = parts, value_name = "PART,PART..|none")]
        diffaugment: DiffAugmentParts,
        /// Images of each set a step.
        batch: usize,
        /// Channels of the generators: behind CycleGAN's first layer, in front of DCGAN's last one.
        g_width: usize,
        /// Residual blocks: in the middle of CycleGAN's generators, in front of each of the doublings of DCGAN's.
        blocks: usize,
        /// How generators double the size: by transposed convolutions, or by repeated or by interpolated pixels and a
        /// convolution, which leave no checkerboards.
        #[arg(value_parser = named::<Upsample>, value_name = "transposed|nearest|bilinear")]
        upsample: Upsample,
        /// Channels behind the discriminators' first layer; each layer after has twice as many.
        d_width: usize,
        /// Normalisation: none, over the batch, or over each image.
        #[arg(value_parser = named::<Norm>, value_name = "none|batch|instance")]
        norm: Norm,
        /// Whether batch or instance norm stands behind the first layer of discriminators of whole images too.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        d_first_norm: bool,
        /// Whether batch norm goes by the images of all ranks together, where there are several, and not by each rank's own.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        sync_batch_norm: bool,
        /// Slope of the discriminators' leaky ReLU below 0.
        slope: f64,
        /// Initial weights: uniform in 1/sqrt(fan_in), normal with deviation 0.02, or those of a safetensors file, such as a
        /// checkpoint; of a file that holds one network, generator=FILE. May be given several times.
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
        /// Weight of the R1 penalty: half the squared slope of the discriminators' score at real images; 0 turns it off.
        r1: f64,
        /// Add the penalty at every this many updates on real images, as many times as large.
        r1_every: u64,
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
        /// What to compute on: auto (a hardware GPU, else the CPU), gpu, cpu, or a GPU's number or words of its name, see mewgan devices.
        #[arg(value_name = "auto|gpu|cpu|N|NAME")]
        device: String,
        /// Take kernels as they are known to be sensible; do not measure which are fastest on this GPU.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        no_tune: bool,
        /// Decode all images at every start; do not keep those of large sets on disk as they are trained on.
        #[arg(num_args = 0..=1, default_missing_value = "true", require_equals = true)]
        no_cache: bool,
        /// Write no event files for TensorBoard.
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
        match self.fit {
            Fit::CropRandom => LoadOptions { whole: true, ..plain },
            Fit::Crop | Fit::Stretch => LoadOptions { cache: !self.no_cache, ..self.alike_options(channels) },
        }
    }

    /// How images are loaded to be trained on where all must have the same size.
    pub fn alike_options(&self, channels: usize) -> LoadOptions {
        let size = self.augmentation().stored_size(self.size);
        LoadOptions { size, ..self.plain_options(channels) }
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

    /// Names the first setting that is out of range, and what can be chosen.
    pub(super) fn check(&self) -> Result<()> {
        check_channels("channels", self.channels)?;
        if let Some(Size { height, width }) = self.load_size {
            within("load_size", height, self.size.height..=8192)?;
            within("load_size", width, self.size.width..=8192)?;
        }
        within("batch", self.batch, 1..=65536)?;
        within("g_width", self.g_width, 1..=4096)?;
        within("d_width", self.d_width, 1..=4096)?;
        within("blocks", self.blocks, 0..=100)?;
        counts(&[
            ("steps", self.steps),
            ("epochs", self.epochs),
            ("memory_limit", self.memory_limit),
            ("r1_every", Some(self.r1_every)),
            ("log_every", Some(self.log_every)),
            ("sample_every", Some(self.sample_every)),
            ("checkpoint_every", Some(self.checkpoint_every)),
            ("check_every", Some(self.check_every)),
        ])?;
        if i64::try_from(self.seed).is_err() {
            refuse("seed", self.seed, "one below 2^63")?;
        }
        positive(&[
            ("lr", Some(self.lr)),
            ("g_lr", self.g_lr),
            ("d_lr", self.d_lr),
            ("eps", Some(self.eps)),
            ("d_scale", Some(self.d_scale)),
            ("g_scale", Some(self.g_scale)),
        ])?;
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            let fits = beta >= 0.0 && (beta as f32) < 1.0;
            number(name, beta, fits, "one from 0 to below 1, as a 32-bit float")?;
        }
        // What is computed with is its f32.
        let decay = self.average >= 0.0 && (self.average as f32) < 1.0;
        number("average", self.average, decay, "0 (off) or a decay below 1, as a 32-bit float")?;
        check_norms(self.norm, self.discriminator_norm(), self.r1)?;
        weights(&[("r1", self.r1)])?;
        self.check_schedule()?;
        let fraction = "a fraction from 0 to below 1";
        number("slope", self.slope, (0.0..=1.0).contains(&self.slope), "one from 0 (ReLU) to 1")?;
        number("holdout", self.holdout, (0.0..1.0).contains(&self.holdout), fraction)?;
        number("rotate", self.rotate, (0.0..=180.0).contains(&self.rotate), "degrees from 0 to 180")?;
        number("stretch", self.stretch, (0.0..1.0).contains(&self.stretch), fraction)
    }

    fn check_schedule(&self) -> Result<()> {
        match (self.decay_from, self.schedule) {
            (Some(from), Schedule::Constant | Schedule::Cosine) => Err(Error::Setting {
                name: "decay_from",
                problem: format!(
                    "decay_from is {from}, but only the linear schedule has such a step; choose `schedule` linear, or leave it out"
                ),
            }),
            _ => Ok(()),
        }
    }
}
