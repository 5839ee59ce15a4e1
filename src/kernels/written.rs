//! A kernel's text for a shape: found by name, made by lowering, told what it is of.

use super::example::{self, Example, KernelVariant, Settings};
use super::whole;
use crate::gpu::lower::{Form, Variant};
use crate::gpu::preprocess;
use crate::gpu::program::{Dispatch, Program};
use crate::graph::{Op, Update};
use crate::shape::Shape;
use crate::{Error, Result, spelling};
use std::collections::BTreeSet;

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
pub struct KernelListing {
    /// `family/kernel`.
    pub kernel: String,
    /// The text, which needs nothing from outside.
    pub wgsl: String,
    /// What it is the text for, a line each.
    pub about: Vec<String>,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    /// A kernel, as `family/kernel`.
    Kernel(String),
    /// A part of an example: the operation, as listings of dispatches have it.
    Op(String),
    /// All of an example.
    Example,
}

impl Named {
    fn is(&self, program: &Program, dispatch: &Dispatch) -> bool {
        match self {
            Self::Kernel(name) => program.kernel(dispatch) == name,
            Self::Op(name) => dispatch.op == *name,
            Self::Example => true,
        }
    }

    fn is_in(&self, way: &KernelVariant) -> bool {
        way.program.dispatches.iter().any(|dispatch| self.is(&way.program, dispatch))
    }
}

/// The texts that are asked for: of a kernel one, of an operation one for each of its kernels.
///
/// # Errors
/// If there is no such kernel, operation or variant, or the shapes do not fit.
pub fn write(request: &Request) -> Result<Vec<KernelListing>> {
    let (example, named) = find(&request.name)?;
    let shapes = request.shapes.clone().unwrap_or_else(|| example.own_shapes());
    let mut ways = example.ways(&shapes, &request.settings)?;
    let met: BTreeSet<String> = ways.iter().flat_map(KernelVariant::kernels).map(str::to_owned).collect();
    ways.retain(|way| named.is_in(way));
    if ways.is_empty() {
        return Err(Error::Input(format!(
            "{} of {} takes no {}, but {}; give other shapes",
            example.name,
            listed(&shapes),
            request.name,
            Vec::from_iter(met).join(", ")
        )));
    }
    let variants = variants(&ways);
    if let Some(part) = &request.variant {
        ways.retain(|way| way.variant.is_some_and(|variant| variant.to_string().contains(part)));
    }
    let Some(way) = ways.first() else {
        let part = request.variant.as_deref().unwrap_or_default();
        return Err(Error::Input(match variants.is_empty() {
            true => format!("{} has no variants; leave out `variant` {part}", request.name),
            false => format!("{} has no variant {part:?}; there are: {}", request.name, variants.join("; ")),
        }));
    };
    let program = &way.program;
    let mut wanted: Vec<&Dispatch> = Vec::new();
    for dispatch in program.dispatches.iter().filter(|dispatch| named.is(program, dispatch)) {
        if wanted.iter().all(|other| other.pipeline != dispatch.pipeline) {
            wanted.push(dispatch);
        }
    }
    if let Named::Kernel(_) = named {
        wanted.truncate(1);
    }
    let written = |dispatch: &Dispatch| KernelListing {
        kernel: program.kernel(dispatch).to_owned(),
        wgsl: program.standalone(dispatch.pipeline),
        about: about(&example, &shapes, &request.settings, way, dispatch, &variants),
    };
    Ok(wanted.into_iter().map(written).collect())
}

/// The example that shows what is called `name`, and what of it that is.
fn find(name: &str) -> Result<(Example, Named)> {
    let kernels = preprocess::kernels();
    let stem = |kernel: &str| kernel.rsplit('/').next().map(str::to_owned).unwrap_or_default();
    let kernel = kernels.iter().find(|kernel| *kernel == name || stem(kernel) == name);
    let named = match kernel {
        Some(kernel) => Named::Kernel(kernel.clone()),
        None => match example::all().find(|example| example.name == name) {
            Some(example) => return Ok((example, Named::Example)),
            None => Named::Op(name.to_owned()),
        },
    };
    for example in example::all() {
        if example.ways(&example.own_shapes(), &Settings::DEFAULT)?.iter().any(|way| named.is_in(way)) {
            return Ok((example, named));
        }
    }
    if let Some(kernel) = kernel {
        return Err(Error::Input(format!("{kernel} is part of no operation; read shaders/{kernel}.wgsl")));
    }
    if Op::names().chain(Update::NAMES.iter().copied()).any(|op| op == name) {
        return Err(Error::Input(format!(
            "{name} has no kernel: it is written by the host, shows what is there already, or is exchanged by ranks on the host"
        )));
    }
    let stems: Vec<String> = kernels.iter().map(|kernel| stem(kernel)).collect();
    let mut known: BTreeSet<&str> = stems.iter().map(String::as_str).collect();
    for name in example::all().map(|example| example.name).chain(Op::names()) {
        known.insert(name);
    }
    let near = spelling::near(name, &Vec::from_iter(known));
    let near = near.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    Err(Error::Input(format!("no kernel or operation named {name}{near}; `kernels` lists all")))
}

/// The names of the variants of `ways`, each form once, with the numbers of parts that it comes in.
fn variants(ways: &[KernelVariant]) -> Vec<String> {
    let mut forms: Vec<(Form, Vec<usize>)> = Vec::new();
    for Variant { form, split_k } in ways.iter().filter_map(|way| way.variant) {
        match forms.iter_mut().find(|(known, _)| *known == form) {
            Some((_, known)) if known.contains(&split_k) => {}
            Some((_, known)) => known.push(split_k),
            None => forms.push((form, vec![split_k])),
        }
    }
    let name = |(form, mut split_k): (Form, Vec<usize>)| {
        split_k.sort_unstable();
        match split_k[..] {
            [1] => whole(form),
            _ => format!(
                "{} (split_k {})",
                whole(form),
                split_k.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
            ),
        }
    };
    forms.into_iter().map(name).collect()
}

/// What a dispatch is of, in lines.
fn about(
    example: &Example,
    shapes: &[Shape],
    settings: &Settings,
    way: &KernelVariant,
    dispatch: &Dispatch,
    variants: &[String],
) -> Vec<String> {
    let program = &way.program;
    let operands = example.operands.iter().zip(shapes).map(|(name, shape)| format!("{name} {shape}"));
    let operands = operands.collect::<Vec<_>>().join(", ");
    let conv = settings.conv;
    let more = match example.name {
        "conv_transpose2d" => format!(
            ", stride {:?}, padding {:?}, output padding {:?}",
            conv.stride, conv.padding, conv.output_padding
        ),
        _ if example.operands.contains(&"w") => {
            format!(", stride {:?}, padding {:?}", conv.stride, conv.padding)
        }
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
