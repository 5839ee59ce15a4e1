//! What is told of a sign of trouble: which, of what, since when, and what to try.

use std::fmt::{Display, Formatter};

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Diagnostic {
    /// A discriminator is right about nearly every image.
    Wins,
    /// A discriminator is right no more often than by guessing.
    Chance,
    /// Samples look alike.
    Collapse,
    /// A network's gradients are too small to train it.
    Vanishing,
    /// Samples are as near to training images as copies.
    Copies,
}

impl Diagnostic {
    /// So many observations in a row must show it.
    pub(super) const fn patience(self) -> usize {
        match self {
            // Taken over many logs already.
            Self::Wins | Self::Chance => 1,
            Self::Vanishing => 2,
            Self::Collapse | Self::Copies => 3,
        }
    }

    /// What to try.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Wins => "try --diffaugment color,translation,cutout, a lower --d-lr, or --d-norm spectral",
            Self::Chance => "try a higher --d-lr, a larger --d-width, a lower --g-lr, or less --diffaugment",
            Self::Collapse => "try a lower --g-lr, a larger --batch, or --r1 1 --d-norm none",
            Self::Vanishing => "try a lower --lr, --slope 0.2, or --loss hinge",
            Self::Copies => {
                "stop earlier, or try more images, --augment deluxe, or --diffaugment color,translation,cutout"
            }
        }
    }

    /// What it is, told of a discriminator, a sheet of samples or a network by name.
    fn words(self, of: &str) -> String {
        let discriminator = || if of.is_empty() { "the discriminator".to_owned() } else { format!("D_{of}") };
        let samples = || if of.is_empty() { "samples".to_owned() } else { format!("samples of {of}") };
        match self {
            Self::Wins => format!("{} always wins", discriminator()),
            Self::Chance => format!("{} is no better than chance", discriminator()),
            Self::Collapse => format!("collapse: {} look alike", samples()),
            Self::Vanishing => format!("vanishing gradients: {of} hardly learns"),
            Self::Copies => format!("{} are copies of training images", samples()),
        }
    }
}

/// A sign of trouble.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which.
    pub sign: Diagnostic,
    /// What it is a sign of, as figures are named: a domain, a sheet, a network; empty where there is only one.
    pub of: String,
    /// The first step that shows it.
    pub since: u64,
    /// The step at which it was told.
    pub step: u64,
    /// The step at which it was over.
    pub until: Option<u64>,
    /// What shows it.
    pub evidence: String,
}

impl Finding {
    /// What it is, in a few words.
    pub fn name(&self) -> String {
        self.sign.words(&self.of)
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { sign, since, step, until, evidence, .. } = self;
        write!(f, "step {step}: {} ({evidence}, since step {since}", self.name())?;
        match until {
            Some(until) => write!(f, " and until {until}); {}", sign.advice()),
            None => write!(f, "); {}", sign.advice()),
        }
    }
}
