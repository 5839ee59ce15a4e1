//! Functions of every element, and of element pairs.

use super::mismatch;
use crate::Result;
use crate::graph::{Binary, Op, Unary, Var};

/// Pointwise functions.
impl<'g> Var<'g> {
    /// A function of every element.
    pub fn unary(self, function: Unary) -> Self {
        self.graph.append(Op::Unary(function), &[self], self.shape())
    }

    /// A function of element pairs; axes of extent 1 repeat.
    ///
    /// # Errors
    /// If the shapes differ on an axis where neither is 1.
    pub fn binary(self, function: Binary, other: Self) -> Result<Self> {
        let op = Op::Binary(function);
        match self.shape().broadcast(other.shape()) {
            Some(shape) => self.graph.push(op, &[self, other], shape),
            None => mismatch(
                op.name(),
                format!("shapes {} and {} differ on an axis where neither is 1", self.shape(), other.shape()),
            ),
        }
    }

    /// `scale * x + offset`
    pub fn affine(self, scale: f64, offset: f64) -> Self {
        self.unary(Unary::Affine { scale, offset })
    }

    /// `factor * x`
    pub fn scale(self, factor: f64) -> Self {
        self.affine(factor, 0.0)
    }

    /// `max(x, 0)`
    pub fn relu(self) -> Self {
        self.unary(Unary::LeakyRelu { slope: 0.0 })
    }

    /// `x` where positive, else `slope * x`.
    ///
    /// # Errors
    /// If the slope is negative or not finite.
    pub fn leaky_relu(self, slope: f64) -> Result<Self> {
        self.graph.push(Op::Unary(Unary::LeakyRelu { slope }), &[self], self.shape())
    }

    /// `tanh(x)`
    pub fn tanh(self) -> Self {
        self.unary(Unary::Tanh)
    }

    /// `1 / (1 + exp(-x))`
    pub fn sigmoid(self) -> Self {
        self.unary(Unary::Sigmoid)
    }

    /// `log(1 + exp(x))`: binary cross-entropy on a logit `x` is `softplus(-x)` toward 1 and `softplus(x)` toward 0.
    pub fn softplus(self) -> Self {
        self.unary(Unary::Softplus)
    }

    /// `x * x`
    pub fn square(self) -> Self {
        self.unary(Unary::Square)
    }

    /// `|x|`
    pub fn abs(self) -> Self {
        self.unary(Unary::Abs)
    }

    /// `1 / sqrt(x)`, of numbers above 0
    pub fn rsqrt(self) -> Self {
        self.unary(Unary::Rsqrt)
    }

    /// `exp(x)`
    pub fn exp(self) -> Self {
        self.unary(Unary::Exp)
    }

    /// The natural logarithm, of numbers above 0
    pub fn log(self) -> Self {
        self.unary(Unary::Log)
    }

    /// `a + b`; axes of extent 1 repeat, so a bias is added as `[1, 1, 1, channels]`.
    ///
    /// # Errors
    /// If the shapes differ on an axis where neither is 1.
    #[allow(clippy::should_implement_trait, reason = "fallible, unlike the operator")]
    pub fn add(self, other: Self) -> Result<Self> {
        self.binary(Binary::Add, other)
    }

    /// `a - b`; axes of extent 1 repeat.
    ///
    /// # Errors
    /// If the shapes differ on an axis where neither is 1.
    #[allow(clippy::should_implement_trait, reason = "fallible, unlike the operator")]
    pub fn sub(self, other: Self) -> Result<Self> {
        self.binary(Binary::Sub, other)
    }

    /// `a * b`; axes of extent 1 repeat.
    ///
    /// # Errors
    /// If the shapes differ on an axis where neither is 1.
    #[allow(clippy::should_implement_trait, reason = "fallible, unlike the operator")]
    pub fn mul(self, other: Self) -> Result<Self> {
        self.binary(Binary::Mul, other)
    }

    /// `a / b`; axes of extent 1 repeat.
    ///
    /// # Errors
    /// If the shapes differ on an axis where neither is 1.
    #[allow(clippy::should_implement_trait, reason = "fallible, unlike the operator")]
    pub fn div(self, other: Self) -> Result<Self> {
        self.binary(Binary::Div, other)
    }
}
