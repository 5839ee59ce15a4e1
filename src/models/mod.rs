//! The models that can be trained, a folder each: networks, settings, steps, phases, sample sheets, evaluation.
//!
//! A model more is a folder with an implementation of [`Model`], and a row in the list below; what
//! else has to know of it, the compiler names.

pub mod adversaries;
pub mod cyclegan;
pub mod dcgan;
pub mod pix2pix;
pub mod system;
pub mod translation;

use crate::device::Device;
use crate::evaluate::Figure;
use crate::train::checkpoint::Checkpoint;
use crate::train::config::{ModelSettings, RunConfig};
use crate::train::evaluation::Judging;
use crate::train::model::Model;
use crate::train::preparation::Preparation;
use crate::train::run_folder::RunFolder;
use crate::{Error, Result};
#[cfg(feature = "report")]
use crate::{report::page, train::reporting};
#[cfg(feature = "report")]
use std::path::Path;

/// From the list of models: [`Kind`], and the macro `with_model!` that has a type stand for a kind's model.
macro_rules! models {
    ($dollar:tt $( $(#[doc = $doc:literal])* $kind:ident => $model:path, )*) => {
        /// Which model is meant.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $( $(#[doc = $doc])* $kind, )*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$( Self::$kind, )*];
        }

        /// `with_model!(kind, M => ..)`: the expression, with `M` the kind's [`Model`].
        macro_rules! with_model {
            ($dollar kind:expr, $dollar model:ident => $dollar work:expr) => {
                match $dollar kind {
                    $( $crate::models::Kind::$kind => {
                        type $dollar model = $model;
                        $dollar work
                    } )*
                }
            };
        }
    };
}

models! { $
    /// From noise to images.
    Dcgan => crate::models::dcgan::Dcgan,
    /// From one set of images to another, and back.
    CycleGan => crate::models::cyclegan::CycleGan,
    /// From images of one set to their partners in another.
    Pix2Pix => crate::models::pix2pix::Pix2Pix,
}
pub(crate) use with_model;

/// The settings of a model.
type Config<M> = <M as Model>::Config;

/// The settings of a model as given: each may be missing.
pub type Settings<M> = <Config<M> as RunConfig>::Settings;

impl Kind {
    /// Its name in settings, checkpoints and on the command line.
    pub fn name(self) -> &'static str {
        with_model!(self, M => Config::<M>::KIND)
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        with_model!(self, M => M::NAME)
    }

    /// The kind of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|kind| kind.name() == name).copied();
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            Error::Input(format!("no model named {name}; there are {}", names.join(", ")))
        })
    }

    /// What is trained in `folder`.
    ///
    /// # Errors
    /// If its settings cannot be read, or name no model.
    pub fn of_run(folder: &RunFolder) -> Result<Self> {
        Self::named(&folder.kind()?).map_err(|error| error.of_file(&folder.config_path()))
    }

    /// What `checkpoint` is of.
    ///
    /// # Errors
    /// If it names no model.
    pub fn of_checkpoint(checkpoint: &Checkpoint) -> Result<Self> {
        let kind = checkpoint.kind();
        Self::named(kind).map_err(|_| {
            let names: Vec<String> = Self::ALL.iter().map(|kind| format!("{:?}", kind.name())).collect();
            checkpoint.failed(format!("a checkpoint of kind {kind:?}; expected {}", names.join(" or ")))
        })
    }
}

/// The model that has a setting `name` of its own, where the one called `but` has not.
pub(crate) fn whose(name: &str, but: &str) -> Option<&'static str> {
    let has = |kind: &Kind| with_model!(*kind, M => Settings::<M>::OWN.contains(&name));
    let having = || Kind::ALL.iter().filter(|kind| has(kind)).map(|kind| kind.name());
    if having().any(|kind| kind == but) { None } else { having().next() }
}

/// Judges a checkpoint of any model by figures; `watch` hears how images are made ready.
///
/// # Errors
/// If the checkpoint, its images or the device cannot be used, or the judging asks for what the model does not have.
pub fn evaluate(
    checkpoint: &Checkpoint,
    device: &Device,
    judging: &Judging,
    watch: &dyn Preparation,
) -> Result<Vec<Figure>> {
    with_model!(Kind::of_checkpoint(checkpoint)?, M => M::evaluate(checkpoint, device, judging, watch))
}

/// Makes losses, animations and page of the run in `folder` again.
///
/// # Errors
/// The first thing that could not be made.
#[cfg(feature = "report")]
pub fn redraw(folder: &RunFolder) -> Result<()> {
    let failed = with_model!(Kind::of_run(folder)?, M => reporting::redraw::<M>(folder));
    failed.into_iter().next().map_or(Ok(()), Err)
}

/// Writes a page that shows `runs`, each under its name, side by side.
///
/// # Errors
/// If a run cannot be read or the page not be written.
#[cfg(feature = "report")]
pub fn side_by_side(
    title: &str,
    introduction: &str,
    runs: &[(String, RunFolder)],
    path: &Path,
) -> Result<()> {
    let shown = |(name, folder): &(String, RunFolder)| -> Result<page::Run> {
        with_model!(Kind::of_run(folder)?, M => reporting::beside::<M>(name, folder, runs.len()))
    };
    let runs = runs.iter().map(shown).collect::<Result<_>>()?;
    reporting::side_by_side(title, introduction, runs, path)
}
