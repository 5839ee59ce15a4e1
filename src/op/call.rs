//! From a request and its tensors to the graph that computes it.

use super::OpRequest;
use super::signature::{missing, unknown};
use super::tensor::Layout;
use crate::graph::{Binary, Graph, Per, Slot, Unary, Update, Var};
use crate::shape::Shape;
use crate::tensor_file::Tensor;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// The most numbers one tensor, or the windows a convolution reads from one image, may hold.
const LARGEST: usize = 1 << 30;

/// An input of the graph, with its numbers in the graph's layout.
pub(super) struct Leaf<'g, T> {
    pub(super) name: &'static str,
    pub(super) layout: Layout,
    pub(super) var: Var<'g>,
    pub(super) values: Vec<T>,
}

impl<'g, T: Copy> Leaf<'g, T> {
    pub(super) fn new(
        graph: &'g Graph,
        name: &'static str,
        layout: Layout,
        tensor: &Tensor<T>,
    ) -> Result<Self> {
        let shape = tensor.graph_shape(name, layout)?;
        Ok(Self { name, layout, var: graph.input(name, shape), values: tensor.to_graph(layout, shape) })
    }

    /// What the gradient to this input is called; an affine pair's goes by the name of its first row.
    pub(super) fn gradient(&self) -> &'static str {
        match self.name {
            "x" => "dx",
            "z" => "dz",
            "b" => "db",
            _ => "dw",
        }
    }
}

/// The graph of one request as it is built.
pub(super) struct Call<'a, 'g, T> {
    request: &'a OpRequest,
    graph: &'g Graph,
    /// What gradients are taken to.
    pub(super) leaves: Vec<Leaf<'g, T>>,
    /// Shape and numbers of the running statistics.
    pub(super) running: Option<(Shape, Vec<T>)>,
    pub(super) updates: Vec<Update>,
}

impl<'a, 'g, T: Copy> Call<'a, 'g, T> {
    pub(super) fn new(request: &'a OpRequest, graph: &'g Graph) -> Self {
        Self { request, graph, leaves: Vec::new(), running: None, updates: Vec::new() }
    }

    /// Takes what the operation needs from `tensors` and returns its result.
    pub(super) fn apply(&mut self, tensors: &mut BTreeMap<String, Tensor<T>>) -> Result<Var<'g>> {
        let request = self.request;
        let x = self.leaf("x", Layout::Image, tensors)?;
        let y = match request.name.as_str() {
            "conv2d" | "conv_transpose2d" => self.convolution(x, tensors),
            "batch_norm" | "batch_norm_eval" | "instance_norm" | "group_norm" => self.norm(x, tensors),
            "concat_channels" => {
                let z = self.leaf("z", Layout::Image, tensors)?;
                Var::concat_channels(&[x, z])
            }
            "slice_channels" => {
                let [from, to] = request.channels;
                x.slice_channels(from..to)
            }
            "max_pool2d" => x.max_pool2d(request.kernel, request.conv_options()?),
            "relu" => Ok(x.relu()),
            "leaky_relu" => x.leaky_relu(request.slope),
            "reflection_pad2d" => x.reflection_pad2d(request.reflection()?),
            "upsample_bilinear2d" => Ok(x.upsample_bilinear2d()),
            "upsample_nearest2d" => x.upsample_nearest2d(request.scale),
            name => self.function(name, x, tensors),
        }
        .map_err(|error| match error {
            Error::Graph { op, problem } => {
                let problem = format!("{problem} (images here are [batch, height, width, channels])");
                Error::Graph { op, problem }
            }
            other => other,
        })?;
        self.bounded("y", &y.shape().0)?;
        Ok(y)
    }

    /// A function of each number, or of each pair of numbers.
    fn function(
        &mut self,
        name: &str,
        x: Var<'g>,
        tensors: &mut BTreeMap<String, Tensor<T>>,
    ) -> Result<Var<'g>> {
        if let Some(function) = Unary::ALL.iter().find(|function| function.name() == name) {
            return Ok(x.unary(*function));
        }
        let function = Binary::ALL.iter().find(|function| function.name() == name);
        x.binary(*function.ok_or_else(|| unknown(name))?, self.leaf("z", Layout::Image, tensors)?)
    }

    fn leaf(
        &mut self,
        name: &'static str,
        layout: Layout,
        tensors: &mut BTreeMap<String, Tensor<T>>,
    ) -> Result<Var<'g>> {
        let tensor = tensors.remove(name).ok_or_else(|| missing(&self.request.name, name))?;
        self.leaves.push(Leaf::new(self.graph, name, layout, &tensor)?);
        Ok(self.leaves[self.leaves.len() - 1].var)
    }

    fn convolution(&mut self, x: Var<'g>, tensors: &mut BTreeMap<String, Tensor<T>>) -> Result<Var<'g>> {
        let options = self.request.conv_options()?;
        let w = self.leaf("w", Layout::Weight, tensors)?;
        let (y, small) = if self.request.name == "conv2d" {
            let y = x.conv2d(w, options)?;
            (y, y)
        } else {
            (x.conv_transpose2d(w, options)?, x)
        };
        let [_, height, width, _] = small.shape().0;
        let [kh, kw, inputs, _] = w.shape().0;
        self.bounded("the windows of one image", &[height, width, kh, kw, inputs])?;
        if !tensors.contains_key("b") {
            return Ok(y);
        }
        let b = self.leaf("b", Layout::Vector, tensors)?;
        if b.shape().channels() != y.shape().channels() {
            return Err(Error::Input(format!(
                "{}: b has {} numbers but y has {} channels: they must be the same",
                self.request.name,
                b.shape().channels(),
                y.shape().channels()
            )));
        }
        y.add(b)
    }

    fn norm(&mut self, x: Var<'g>, tensors: &mut BTreeMap<String, Tensor<T>>) -> Result<Var<'g>> {
        let (eps, momentum) = (self.request.eps, self.request.momentum);
        let affine = self.pair(["w", "b"], tensors)?.map(|(shape, values)| {
            let var = self.graph.input("affine", shape);
            self.leaves.push(Leaf { name: "affine", layout: Layout::Pair, var, values });
            var
        });
        match self.request.name.as_str() {
            "instance_norm" => return x.instance_norm(affine, eps),
            "group_norm" => return x.group_norm(self.request.groups, affine, eps),
            _ => {}
        }
        self.running = self.pair(["rm", "rv"], tensors)?;
        let slot = Slot { buffer: 0, offset: 0 };
        let running = self.running.as_ref().map(|&(shape, _)| self.graph.state(slot, shape));
        if let (Some(running), "batch_norm_eval") = (running, self.request.name.as_str()) {
            return x.batch_norm_eval(running, affine, eps);
        }
        let (y, moments) = x.norm(Per::Batch, affine, eps)?;
        if let Some(running) = running {
            if running.shape() != moments.shape() {
                return Err(Error::Input(format!(
                    "batch_norm: rm and rv have {} numbers but x has {} channels: they must be the same",
                    running.shape().channels(),
                    moments.shape().channels()
                )));
            }
            let count = x.shape().len() / x.shape().channels();
            self.updates.push(Update::RunningMoments { slot, moments: moments.id(), momentum, count });
        }
        Ok(y)
    }

    /// Two vectors of one length as the rows of `[1, 1, 2, channels]`, if they were given.
    fn pair(
        &self,
        names: [&'static str; 2],
        tensors: &mut BTreeMap<String, Tensor<T>>,
    ) -> Result<Option<(Shape, Vec<T>)>> {
        let [a, b] = names;
        let fail = |problem| Err(Error::Input(format!("{}: {problem}", self.request.name)));
        let (first, second) = match (tensors.remove(a), tensors.remove(b)) {
            (Some(first), Some(second)) => (first, second),
            (None, None) => return Ok(None),
            _ => return fail(format!("{a} and {b} belong together: give both, or neither")),
        };
        let (shape, other) = (first.graph_shape(a, Layout::Vector)?, second.graph_shape(b, Layout::Vector)?);
        if shape != other {
            return fail(format!("{a} is {:?} but {b} is {:?}", first.shape, second.shape));
        }
        let values = [first.values, second.values].concat();
        Ok(Some((Shape([1, 1, 2, shape.channels()]), values)))
    }

    fn bounded(&self, what: &str, extents: &[usize]) -> Result<()> {
        let numbers = extents.iter().fold(1, |product: usize, &extent| product.saturating_mul(extent));
        if numbers > LARGEST {
            return Err(Error::Input(format!(
                "{}: {what} would hold {numbers} numbers, more than {LARGEST}; use smaller tensors or settings",
                self.request.name
            )));
        }
        Ok(())
    }
}
