//! Every kernel by itself: what it says of itself, and its text as lowering makes it for a shape, in WGSL and in what naga
//! makes of that for a driver.

mod cases;
mod example;
mod header;
mod language;

pub use example::{Example, Settings, Way};
pub use header::Header;
pub use language::{Language, translate};

use crate::gpu::lower::{Form, TILES, Variant};
use crate::gpu::preprocess;
use crate::gpu::program::Dispatch;
use crate::shape::Shape;
use crate::{Error, Result, spelling};
use serde::Serialize;
use std::collections::BTreeSet;

/// A kernel, as `mewgpu kernels` lists it.
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
        let uses = |(_, way): &&(&str, Way)| way.kernels().contains(&name.as_str());
        let mut ops: Vec<&str> = ways.iter().filter(uses).map(|(op, _)| *op).collect();
        ops.dedup();
        let mut variants = Vec::new();
        for form in ways.iter().filter(uses).filter_map(|(_, way)| Some(way.variant?.form)) {
            let all = match form {
                Form::Direct { .. } if name.ends_with("_direct") => vec![whole(form)],
                Form::Tiled(_) if name.ends_with("_tiled") => {
                    TILES.map(|tile| whole(Form::Tiled(tile))).into()
                }
                Form::Direct { .. } | Form::Tiled(_) => vec![],
            };
            variants.extend(all);
        }
        let mut seen = BTreeSet::new();
        variants.retain(|variant| seen.insert(variant.clone()));
        Ok(Kernel {
            path: format!("shaders/{name}.wgsl"),
            header: Header::of(&preprocess::source(&name)?),
            ops,
            variants,
            name,
        })
    };
    preprocess::kernels().into_iter().map(kernel).collect()
}

/// A form without the number of its parts.
fn whole(form: Form) -> String {
    Variant { form, parts: 1 }.to_string()
}

impl Way {
    /// Its kernels, in the order of their dispatches.
    fn kernels(&self) -> Vec<&str> {
        self.program.dispatches.iter().map(|dispatch| self.program.kernel(dispatch)).collect()
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// A kernel, with or without its family, or an operation.
    pub name: String,
    /// The shapes of the operation's operands, where they are not to be its own.
    pub shapes: Option<Vec<Shape>>,
    /// What else there is to choose.
    pub settings: Settings,
    /// A part of the name of a contraction's variant.
    pub variant: Option<String>,
}

/// A kernel's text for a shape.
#[derive(Clone, Debug)]
pub struct Written {
    /// `family/kernel`.
    pub kernel: String,
    /// The text, which needs nothing from outside.
    pub wgsl: String,
    /// What it is the text for, a line each.
    pub about: Vec<String>,
}

/// The texts that are asked for: of a kernel one, of an operation one for each of its kernels.
///
/// # Errors
/// If there is no such kernel, operation or variant, or the shapes do not fit.
pub fn write(request: &Request) -> Result<Vec<Written>> {
    let (example, kernel) = find(&request.name)?;
    let shapes = request.shapes.clone().unwrap_or_else(|| example.own_shapes());
    let mut ways = example.ways(&shapes, &request.settings)?;
    let met: Vec<String> = ways.iter().flat_map(Way::kernels).map(str::to_owned).collect();
    ways.retain(|way| kernel.as_ref().is_none_or(|kernel| way.kernels().contains(&kernel.as_str())));
    if ways.is_empty() {
        let mut met = met;
        met.sort();
        met.dedup();
        return Err(Error::Input(format!(
            "{} of {} takes no {}, but {}; give other shapes",
            example.name,
            listed(&shapes),
            request.name,
            met.join(", ")
        )));
    }
    let variants = variants(&ways);
    if let Some(part) = &request.variant {
        ways.retain(|way| way.variant.is_some_and(|variant| variant.to_string().contains(part)));
    }
    let Some(way) = ways.first() else {
        let part = request.variant.as_deref().unwrap_or_default();
        return Err(Error::Input(match variants.is_empty() {
            true => format!("{} has no variants; leave out --variant {part}", request.name),
            false => format!("{} has no variant {part:?}; there are: {}", request.name, variants.join("; ")),
        }));
    };
    let program = &way.program;
    let mut wanted: Vec<&Dispatch> = Vec::new();
    for dispatch in &program.dispatches {
        let asked = kernel.as_ref().is_none_or(|kernel| program.kernel(dispatch) == kernel);
        if asked && wanted.iter().all(|other| other.pipeline != dispatch.pipeline) {
            wanted.push(dispatch);
        }
    }
    if kernel.is_some() {
        wanted.truncate(1);
    }
    let written = |dispatch: &Dispatch| Written {
        kernel: program.kernel(dispatch).to_owned(),
        wgsl: program.standalone(dispatch.pipeline),
        about: about(&example, &shapes, &request.settings, way, dispatch, &variants),
    };
    Ok(wanted.into_iter().map(written).collect())
}

/// The names of the variants of `ways`, each form once, with the numbers of parts that it comes in.
fn variants(ways: &[Way]) -> Vec<String> {
    let mut forms: Vec<(Form, Vec<usize>)> = Vec::new();
    for Variant { form, parts } in ways.iter().filter_map(|way| way.variant) {
        match forms.iter_mut().find(|(known, _)| *known == form) {
            Some((_, known)) if known.contains(&parts) => {}
            Some((_, known)) => known.push(parts),
            None => forms.push((form, vec![parts])),
        }
    }
    let name = |(form, mut parts): (Form, Vec<usize>)| {
        parts.sort_unstable();
        match parts[..] {
            [1] => whole(form),
            _ => format!(
                "{} ({} parts)",
                whole(form),
                parts.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
            ),
        }
    };
    forms.into_iter().map(name).collect()
}

/// The example that shows what is called `name`, and which of its kernels that is, where it is one.
fn find(name: &str) -> Result<(Example, Option<String>)> {
    let kernels = preprocess::kernels();
    let stem = |kernel: &str| kernel.rsplit('/').next().map(str::to_owned).unwrap_or_default();
    let kernel = kernels.iter().find(|kernel| *kernel == name || stem(kernel) == name);
    if let Some(kernel) = kernel {
        for example in example::all() {
            let ways = example.ways(&example.own_shapes(), &Settings::DEFAULT)?;
            if ways.iter().any(|way| way.kernels().contains(&kernel.as_str())) {
                return Ok((example, Some(kernel.clone())));
            }
        }
        return Err(Error::Input(format!("{kernel} is part of no operation; read shaders/{kernel}.wgsl")));
    }
    if let Some(example) = example::all().find(|example| example.name == name) {
        return Ok((example, None));
    }
    let stems: Vec<String> = kernels.iter().map(|kernel| stem(kernel)).collect();
    let known: Vec<&str> = stems.iter().map(String::as_str).chain(example::all().map(|of| of.name)).collect();
    let near =
        spelling::near(name, &known).map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    Err(Error::Input(format!("no kernel or operation named {name}{near}; mewgpu kernels lists all")))
}

/// What a dispatch is of, in lines.
fn about(
    example: &Example,
    shapes: &[Shape],
    settings: &Settings,
    way: &Way,
    dispatch: &Dispatch,
    variants: &[String],
) -> Vec<String> {
    let program = &way.program;
    let operands = example.operands.iter().zip(shapes).map(|(name, shape)| format!("{name} {shape}"));
    let operands = operands.collect::<Vec<_>>().join(", ");
    let conv = settings.conv;
    let more = match example.name {
        "conv2d" | "conv2d_weight_grad" => format!(", stride {:?}, padding {:?}", conv.stride, conv.padding),
        "conv_transpose2d" => format!(
            ", stride {:?}, padding {:?}, output padding {:?}",
            conv.stride, conv.padding, conv.output_padding
        ),
        name if name.starts_with("reflection_pad2d") => format!(", padding {}", settings.reflection),
        name if name.starts_with("upsample_nearest2d") => format!(", scale {:?}", settings.scale),
        _ => String::new(),
    };
    let variant = way.variant.map(|variant| format!(", {variant}")).unwrap_or_default();
    let [x, y, z] = dispatch.workgroups;
    let source = &program.shaders[program.pipelines[dispatch.pipeline].shader].source;
    let binding = |(at, shape): (usize, &Shape)| format!("{} {shape}", binding_name(source, at));
    let bindings: Vec<String> = dispatch.shapes.iter().enumerate().map(binding).collect();
    let mut lines = vec![
        format!("{}{variant}", program.kernel(dispatch)),
        format!("for {} of {operands}{more}", example.name),
        format!("{x} x {y} x {z} workgroups; bindings: {}", bindings.join(", ")),
    ];
    if program.dispatches.len() > 1 {
        lines.push(format!("all that it takes: {}", way.kernels().join(", ")));
    }
    if variants.len() > 1 {
        lines.push(format!("variants: {}", variants.join("; ")));
    }
    lines
}

/// What a kernel's text calls a binding.
fn binding_name(source: &str, number: usize) -> &str {
    let declaration = source.split(&format!("@binding({number}) ")).nth(1);
    declaration.and_then(|text| text.split_once("> ")?.1.split(':').next()).unwrap_or_default()
}

fn listed(shapes: &[Shape]) -> String {
    shapes.iter().map(Shape::to_string).collect::<Vec<_>>().join(", ")
}
