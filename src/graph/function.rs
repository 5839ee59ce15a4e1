//! Functions of one number and of two, each a row of a table.

/// Declares an enum of functions and what is known of all of them. A row: documentation, name, variant, and the variant's
/// numbers at an example.
macro_rules! functions {
    (
        $(#[$about:meta])* $of:ident:
        $($(#[$doc:meta])* $name:literal $variant:ident $({
            $($(#[$field_doc:meta])* $field:ident: $example:literal),+
        })?),+ $(,)?
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Debug)]
        #[non_exhaustive]
        pub enum $of {
            $($(#[$doc])* $variant $({ $($(#[$field_doc])* $field: f64),+ })?),+
        }

        impl $of {
            /// All of them, in order; those with numbers of their own at an example.
            pub const ALL: &[Self] = &[$(Self::$variant $({ $($field: $example),+ })?),+];

            /// The name used in messages and listings.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name),+
                }
            }

            /// Its own numbers.
            pub(super) fn numbers(self) -> Vec<f64> {
                match self {
                    $(Self::$variant $({ $($field),+ })? => vec![$($($field),+)?]),+
                }
            }
        }
    };
}

functions! {
    /// A function of one number: activations, and what losses are made of.
    Unary:
    /// `scale * x + offset`
    "affine" Affine {
        /// Factor.
        scale: -1.5,
        /// Summand.
        offset: 0.3
    },
    /// `x` where positive, else `slope * x`; ReLU has slope 0.
    "leaky_relu" LeakyRelu {
        /// At least 0.
        slope: 0.2
    },
    /// `tanh(x)`
    "tanh" Tanh,
    /// `1 / (1 + exp(-x))`
    "sigmoid" Sigmoid,
    /// `log(1 + exp(x))`, without overflow
    "softplus" Softplus,
    /// `x * x`
    "square" Square,
    /// `|x|`
    "abs" Abs,
    /// `1 / sqrt(x)`
    "rsqrt" Rsqrt,
    /// `exp(x)`
    "exp" Exp,
    /// The natural logarithm.
    "log" Log,
}

functions! {
    /// A function of two numbers. The gradients of pointwise functions are listed too: they save a pass over memory.
    Binary:
    /// `a + b`
    "add" Add,
    /// `a - b`
    "sub" Sub,
    /// `a * b`
    "mul" Mul,
    /// `a / b`
    "div" Div,
    /// Of `y = leaky_relu(x)` and the gradient `g` of `y`: `g` where `y > 0`, else `slope * g`.
    "leaky_relu_grad" LeakyReluGrad {
        /// As in [`Unary::LeakyRelu`].
        slope: 0.2
    },
    /// Of `y = tanh(x)` and the gradient `g` of `y`: `g * (1 - y * y)`.
    "tanh_grad" TanhGrad,
    /// Of `y = sigmoid(x)` and the gradient `g` of `y`: `g * y * (1 - y)`.
    "sigmoid_grad" SigmoidGrad,
    /// Of `x` and the gradient `g` of `|x|`: `g * sign(x)`, and 0 at 0.
    "abs_grad" AbsGrad,
}
