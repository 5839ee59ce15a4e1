//! `mewgan export onnx`

use crate::cli::{Done, Normalise, Target, has_extension, say};
use crate::data::NoiseKind;
use crate::models::Kind;
use crate::models::cyclegan::networks::DOWNSAMPLINGS;
use crate::models::cyclegan::{CycleGanConfig, Domain, SMALLEST};
use crate::models::dcgan::DcganConfig;
use crate::models::pix2pix::Pix2PixConfig;
use crate::nn::torch::TorchTensor;
use crate::nn::{Network, NormMode};
use crate::onnx::proto::Size::{self, Fixed, Free};
use crate::onnx::{Export, Port, Sides};
use crate::train::checkpoint::Checkpoint;
use crate::train::config::RunConfig;
use crate::{Error, Result, file};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub struct Onnx {
    /// The run's folder, or a checkpoint file.
    run: PathBuf,
    /// The file to write.
    #[arg(long, value_name = "FILE.onnx")]
    out: PathBuf,
    /// CycleGAN: which generator, by the dataset it translates to.
    #[arg(long, value_enum)]
    to: Option<Target>,
    /// Statistics for batch norm: those of the images computed together, or the running statistics [default: as mewgan
    /// sample and mewgan translate].
    #[arg(long)]
    statistics: Option<Normalise>,
    /// Step of the checkpoint [default: the newest].
    #[arg(long, value_name = "STEP")]
    checkpoint: Option<u64>,
}

/// What becomes of an image of any size.
fn any_size(Sides { multiple, least }: Sides) -> String {
    let from = if least > multiple { format!(", {least} or more,") } else { String::new() };
    format!("sides are mirrored to multiples of {multiple}{from} and cropped back")
}

impl Onnx {
    pub fn run(self) -> Done {
        let run = self.run.display();
        if !has_extension(&self.out, "onnx") {
            return Err(Error::Input(format!(
                "{}: an ONNX file's name ends in .onnx; choose another --out",
                self.out.display()
            )));
        }
        let checkpoint = Checkpoint::of_run(&self.run, self.checkpoint)?;
        let (bytes, words) = match (Kind::of_checkpoint(&checkpoint)?, self.to) {
            (Kind::CycleGan, Some(to)) => translator(&checkpoint, to.into(), self.statistics)?,
            (Kind::CycleGan, None) => {
                return Err(Error::Input(format!(
                    "{run}: a CycleGAN has two generators; choose one with --to y or --to x"
                )));
            }
            (Kind::Pix2Pix, None) => unet(&checkpoint, self.statistics)?,
            (Kind::Dcgan, None) => generator(&checkpoint, self.statistics)?,
            (kind @ (Kind::Dcgan | Kind::Pix2Pix), Some(_)) => {
                return Err(Error::Input(format!(
                    "{run}: a {} has one generator; leave out --to",
                    kind.title()
                )));
            }
        };
        file::write_atomic(&self.out, &bytes)?;
        say(format_args!("{words} of step {}, in {}", checkpoint.step(), self.out.display()));
        Ok(ExitCode::SUCCESS)
    }
}

/// A DCGAN's generator, and what it is in words.
fn generator(checkpoint: &Checkpoint, statistics: Option<Normalise>) -> Result<(Vec<u8>, String)> {
    let config: DcganConfig = checkpoint.config()?;
    let (model, average) = (config.dcgan()?, config.common.keeps_average());
    let statistics = statistics.map_or(NormMode::Batch, Into::into);
    let noise = match config.noise {
        NoiseKind::Uniform => "uniform from -1 to 1",
        NoiseKind::Normal => "normal, mean 0 and deviation 1",
    };
    let channels = fixed(config.common.channels);
    let [height, width] = config.common.size.extents().map(fixed);
    let export = Export {
        network: &model.generator,
        weights: checkpoint.state_dict(&model, &model.generator, average)?,
        statistics,
        input: Port {
            name: "noise",
            extents: [Free("batch".into()), fixed(config.noise_size), Fixed(1), Fixed(1)],
            meaning: format!("independent numbers: {noise}"),
        },
        output: Port {
            name: "images",
            extents: [Free("batch".into()), channels, height, width],
            meaning: format!(
                "{}, from -1 to 1: 127.5 * (1 + value) is a byte",
                colours(config.common.channels)
            ),
        },
        sides: None,
        about: format!("DCGAN's generator, step {}. {}", checkpoint.step(), says(statistics)),
        metadata: metadata(checkpoint, &config, statistics, average)?,
    };
    let words = format!("the generator, normalising by {}, weights {},", by(statistics), of(average));
    Ok((export.bytes()?, words))
}

/// The generator to a set of a CycleGAN, and what it is in words.
fn translator(
    checkpoint: &Checkpoint,
    to: Domain,
    statistics: Option<Normalise>,
) -> Result<(Vec<u8>, String)> {
    let config: CycleGanConfig = checkpoint.config()?;
    let model = config.cyclegan()?;
    let network = model.generator(to);
    let statistics = statistics.map_or(NormMode::Running, Into::into);
    let translator = Images {
        network,
        weights: checkpoint.state_dict(&model, network, config.common.keeps_average())?,
        statistics,
        channels: [to.other(), to].map(|domain| config.channels(domain)),
        sides: Sides { multiple: 1 << DOWNSAMPLINGS, least: SMALLEST },
        about: format!("CycleGAN's {}", network.name),
    };
    translator.export(checkpoint, &config)
}

/// The generator of a pix2pix, and what it is in words. It drops nothing.
fn unet(checkpoint: &Checkpoint, statistics: Option<Normalise>) -> Result<(Vec<u8>, String)> {
    let config: Pix2PixConfig = checkpoint.config()?;
    let model = config.pix2pix()?;
    let side = 1 << config.depth();
    let translator = Images {
        network: &model.generator,
        weights: checkpoint.state_dict(&model, &model.generator, config.common.keeps_average())?,
        statistics: statistics.map_or_else(|| config.statistics(), Into::into),
        channels: model.channels,
        sides: Sides { multiple: side, least: side },
        about: "pix2pix's generator, without dropout".into(),
    };
    translator.export(checkpoint, &config)
}

/// A network from images to images.
struct Images<'a> {
    network: &'a Network,
    weights: Vec<TorchTensor>,
    statistics: NormMode,
    /// Read and written.
    channels: [usize; 2],
    sides: Sides,
    about: String,
}

impl Images<'_> {
    fn export<C: RunConfig>(self, checkpoint: &Checkpoint, config: &C) -> Result<(Vec<u8>, String)> {
        let Self { network, weights, statistics, channels, sides, about } = self;
        let (average, any_size) = (config.common().keeps_average(), any_size(sides));
        let extents = |channels: usize| {
            [Free("batch".into()), fixed(channels), Free("height".into()), Free("width".into())]
        };
        let [from, to] = channels.map(colours);
        let export = Export {
            network,
            weights,
            statistics,
            input: Port {
                name: "image",
                extents: extents(channels[0]),
                meaning: format!("{from}, from -1 to 1: byte / 127.5 - 1; any height and width"),
            },
            output: Port {
                name: "translation",
                extents: extents(channels[1]),
                meaning: format!("{to}, from -1 to 1: 127.5 * (1 + value) is a byte"),
            },
            sides: Some(sides),
            about: format!(
                "{about}, step {}. {} Images have any size: {any_size}.",
                checkpoint.step(),
                says(statistics)
            ),
            metadata: metadata(checkpoint, config, statistics, average)?,
        };
        let words = format!(
            "{}, for images of any size ({any_size}), normalising by {}, weights {},",
            network.name,
            by(statistics),
            of(average)
        );
        Ok((export.bytes()?, words))
    }
}

fn fixed(extent: usize) -> Size {
    Fixed(extent as i64)
}

fn colours(channels: usize) -> &'static str {
    match channels {
        1 => "grey",
        3 => "red, green, blue",
        _ => "red, green, blue, opacity",
    }
}

fn says(statistics: NormMode) -> &'static str {
    match statistics {
        NormMode::Batch | NormMode::Synced { .. } => {
            "Batch norms normalise by the images computed together, which thus depend on each other."
        }
        NormMode::Running => {
            "Batch norms normalise by running statistics: each image depends on its own input alone."
        }
    }
}

const fn by(statistics: NormMode) -> &'static str {
    match statistics {
        NormMode::Batch | NormMode::Synced { .. } => "the images computed together (--statistics batch)",
        NormMode::Running => "running statistics (--statistics running)",
    }
}

const fn of(average: bool) -> &'static str {
    if average { "averaged" } else { "as trained" }
}

/// What the file says about the run.
fn metadata<C: RunConfig>(
    checkpoint: &Checkpoint,
    config: &C,
    statistics: NormMode,
    average: bool,
) -> Result<Vec<(&'static str, String)>> {
    let statistics = match statistics {
        NormMode::Batch | NormMode::Synced { .. } => "batch",
        NormMode::Running => "running",
    };
    Ok(vec![
        ("kind", C::KIND.into()),
        ("step", checkpoint.step().to_string()),
        ("statistics", statistics.into()),
        ("weights", if average { "average" } else { "trained" }.into()),
        ("config", config.to_toml()?),
    ])
}
