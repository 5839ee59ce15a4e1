//! `mewgan kernels`

use super::{Done, say};
use crate::kernels::{self, Kernel, KernelListing, Language, Request, Settings, translate};
use crate::real::Precision;
use crate::shape::Shape;
use crate::{Error, Result, file};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Args)]
pub struct Kernels {
    /// A kernel (conv2d_tiled), or an operation (conv2d).
    name: Option<String>,
    /// Shapes of the operands, separated by commas, channels last: images 16x64x64x3 (batch, height, width, channels), weights
    /// 4x4x3x32 (height, width, channels of the large side, of the small side), vectors 100 [default: those of a DCGAN layer].
    #[arg(long, value_delimiter = ',', value_name = "SHAPE,..", value_parser = shape, requires = "name")]
    shape: Option<Vec<Shape>>,
    /// Stride of a convolution: one number, or height,width [default: 2].
    #[arg(long, value_delimiter = ',', value_name = "N|H,W", value_parser = extent, requires = "name")]
    stride: Option<Vec<usize>>,
    /// Padding of a convolution: one number, or height,width [default: 1]; of reflection_pad2d: one number.
    #[arg(long, value_delimiter = ',', value_name = "N|H,W", value_parser = extent, requires = "name")]
    padding: Option<Vec<usize>>,
    /// Output padding of conv_transpose2d: one number, or height,width.
    #[arg(long, value_delimiter = ',', value_name = "N|H,W", value_parser = extent, requires = "name")]
    output_padding: Option<Vec<usize>>,
    /// Scale of upsample_nearest2d: one number, or height,width [default: 2].
    #[arg(long, value_delimiter = ',', value_name = "N|H,W", value_parser = extent, requires = "name")]
    scale: Option<Vec<usize>>,
    /// Precision of a contraction; mixed adds variants for matrix units.
    #[arg(long, value_enum, default_value = "f32", requires = "name")]
    precision: Precision,
    /// Variant of a contraction whose name contains this, such as "tile 64x64".
    #[arg(long, value_name = "PART", requires = "name")]
    variant: Option<String>,
    /// Language to print it in.
    #[arg(long, value_enum, default_value = "wgsl", requires = "name")]
    target: Language,
    /// Write it to a file: SPIR-V as a binary module.
    #[arg(long, value_name = "FILE", requires = "name")]
    out: Option<PathBuf>,
    /// Print the list as JSON.
    #[arg(long, conflicts_with = "name")]
    json: bool,
}

impl Kernels {
    pub fn run(self) -> Done {
        let Some(name) = self.name else {
            let all = kernels::all()?;
            match self.json {
                true => say(json(&all)?),
                false => say(list(&all).trim_end()),
            }
            return Ok(ExitCode::SUCCESS);
        };
        let mut settings = Settings::DEFAULT;
        settings.conv.stride = pair("stride", self.stride.as_deref())?.unwrap_or(settings.conv.stride);
        settings.conv.padding = pair("padding", self.padding.as_deref())?.unwrap_or(settings.conv.padding);
        settings.conv.output_padding =
            pair("output-padding", self.output_padding.as_deref())?.unwrap_or([0; 2]);
        settings.scale = pair("scale", self.scale.as_deref())?.unwrap_or(settings.scale);
        settings.precision = self.precision;
        if let Some([first, ..]) = self.padding.as_deref() {
            settings.reflection = *first;
        }
        let written = kernels::write(&Request { name, shapes: self.shape, settings, variant: self.variant })?;
        match self.out {
            Some(path) => keep(&written, self.target, &path)?,
            None => {
                let texts =
                    written.iter().map(|kernel| text(kernel, self.target)).collect::<Result<Vec<_>>>()?;
                say(texts.join("\n").trim_end());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The text of a kernel under what it is the text for.
fn text(written: &KernelListing, target: Language) -> Result<String> {
    let about = written.about.iter().map(|line| format!("{} {line}\n", target.comment()));
    let translation = translate(&written.kernel, &written.wgsl, target)?;
    Ok(about.collect::<String>() + target.comment() + "\n" + &translation.text)
}

fn keep(written: &[KernelListing], target: Language, path: &Path) -> Result<()> {
    let [kernel] = written else {
        let names: Vec<&str> = written.iter().map(|kernel| kernel.kernel.as_str()).collect();
        return Err(Error::Input(format!(
            "--out takes one kernel, these are {}: name one",
            names.join(", ")
        )));
    };
    let bytes = match translate(&kernel.kernel, &kernel.wgsl, target)?.binary {
        Some(binary) => binary,
        None => text(kernel, target)?.into_bytes(),
    };
    file::write_atomic(path, &bytes)?;
    say(format_args!("{} -> {}", kernel.kernel, path.display()));
    Ok(())
}

/// Up to four extents, the last that of the channels.
fn shape(text: &str) -> std::result::Result<Shape, String> {
    let extents: Option<Vec<usize>> =
        text.split('x').map(|extent| extent.parse().ok().filter(|&extent| extent > 0)).collect();
    match extents.as_deref() {
        Some(extents @ [_] | extents @ [_, _] | extents @ [_, _, _] | extents @ [_, _, _, _]) => {
            let mut shape = [1; 4];
            shape[4 - extents.len()..].copy_from_slice(extents);
            Ok(Shape(shape))
        }
        _ => Err("a shape is up to four numbers above 0 joined by x: 16x64x64x3".into()),
    }
}

/// A stride, padding or scale: none is larger anywhere.
fn extent(text: &str) -> std::result::Result<usize, String> {
    text.parse().ok().filter(|&number| number <= 4096).ok_or_else(|| "a whole number up to 4096".into())
}

fn pair(flag: &str, numbers: Option<&[usize]>) -> Result<Option<[usize; 2]>> {
    match numbers {
        None => Ok(None),
        Some(&[both]) => Ok(Some([both; 2])),
        Some(&[height, width]) => Ok(Some([height, width])),
        Some(_) => Err(Error::Input(format!("--{flag} takes one number, or height,width"))),
    }
}

fn json(all: &[Kernel]) -> Result<String> {
    serde_json::to_string_pretty(all).map_err(|error| Error::Input(format!("the list: {error}")))
}

/// Columns of the list.
const WIDTH: usize = 118;

fn list(all: &[Kernel]) -> String {
    let mut text = String::new();
    let mut family = "";
    for kernel in all {
        let (of, name) = kernel.name.split_once('/').unwrap_or(("", &kernel.name));
        if of != family {
            family = of;
            text += &format!("{of}\n");
        }
        let header = &kernel.header;
        text += &format!("  {name}\n");
        text += &wrapped("    ", &header.title);
        text += &wrapped("    ", &header.equation);
        let of_one =
            [("one invocation: ", &header.one_invocation), ("one workgroup: ", &header.one_workgroup)];
        for (label, field) in of_one.into_iter().filter(|(_, field)| !field.is_empty()) {
            text += &wrapped("    ", &format!("{label}{field}"));
        }
        if !kernel.variants.is_empty() {
            text += &wrapped("    ", &format!("variants: {}", kernel.variants.join("; ")));
        }
        if !header.text.is_empty() {
            text += &wrapped("    ", &format!("forms: {}", header.text));
        }
        if !kernel.ops.is_empty() {
            text += &wrapped("    ", &format!("part of: {}", kernel.ops.join(", ")));
        }
        text += &wrapped("    ", &format!("{}; meaning: {}", kernel.path, header.reference));
        text.push('\n');
    }
    text
}

/// A paragraph, indented; its further lines more so.
fn wrapped(indent: &str, paragraph: &str) -> String {
    let mut text = String::new();
    let mut line = indent.to_owned();
    for word in paragraph.split_whitespace() {
        if line.len() + word.len() > WIDTH && line.trim() != "" {
            text += line.trim_end();
            text.push('\n');
            line = format!("{indent}    ");
        }
        line += word;
        line.push(' ');
    }
    text + line.trim_end() + "\n"
}
