//! What can go wrong, and what to do about it.

use std::path::{Path, PathBuf};

/// Every failure a caller can meet. The text names the thing and, where there is one, the remedy: a setting by its field in
/// backticks, as in "use a smaller `batch`", of which the command line makes its flag.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A graph node whose operands do not fit: the op, the shapes it was given, what it expects.
    #[error("{op}: {problem}")]
    Graph {
        /// The op's name as PyTorch spells it.
        op: &'static str,
        /// Shapes given and shapes expected.
        problem: String,
    },
    /// A program that would compute something else than its step: a fault of this crate.
    #[error("{step}: {problem}; this is a fault of mewgan, please report it with the graph")]
    Lowering {
        /// The step.
        step: String,
        /// What is wrong with its program.
        problem: String,
    },
    /// A program from outside, a file say, that cannot run.
    #[error("program {program}: {problem}; lower its step again")]
    Program {
        /// Its name.
        program: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A setting whose value cannot be, by itself or beside the others.
    #[error("{problem}")]
    Setting {
        /// Its field, such as `d_norm`.
        name: &'static str,
        /// Its value, and what can be chosen.
        problem: String,
    },
    /// More memory is needed than the machine or a limit allows: how much, and what would fit.
    #[error("{0}")]
    Memory(String),
    /// An input that cannot be used as given.
    #[error("{0}")]
    Input(String),
    /// A file or folder that could not be read or written.
    #[error("{path}: {source}{}", remedy(source))]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Images of a set that could not be decoded.
    #[error(
        "{set}: {} of {count} images cannot be read: {}; fix or remove them, or set `skip_bad` to skip them",
        bad.len(),
        named(bad)
    )]
    Images {
        /// The folder or bundled set.
        set: String,
        /// How many images it has.
        count: usize,
        /// Each file, and what the decoder said.
        bad: Vec<(PathBuf, String)>,
    },
    /// An image to translate that could not be decoded.
    #[error("{path}: not a readable image ({problem}); fix it, or set `skip_bad` to skip it")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the decoder said.
        problem: String,
    },
    /// A checkpoint that does not fit the run it is loaded into.
    #[error("{path}: {problem}")]
    Checkpoint {
        /// Which file.
        path: PathBuf,
        /// What is missing, unexpected or damaged.
        problem: String,
    },
    /// An operation whose result has an infinity or NaN in it, though its operands have none.
    #[error("{op} of {step} gives {value} in its {shape:?}")]
    NotFinite {
        /// The operation's name.
        op: String,
        /// The step it is part of.
        step: String,
        /// The first such number: inf, -inf or NaN.
        value: f64,
        /// The result's shape.
        shape: [usize; 4],
    },
    /// Losses or weights that are no numbers any more.
    #[error(
        "step {step}: training diverged ({problem}); try a lower `lr`, or another `loss` or `norm`{checkpoint}"
    )]
    Diverged {
        /// After which step.
        step: u64,
        /// Which values are not finite.
        problem: String,
        /// What is kept of the run, in words that continue the sentence.
        checkpoint: String,
    },
    /// The state of a run's last step that could not be written to its folder.
    #[error("step {step}: its checkpoint could not be written ({problem}); {kept}")]
    Unsaved {
        /// After which step.
        step: u64,
        /// What failed, and where.
        problem: String,
        /// What is kept of the run, and how to go on from that.
        kept: String,
    },
    /// Processes that train together and do not agree, or cannot reach each other.
    #[error("{0}")]
    Ranks(String),
    /// The device is missing, too small, or failed.
    #[error("{0}")]
    Device(String),
}

/// So many files are named one by one.
const NAMED: usize = 8;

fn named(bad: &[(PathBuf, String)]) -> String {
    let of = |(path, problem): &(PathBuf, String)| format!("{} ({problem})", path.display());
    let mut words: Vec<String> = bad.iter().take(NAMED).map(of).collect();
    words.extend((bad.len() > NAMED).then(|| format!("and {} more", bad.len() - NAMED)));
    words.join(", ")
}

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What helps against a file error, in words that continue the sentence.
fn remedy(source: &std::io::Error) -> &'static str {
    use std::io::ErrorKind as Kind;
    match source.kind() {
        Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => "; free some space",
        Kind::ReadOnlyFilesystem => "; choose a place that can be written",
        Kind::PermissionDenied => "; choose another place, or change its permissions",
        _ => "",
    }
}

impl Error {
    /// This error of something in `file`.
    pub(crate) fn of_file(self, file: &Path) -> Self {
        let file = file.display();
        match self {
            Self::Setting { name, problem } => Self::Setting { name, problem: format!("{file}: {problem}") },
            error => Self::Input(format!("{file}: {error}")),
        }
    }

    /// An [`Error::Io`] for `path`, for use with `map_err`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
