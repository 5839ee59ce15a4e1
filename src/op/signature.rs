//! What each operation takes: its tensors and its settings.

use super::OpRequest;
use crate::graph::{Binary, Unary};
use crate::tensor_file::Tensor;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// An operation's tensors and settings, by name.
#[derive(Clone, Copy)]
pub(super) struct Signature {
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    settings: &'static [&'static str],
}

const fn signature(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    settings: &'static [&'static str],
) -> Signature {
    Signature { name, required, optional, settings }
}

const OPS: [Signature; 13] = [
    signature("conv2d", &["x", "w"], &["b", "gy"], &["stride", "padding"]),
    signature("conv_transpose2d", &["x", "w"], &["b", "gy"], &["stride", "padding", "output-padding"]),
    signature("batch_norm", &["x"], &["w", "b", "rm", "rv", "gy"], &["eps", "momentum"]),
    signature("batch_norm_eval", &["x", "rm", "rv"], &["w", "b", "gy"], &["eps"]),
    signature("instance_norm", &["x"], &["w", "b", "gy"], &["eps"]),
    signature("concat_channels", &["x", "z"], &["gy"], &[]),
    signature("slice_channels", &["x"], &["gy"], &["channels"]),
    signature("max_pool2d", &["x"], &["gy"], &["kernel", "stride", "padding"]),
    signature("group_norm", &["x"], &["w", "b", "gy"], &["groups", "eps"]),
    signature("relu", &["x"], &["gy"], &[]),
    signature("reflection_pad2d", &["x"], &["gy"], &["padding"]),
    signature("upsample_nearest2d", &["x"], &["gy"], &["scale"]),
    signature("upsample_bilinear2d", &["x"], &["gy"], &[]),
];

fn all() -> impl Iterator<Item = Signature> {
    let unary = Unary::ALL.iter().filter_map(|function| of_numbers(*function));
    let binary = Binary::ALL.iter().filter_map(|function| of_pairs(*function));
    OPS.into_iter().chain(unary).chain(binary)
}

/// A function of every number, by its own name.
fn of_numbers(function: Unary) -> Option<Signature> {
    let settings: &[&str] = match function {
        // Not one of PyTorch's.
        Unary::Affine { .. } => return None,
        Unary::LeakyRelu { .. } => &["slope"],
        Unary::Tanh
        | Unary::Sigmoid
        | Unary::Softplus
        | Unary::Square
        | Unary::Abs
        | Unary::Rsqrt
        | Unary::Exp
        | Unary::Log => &[],
    };
    Some(signature(function.name(), &["x"], &["gy"], settings))
}

/// A function of pairs of numbers, by its own name; gradients go with what they are of.
fn of_pairs(function: Binary) -> Option<Signature> {
    match function {
        Binary::Add | Binary::Sub | Binary::Mul | Binary::Div => {
            Some(signature(function.name(), &["x", "z"], &["gy"], &[]))
        }
        Binary::LeakyReluGrad { .. } | Binary::TanhGrad | Binary::SigmoidGrad | Binary::AbsGrad => None,
    }
}

/// Larger strides, paddings and scales are refused.
const LARGEST_SETTING: usize = 65_535;

/// The operations [`super::run`] knows, by PyTorch's names.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|signature| signature.name)
}

/// The error for a tensor that must be given and was not.
pub(super) fn missing(op: &str, tensor: &str) -> Error {
    Error::Input(format!("{op}: tensor {tensor} is missing from the inputs"))
}

/// The error for an operation that there is none of.
pub(super) fn unknown(name: &str) -> Error {
    let known: Vec<&str> = names().collect();
    Error::Input(format!("no operation named {name:?}; there are {}", known.join(", ")))
}

impl Signature {
    pub(super) fn of(name: &str) -> Result<Self> {
        all().find(|signature| signature.name == name).ok_or_else(|| unknown(name))
    }

    /// Whether every setting that was changed belongs to the operation and lies in its range.
    pub(super) fn check_settings(&self, request: &OpRequest) -> Result<()> {
        let fail = |problem: String| Err(Error::Input(format!("{}: {problem}", self.name)));
        let defaults = OpRequest::new(self.name);
        let changed = [
            ("stride", request.stride != defaults.stride),
            ("padding", request.padding != defaults.padding),
            ("output-padding", request.output_padding != defaults.output_padding),
            ("eps", request.eps != defaults.eps),
            ("momentum", request.momentum != defaults.momentum),
            ("slope", request.slope != defaults.slope),
            ("kernel", request.kernel != defaults.kernel),
            ("groups", request.groups != defaults.groups),
            ("channels", request.channels != defaults.channels),
            ("scale", request.scale != defaults.scale),
        ];
        for (setting, changed) in changed {
            if changed && !self.settings.contains(&setting) {
                return fail(format!("has no setting {setting}"));
            }
        }
        let whole = [request.kernel, request.stride, request.output_padding, request.scale];
        if let Some(large) = whole.iter().flatten().chain(&request.padding).find(|&&n| n > LARGEST_SETTING) {
            return fail(format!("a setting of {large} is too large; the largest is {LARGEST_SETTING}"));
        }
        if !(request.eps >= 0.0 && request.eps.is_finite()) {
            return fail(format!("eps {} must be at least 0 and finite", request.eps));
        }
        if !(0.0..=1.0).contains(&request.momentum) {
            return fail(format!("momentum {} must lie from 0 to 1", request.momentum));
        }
        if !request.slope.is_finite() {
            return fail(format!("slope {} must be finite", request.slope));
        }
        Ok(())
    }

    /// Whether the tensors are all that is required and none that is unknown.
    pub(super) fn check_tensors<T>(&self, tensors: &BTreeMap<String, Tensor<T>>) -> Result<()> {
        if let Some(name) = self.required.iter().find(|name| !tensors.contains_key(**name)) {
            return Err(missing(self.name, name));
        }
        let known = [self.required, self.optional].concat();
        let unknown: Vec<&str> =
            tensors.keys().map(String::as_str).filter(|name| !known.contains(name)).collect();
        if !unknown.is_empty() {
            return Err(Error::Input(format!(
                "{}: takes no tensor named {}; it takes {}",
                self.name,
                unknown.join(", "),
                known.join(", ")
            )));
        }
        Ok(())
    }
}
