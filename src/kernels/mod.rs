//! Every kernel by itself: what it says of itself, and its text as lowering makes it for a shape, in WGSL and in what naga
//! makes of that for a driver.

mod cases;
mod example;
mod header;
mod language;
mod written;

pub use example::{Example, KernelVariant, Settings};
pub use header::Header;
pub use language::{Language, translate};
pub use written::{KernelListing, Request, write};

use crate::Result;
use crate::gpu::lower::{Form, Matrix, TILES, Variant};
use crate::gpu::preprocess;
use serde::Serialize;
use std::collections::BTreeSet;

/// A kernel, as `mewgan kernels` lists it.
#[derive(Clone, Debug, Serialize)]
pub struct Kernel {
    /// `family/kernel`.
    pub name: String,
    /// Where its source is.
    pub path: String,
    /// What it says of itself.
    pub header: Header,
    /// The operations that show it.
    pub ops: Vec<&'static str>,
    /// What one invocation or workgroup may compute, where there is a choice.
    pub variants: Vec<String>,
}

/// All kernels, those of a family side by side.
///
/// # Errors
/// If a kernel's text cannot be made (an error in this crate).
pub fn all() -> Result<Vec<Kernel>> {
    let mut ways = Vec::new();
    for example in example::all() {
        let own = example.ways(&example.own_shapes(), &Settings::DEFAULT)?;
        ways.extend(own.into_iter().map(|way| (example.name, way)));
    }
    let kernel = |name: String| {
        let uses = |(_, way): &&(&str, KernelVariant)| way.kernels().contains(&name.as_str());
        let mut ops: Vec<&str> = ways.iter().filter(uses).map(|(op, _)| *op).collect();
        ops.dedup();
        let mut variants = Vec::new();
        for form in ways.iter().filter(uses).filter_map(|(_, way)| Some(way.variant?.form)) {
            let all = match form {
                Form::Direct { .. } if name.ends_with("_direct") => vec![whole(form)],
                Form::Narrow { .. } if name.ends_with("_narrow") => vec![whole(form)],
                Form::Tiled(_) if name.ends_with("_tiled") => {
                    TILES.map(|tile| whole(Form::Tiled(tile))).into()
                }
                Form::Matrix(matrix) if name.ends_with("_tiled") => {
                    Matrix::all(matrix.units).map(|tile| whole(Form::Matrix(tile))).into()
                }
                Form::Direct { .. } | Form::Narrow { .. } | Form::Tiled(_) | Form::Matrix(_) => vec![],
            };
            variants.extend(all);
        }
        let mut seen = BTreeSet::new();
        variants.retain(|variant| seen.insert(variant.clone()));
        Ok(Kernel {
            path: format!("shaders/{name}.wgsl"),
            header: Header::of(preprocess::source(&name)?),
            ops,
            variants,
            name,
        })
    };
    preprocess::kernels().into_iter().map(kernel).collect()
}

/// A form without the number of its parts.
fn whole(form: Form) -> String {
    Variant { form, split_k: 1 }.to_string()
}

impl KernelVariant {
    /// Its kernels, in the order of their dispatches.
    fn kernels(&self) -> Vec<&str> {
        self.program.dispatches.iter().map(|dispatch| self.program.kernel(dispatch)).collect()
    }
}
