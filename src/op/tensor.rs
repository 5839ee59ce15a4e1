//! The way of tensors, as PyTorch lays them out, into and out of the graph.

use crate::nn::torch;
use crate::shape::Shape;
use crate::tensor_file::Tensor;
use crate::{Error, Result};

/// How a tensor's axes are ordered outside and inside the graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layout {
    /// `[n, c, h, w]` outside, `[n, h, w, c]` inside.
    Image,
    /// `[o, i, kh, kw]` (transposed convolutions: `[i, o, kh, kw]`) outside, `[kh, kw, i, o]` inside.
    Weight,
    /// `[c]` outside, `[1, 1, 1, c]` inside.
    Vector,
    /// Two vectors outside, `[1, 1, 2, c]` inside.
    Pair,
}

impl<T: Copy> Tensor<T> {
    /// The shape inside the graph of this tensor, called `name` in messages.
    pub(super) fn graph_shape(&self, name: &str, layout: Layout) -> Result<Shape> {
        let shape = &self.shape;
        let numbers = shape.iter().try_fold(1, |product: usize, &extent| product.checked_mul(extent));
        if numbers != Some(self.values.len()) {
            let len = self.values.len();
            return Err(Error::Input(format!("tensor {name} is {shape:?} but holds {len} numbers")));
        }
        if self.values.is_empty() {
            return Err(Error::Input(format!("tensor {name} is {shape:?}: every extent must be at least 1")));
        }
        match (layout, shape.as_slice()) {
            (Layout::Image, &[n, c, h, w]) => Ok(Shape([n, h, w, c])),
            (Layout::Weight, &[o, i, kh, kw]) => Ok(Shape([kh, kw, i, o])),
            (Layout::Vector, &[c]) => Ok(Shape::vector(c)),
            (Layout::Image | Layout::Weight, _) => {
                Err(Error::Input(format!("tensor {name} is {shape:?}: it must have 4 axes")))
            }
            (Layout::Vector | Layout::Pair, _) => {
                Err(Error::Input(format!("tensor {name} is {shape:?}: it must have 1 axis")))
            }
        }
    }

    /// The numbers in the graph's order.
    pub(super) fn to_graph(&self, layout: Layout, shape: Shape) -> Vec<T> {
        match layout {
            Layout::Image => torch::image_from_torch(&self.values, shape),
            Layout::Weight => torch::weight_from_torch(&self.values, shape),
            Layout::Vector | Layout::Pair => self.values.clone(),
        }
    }

    /// A tensor from the graph's numbers.
    pub(super) fn from_graph(layout: Layout, shape: Shape, values: &[T]) -> Self {
        let values = match layout {
            Layout::Image => torch::image_to_torch(values, shape),
            Layout::Weight => torch::weight_to_torch(values, shape),
            Layout::Vector | Layout::Pair => values.to_vec(),
        };
        Self { shape: torch_shape(layout, shape), values }
    }
}

/// PyTorch's shape of what the graph holds as `shape`.
pub(super) fn torch_shape(layout: Layout, shape: Shape) -> Vec<usize> {
    let [a, b, c, d] = shape.0;
    match layout {
        Layout::Image => vec![a, d, b, c],
        Layout::Weight => vec![d, c, a, b],
        Layout::Vector => vec![d],
        Layout::Pair => vec![c, d],
    }
}
