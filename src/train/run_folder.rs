//! What a run keeps on disk, and under which names.

use super::config::{LONGEST, MODEL, Record, RunConfig};
use crate::file;
use crate::report::tensorboard;
use crate::spelling::quoted;
use crate::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const SAMPLES: &str = "samples";
const CHECKPOINTS: &str = "checkpoints";
const PROGRESS: &str = "progress";
const GIF: &str = "gif";
const PNG: &str = "png";
const SAFETENSORS: &str = "safetensors";

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder `out`, or the next free `runs/<kind>-<n>`.
    ///
    /// # Errors
    /// If `out` is there already and not empty, or cannot be made.
    pub fn create(out: Option<&Path>, kind: &str) -> Result<Self> {
        let path = match out {
            Some(path) => path.to_path_buf(),
            None => next_free(Path::new("runs"), kind)?,
        };
        Self::check_is_free(&path)?;
        fs::create_dir_all(&path).map_err(Error::io(&path))?;
        Ok(Self { path })
    }

    /// The folder that another rank has made.
    pub(super) fn named(path: &Path) -> Self {
        Self { path: path.to_path_buf() }
    }

    /// Keeps other processes from training in the folder for as long as what it returns lives, or this process; nothing
    /// where the system locks no folders.
    ///
    /// # Errors
    /// If another process trains in it.
    pub fn lock(&self) -> Result<Option<File>> {
        let folder = File::open(&self.path).ok();
        match folder.as_ref().map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) => Err(Error::Input(format!(
                "{}: another process is training in it; wait for its end, or stop it",
                self.path.display()
            ))),
            _ => Ok(folder),
        }
    }

    /// Makes the folder ready for a run of these settings. They come first: from then on it is a run's, and can be gone on
    /// with. What a process that was killed has left half written goes.
    ///
    /// # Errors
    /// If a file cannot be written or removed.
    pub fn prepare(&self, config: &impl RunConfig, record: &Record) -> Result<()> {
        let record = toml::to_string(record)
            .map_err(|error| Error::Input(format!("what is kept of a run: {error}")))?;
        let parts = [config.to_toml()?, record];
        let parts = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>();
        file::write_atomic(&self.config_path(), parts.join("\n").as_bytes())?;
        let mut partial: Vec<_> = self.files().iter().map(|path| file::partial(path)).collect();
        let animations = partials(&self.path)?.into_iter();
        partial.extend(animations.filter(|path| is_sheet(&path.with_extension(""), PROGRESS, GIF)));
        for folder in [SAMPLES, CHECKPOINTS] {
            let folder = self.path.join(folder);
            fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
            partial.extend(partials(&folder)?);
        }
        partial.into_iter().try_for_each(remove)
    }

    /// The folder of a run that was started before.
    ///
    /// # Errors
    /// If there is no such folder, or it is none of a run.
    pub fn open(path: &Path) -> Result<Self> {
        let run = Self { path: path.to_path_buf() };
        if !path.is_dir() {
            return Err(Error::Input(format!("{}: no such folder; pass a run's folder", path.display())));
        }
        if !run.config_path().is_file() {
            return Err(Error::Input(format!(
                "{}: not a run's folder (it has no config.toml); pass one that training has made",
                path.display()
            )));
        }
        Ok(run)
    }

    /// The folder of the run that a checkpoint lies in; none where it lies elsewhere.
    pub fn of_checkpoint(path: &Path) -> Option<Self> {
        let path = std::path::absolute(path).ok()?;
        Self::open(path.parent()?.parent()?).ok()
    }

    /// Removes what a run leaves, and nothing else. Its settings stay until those of the next run replace them: without them
    /// it would be no run's folder any more, and not free either.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn clear(&self) -> Result<()> {
        let mut files = self.files();
        files.extend(tensorboard::files(&self.path)?);
        files.extend(self.checkpoints()?.into_iter().map(|(_, path)| path));
        files.extend(entries(&self.path)?.into_iter().filter(|path| is_sheet(path, PROGRESS, GIF)));
        let samples = entries(&self.path.join(SAMPLES))?.into_iter();
        files.extend(samples.filter(|path| {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let step = stem.split('-').next().unwrap_or_default();
            step.parse::<u64>().is_ok() && is_sheet(path, step, PNG)
        }));
        files.into_iter().try_for_each(remove)
    }

    /// What a run may leave in the folder itself beside its settings.
    fn files(&self) -> Vec<PathBuf> {
        vec![
            self.kernels_path(),
            self.split_path(),
            self.starts_path(),
            self.metrics_path(),
            self.losses_path(),
            self.report_path(),
            self.evaluation_path(),
        ]
    }

    /// Whether a run can be made in `path`. Settings half written are in nobody's way: a run was killed before it began.
    ///
    /// # Errors
    /// If it is there already and not empty.
    pub fn check_is_free(path: &Path) -> Result<()> {
        let run = Self { path: path.to_path_buf() };
        let begun = file::partial(&run.config_path());
        let filled = match fs::read_dir(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            entries => {
                entries.map_err(Error::io(path))?.any(|entry| !entry.is_ok_and(|entry| entry.path() == begun))
            }
        };
        let path = path.display();
        match (filled, run.config_path().is_file()) {
            (false, _) => Ok(()),
            (true, true) => Err(Error::Input(format!(
                "{path}: already contains a run; choose another `out`, or continue it: `resume {path}`"
            ))),
            (true, false) => Err(Error::Input(format!("{path}: not empty; choose another `out`"))),
        }
    }

    /// Where the run is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The merged settings, and a [`Record`] of the run.
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// The kernels that a run on a GPU goes on with.
    pub fn kernels_path(&self) -> PathBuf {
        self.path.join("kernels.json")
    }

    /// Which images are trained on, and which are held out.
    pub fn split_path(&self) -> PathBuf {
        self.path.join("images.json")
    }

    /// What the run ran on, each time it started or went on.
    pub fn starts_path(&self) -> PathBuf {
        self.path.join("starts.json")
    }

    /// Losses and speed, a line each time they were looked at.
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// The losses' curves.
    pub fn losses_path(&self) -> PathBuf {
        self.path.join("losses.svg")
    }

    /// The page that shows the run.
    pub fn report_path(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// The figures of the checkpoint that was judged last.
    pub fn evaluation_path(&self) -> PathBuf {
        self.path.join("evaluation.json")
    }

    /// The samples of a sheet, one after another.
    pub fn progress_path(&self, sheet: &str) -> PathBuf {
        self.path.join(format!("{PROGRESS}{}.{GIF}", suffix('-', sheet)))
    }

    /// A sheet of samples of a step: the sample grid (no name), or one of several by name, such as `XtoY`.
    pub fn sample_path(&self, step: u64, sheet: &str) -> PathBuf {
        self.path.join(SAMPLES).join(format!("{step:06}{}.{PNG}", suffix('-', sheet)))
    }

    /// The checkpoint of a step.
    pub fn checkpoint_path(&self, step: u64) -> PathBuf {
        self.path.join(CHECKPOINTS).join(format!("{step:06}.{SAFETENSORS}"))
    }

    /// The samples of a sheet by step.
    ///
    /// # Errors
    /// If their folder cannot be read.
    pub fn samples(&self, sheet: &str) -> Result<Vec<(u64, PathBuf)>> {
        by_step(&self.path.join(SAMPLES), &suffix('-', sheet), PNG)
    }

    /// Checkpoints by step.
    ///
    /// # Errors
    /// If their folder cannot be read.
    pub fn checkpoints(&self) -> Result<Vec<(u64, PathBuf)>> {
        by_step(&self.path.join(CHECKPOINTS), "", SAFETENSORS)
    }

    /// Gives a checkpoint that cannot be read another name, so that nothing counts or takes it.
    ///
    /// # Errors
    /// If it cannot be renamed.
    pub fn quarantine(&self, checkpoint: &Path) -> Result<()> {
        fs::rename(checkpoint, unreadable(checkpoint)).map_err(Error::io(checkpoint))
    }

    /// Removes all checkpoints before `step` but the newest `keep` of them.
    ///
    /// # Errors
    /// If one cannot be removed.
    pub fn prune(&self, step: u64, keep: usize) -> Result<()> {
        let mut before = self.checkpoints()?;
        before.retain(|(at, _)| *at < step);
        before.truncate(before.len().saturating_sub(keep));
        before.into_iter().try_for_each(|(_, path)| remove(path))
    }

    /// The model that is trained here, by its name. Settings of earlier versions do not say: CycleGAN's name two sets of images,
    /// DCGAN's one.
    ///
    /// # Errors
    /// If the settings cannot be read.
    pub fn kind(&self) -> Result<String> {
        let path = self.config_path();
        let settings: toml::Table = toml::from_str(&file::text(&path, LONGEST)?)
            .map_err(|error| Error::Input(format!("{}: {}", path.display(), quoted(error))))?;
        Ok(match settings.get(MODEL) {
            Some(model) => model.as_str().unwrap_or_default().to_owned(),
            None if settings.contains_key("x") || settings.contains_key("y") => "cyclegan".into(),
            None => "dcgan".into(),
        })
    }
}

fn next_free(runs: &Path, kind: &str) -> Result<PathBuf> {
    fs::create_dir_all(runs).map_err(Error::io(runs))?;
    for number in 1_u64.. {
        let path = runs.join(format!("{kind}-{number}"));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io(path)(error)),
        }
    }
    Err(Error::Input(format!("{}: no free name is left in it; choose `out`", runs.display())))
}

/// The name of a checkpoint that was set aside.
pub(super) fn unreadable(checkpoint: &Path) -> PathBuf {
    checkpoint.with_extension(format!("{SAFETENSORS}.unreadable"))
}

/// Removes a file that may not be there.
fn remove(path: PathBuf) -> Result<()> {
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => Ok(()),
    }
}

/// What is in a folder; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::io(folder))?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<std::io::Result<_>>().map_err(Error::io(folder))
}

/// Whether a file is called `<start>.<extension>`, or `<start>-<sheet>.<extension>` after a sheet.
fn is_sheet(path: &Path, start: &str, extension: &str) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let sheet = stem.and_then(|stem| stem.strip_prefix(start));
    let named = |sheet: &str| {
        sheet.strip_prefix('-').is_some_and(|name| name.chars().all(|letter| letter.is_ascii_alphanumeric()))
    };
    path.extension().is_some_and(|found| found == extension)
        && sheet.is_some_and(|sheet| sheet.is_empty() || named(sheet))
}

/// What [`file::write_atomic`] left half written in a folder.
fn partials(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = entries(folder)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == file::PARTIAL));
    Ok(paths)
}

/// What the names of a sheet's files and figures end with; nothing where there is only one sheet.
pub(super) fn suffix(separator: char, sheet: &str) -> String {
    if sheet.is_empty() { String::new() } else { format!("{separator}{sheet}") }
}

/// The files `<step><suffix>.<extension>` of a folder, in the order of their steps; none where there is no folder.
fn by_step(folder: &Path, suffix: &str, extension: &str) -> Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let step = stem.and_then(|stem| stem.strip_suffix(suffix)).and_then(|stem| stem.parse().ok());
        if let (Some(step), true) = (step, path.extension().is_some_and(|found| found == extension)) {
            files.push((step, path));
        }
    }
    files.sort();
    Ok(files)
}
