//! The layers networks are made of, named and numbered as PyTorch's `nn.Sequential` would.

use crate::graph::Unary;
use crate::shape::ConvOptions;

/// One entry of a network. Functions without parameters count as entries too, so that positions equal PyTorch's.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// Convolution.
    Conv2d {
        /// Channels read.
        inputs: usize,
        /// Channels written.
        outputs: usize,
        /// Height and width of the window.
        kernel: [usize; 2],
        /// Stride and padding.
        options: ConvOptions,
        /// Whether a bias is added.
        bias: bool,
        /// Whether the weights are divided by their largest singular value, as by PyTorch's `spectral_norm`.
        spectral: bool,
    },
    /// Transposed convolution.
    ConvTranspose2d {
        /// Channels read.
        inputs: usize,
        /// Channels written.
        outputs: usize,
        /// Height and width of the window.
        kernel: [usize; 2],
        /// Stride, padding and output padding.
        options: ConvOptions,
        /// Whether a bias is added.
        bias: bool,
    },
    /// Batch norm with weight, bias and running statistics (eps 1e-5, momentum 0.1).
    BatchNorm(usize),
    /// Instance norm without weight, bias or running statistics (eps 1e-5); the number of channels.
    InstanceNorm(usize),
    /// A function of every number.
    Activation(Unary),
    /// Mirrored border of this many pixels on each side.
    ReflectionPad(usize),
    /// Every pixel repeated this many times both ways.
    UpsampleNearest(usize),
    /// Twice the size both ways, interpolated linearly.
    UpsampleBilinear,
    /// The mean of every block of so many pixels both ways.
    AvgPool(usize),
    /// Layers whose result is added to what they read.
    Residual(Vec<Layer>),
    /// Layers whose result follows what they read, channel behind channel, as a U-Net joins its stages.
    Skip(Vec<Layer>),
    /// In training this share of the numbers is dropped, and the others become as much larger; else nothing changes. See
    /// [`Network::forward_masked`](super::Network::forward_masked).
    Dropout(f64),
    /// Layers whose result, one number an image and channel, is multiplied onto what comes in here.
    Excite {
        /// Which layer of the same list they read the result of, one before this.
        from: usize,
        /// The layers.
        gate: Vec<Layer>,
    },
}

impl Layer {
    /// `max(x, 0)`
    pub const RELU: Self = Self::leaky_relu(0.0);

    /// `x` where positive, else `slope * x`.
    pub const fn leaky_relu(slope: f64) -> Self {
        Self::Activation(Unary::LeakyRelu { slope })
    }

    /// A convolution with a square window whose weights are taken as they are.
    pub const fn conv2d(
        inputs: usize,
        outputs: usize,
        kernel: usize,
        options: ConvOptions,
        bias: bool,
    ) -> Self {
        Self::Conv2d { inputs, outputs, kernel: [kernel; 2], options, bias, spectral: false }
    }

    /// A dense layer with bias, over the channels of every pixel: a convolution by 1x1.
    pub const fn linear(inputs: usize, outputs: usize) -> Self {
        Self::conv2d(inputs, outputs, 1, ConvOptions::new(1, 0), true)
    }
}

/// Added to variances.
pub const NORM_EPS: f64 = 1e-5;

/// Share of a batch in the running statistics.
pub const NORM_MOMENTUM: f64 = 0.1;
