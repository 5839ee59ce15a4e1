//! `mewgpu export`

mod web;

use super::Done;
use clap::Subcommand;

/// What a run becomes for other programs.
#[derive(Subcommand)]
pub enum Export {
    /// A static site that runs the generator in browsers, by WebGPU; a DCGAN's page can go on training too.
    Web(web::Web),
}

impl Export {
    pub fn run(self) -> Done {
        match self {
            Self::Web(web) => web.run(),
        }
    }
}
