//! `mewgpu export`

mod csv;

use super::Done;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Export {
    /// What a run measured, as CSV: a row a step, a column a figure.
    Csv(csv::Csv),
}

impl Export {
    pub fn run(self) -> Done {
        match self {
            Self::Csv(csv) => csv.run(),
        }
    }
}
