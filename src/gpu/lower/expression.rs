//! Pointwise nodes as text: what a kernel makes of its own value, and of other tensors, before it stores.

use super::call::{Call, Calls, Memory};
use super::lanes::lanes;
use crate::graph::{Binary, NodeId, Unary};
use crate::reference::pointwise;
use crate::shape::Shape;

/// A function of every element.
#[derive(Clone, Debug)]
pub enum Expression {
    /// The kernel's own value.
    Value,
    /// Another tensor's, by its place in [`Fused::leaves`].
    Leaf(usize),
    /// A constant.
    Number(f64),
    Unary(Unary, Box<Self>),
    Binary(Binary, Box<Self>, Box<Self>),
}

/// An expression and the nodes it needs.
#[derive(Clone, Debug)]
pub struct Fused {
    /// The node whose kernel gives [`Expression::Value`], if any.
    pub base: Option<NodeId>,
    /// Nodes read beside it.
    pub leaves: Vec<NodeId>,
    pub expression: Expression,
}

impl Fused {
    /// A tensor as it is.
    pub fn leaf(id: NodeId) -> Self {
        Self { base: None, leaves: vec![id], expression: Expression::Leaf(0) }
    }

    /// What the kernel of node `id` computes.
    pub fn value(id: NodeId) -> Self {
        Self { base: Some(id), leaves: vec![], expression: Expression::Value }
    }

    /// Whether it is what its kernel computes, as it is.
    pub fn is_value(&self) -> bool {
        matches!(self.expression, Expression::Value)
    }

    pub fn number(value: f64) -> Self {
        Self { base: None, leaves: vec![], expression: Expression::Number(value) }
    }

    pub fn unary(self, unary: Unary) -> Self {
        Self { expression: Expression::Unary(unary, self.expression.into()), ..self }
    }

    pub fn binary(self, binary: Binary, other: Self) -> Self {
        let Self { base, mut leaves, expression } = self;
        let places: Vec<usize> = other
            .leaves
            .iter()
            .map(|leaf| {
                leaves.iter().position(|known| known == leaf).unwrap_or_else(|| {
                    leaves.push(*leaf);
                    leaves.len() - 1
                })
            })
            .collect();
        let other_expression = other.expression.renumbered(&places);
        let expression = Expression::Binary(binary, expression.into(), other_expression.into());
        Self { base: base.or(other.base), leaves, expression }
    }
}

impl Expression {
    fn renumbered(self, places: &[usize]) -> Self {
        match self {
            Self::Leaf(leaf) => Self::Leaf(places[leaf]),
            Self::Unary(unary, x) => Self::Unary(unary, x.renumbered(places).into()),
            Self::Binary(binary, a, b) => {
                Self::Binary(binary, a.renumbered(places).into(), b.renumbered(places).into())
            }
            other => other,
        }
    }

    /// Whether its constants, computed before the rest, are numbers of single precision.
    pub fn stays_in_range(&self) -> bool {
        let factor = self.factor().abs();
        let normal = f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX);
        (factor == 0.0 || normal.contains(&factor)) && self.constant().is_none_or(f32::is_finite)
    }

    /// The product of its constant factors.
    fn factor(&self) -> f64 {
        match self {
            Self::Number(value) => *value,
            Self::Unary(Unary::Affine { scale, .. }, x) => scale * x.factor(),
            Self::Unary(Unary::Square, x) => x.factor().powi(2),
            Self::Binary(Binary::Mul, a, b) => a.factor() * b.factor(),
            Self::Binary(Binary::Div, a, b) => a.factor() / b.factor(),
            _ => 1.0,
        }
    }

    /// The value, in single precision, of what is made of constants alone.
    fn constant(&self) -> Option<f32> {
        let mut y = [0.0];
        match self {
            Self::Value | Self::Leaf(_) => return None,
            Self::Number(value) => y[0] = *value as f32,
            Self::Unary(unary, x) => pointwise::unary(*unary, &[x.constant()?], &mut y),
            Self::Binary(binary, a, b) => {
                let (a, b) = ([a.constant()?], [b.constant()?]);
                let one = Shape::SCALAR;
                pointwise::binary(*binary, (&a, one), (&b, one), &mut y, one);
            }
        }
        Some(y[0])
    }

    /// WGSL, with `leaves` the text of each leaf.
    fn text(&self, leaves: &[String]) -> String {
        match self {
            Self::Value => "value".into(),
            Self::Leaf(leaf) => leaves[*leaf].clone(),
            Self::Number(value) => format!("lane({})", number(*value)),
            Self::Unary(unary, x) => {
                let x = x.text(leaves);
                match *unary {
                    Unary::Affine { scale, offset: 0.0 } => format!("(lane({}) * {x})", number(scale)),
                    Unary::Affine { scale, offset } => {
                        format!("(lane({}) * {x} + lane({}))", number(scale), number(offset))
                    }
                    Unary::LeakyRelu { slope } => format!("leaky_relu({x}, real({}))", number(slope)),
                    Unary::Tanh => format!("tanh_bounded({x})"),
                    Unary::Sigmoid => format!("sigmoid({x})"),
                    Unary::Softplus => format!("softplus({x})"),
                    Unary::Square => format!("square({x})"),
                    Unary::Abs => format!("abs({x})"),
                    Unary::Rsqrt => format!("inverseSqrt({x})"),
                    Unary::Exp => format!("exponential({x})"),
                    Unary::Log => format!("logarithm({x})"),
                }
            }
            Self::Binary(binary, a, b) => {
                let (a, b) = (a.text(leaves), b.text(leaves));
                match *binary {
                    Binary::Add => format!("({a} + {b})"),
                    Binary::Sub => format!("({a} - {b})"),
                    Binary::Mul => format!("({a} * {b})"),
                    Binary::Div => format!("({a} / {b})"),
                    Binary::LeakyReluGrad { slope } => {
                        format!("leaky_relu_grad({a}, {b}, real({}))", number(slope))
                    }
                    Binary::TanhGrad => format!("tanh_grad({a}, {b})"),
                    Binary::SigmoidGrad => format!("sigmoid_grad({a}, {b})"),
                    Binary::AbsGrad => format!("abs_grad({a}, {b})"),
                }
            }
        }
    }
}

impl Calls<'_> {
    /// Gives `call` the expression `fused` under the name `define`, over a tensor of `shape` whose lanes are vec4 where
    /// `vec4` holds; its leaves are bound behind what the call reads so far.
    pub fn fuse(
        &self,
        mut call: Call,
        define: &'static str,
        fused: &Fused,
        shape: Shape,
        vec4: bool,
    ) -> Call {
        let texts: Vec<String> = fused
            .leaves
            .iter()
            .map(|&leaf| {
                let binding = call.reads.len();
                let (kind, at) = element(self.shape(leaf), shape, vec4);
                call.leaves.push_str(&format!(
                    "@group(0) @binding({binding}) var<storage, read> leaf{binding}: array<{kind}>; "
                ));
                call.reads.push(Memory::Node(leaf));
                format!("lane(leaf{binding}[{at}])")
            })
            .collect();
        call.define(define, fused.expression.text(&texts))
    }
}

/// The type of a leaf's elements, and which of them meets lane `at` of a tensor of `shape`.
fn element(leaf: Shape, shape: Shape, vec4: bool) -> (&'static str, String) {
    if leaf == shape {
        return ("lane", "at".into());
    }
    let spread = leaf.channels() == 1 && vec4;
    let step = if vec4 && !spread { 4 } else { 1 };
    let [_, h, w, _] = shape.0;
    let c = if vec4 { shape.channels() / 4 } else { shape.channels() };
    let strides = leaf.broadcast_strides();
    // Lanes before axis n, h, w, c repeats, and how often the axis itself does.
    let axes = [(c * w * h, None), (c * w, Some(h)), (c, Some(w)), (1, Some(c))];
    let mut terms = Vec::new();
    for (axis, (inner, extent)) in axes.into_iter().enumerate() {
        let stride = if axis < 3 { strides[axis] / step } else { strides[axis] };
        if stride == 0 {
            continue;
        }
        let mut term = if inner == 1 { "at".to_owned() } else { format!("at / {inner}u") };
        if let Some(extent) = extent {
            term.push_str(&format!(" % {extent}u"));
        }
        if stride > 1 {
            term.push_str(&format!(" * {stride}u"));
        }
        terms.push(term);
    }
    let at = if terms.is_empty() { "0u".into() } else { terms.join(" + ") };
    (if spread { "real" } else { "lane" }, at)
}

/// Whether the lanes of a map over `shape` are fours: where all leaves have that shape, it is one long row.
pub fn in_fours(calls: &Calls<'_>, fused: &Fused, shape: Shape) -> bool {
    let same = fused.leaves.iter().all(|&leaf| calls.shape(leaf) == shape);
    lanes(if same { shape.len() } else { shape.channels() }).1
}

/// A literal. WGSL has none for infinity.
fn number(value: f64) -> String {
    let largest = f64::from(f32::MAX);
    format!("{:?}", value.clamp(-largest, largest))
}
