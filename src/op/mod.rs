//! One operation and its gradients on tensors in PyTorch's layouts: the library half of `mewgpu op`.
//!
//! Pictures are `[N, C, H, W]`, weights `[O, I, kh, kw]` for conv2d and `[I, O, kh, kw]` for conv_transpose2d, vectors
//! `[C]`. What comes in is checked before anything runs, so no file can make an executor meet sizes it does not expect.

mod file;
mod signature;
mod tensor;

pub use file::{Tensors, read, write};
pub use signature::names;
pub use tensor::Tensor;

use crate::executor::Executor;
use crate::graph::{Bank, Graph, Per, Slot, Step, Update, Var, gradients};
use crate::shape::{ConvOptions, Shape};
use crate::{Error, Result};
use signature::Signature;
use std::collections::BTreeMap;
use tensor::{Layout, torch_shape};

/// The most numbers one tensor, or the windows a convolution reads from one picture, may hold.
const LARGEST: usize = 1 << 30;

/// Which operation, and its settings. A setting the operation does not have must keep its default.
#[derive(Clone, Debug, PartialEq)]
pub struct OpRequest {
    /// PyTorch's name of the operation: one of [`names`].
    pub name: String,
    /// Of a convolution, along height and width.
    pub stride: [usize; 2],
    /// Of a convolution: one number, or two along height and width. Of reflection_pad2d: one number, or four as
    /// PyTorch orders them, left, right, top, bottom.
    pub padding: Vec<usize>,
    /// Of conv_transpose2d, along height and width.
    pub output_padding: [usize; 2],
    /// Of a norm: added to the variance.
    pub eps: f64,
    /// Of batch_norm: share of the batch in the running statistics.
    pub momentum: f64,
    /// Of leaky_relu, for negative numbers.
    pub slope: f64,
    /// Of upsample_nearest2d: how often each pixel is repeated along height and width.
    pub scale: [usize; 2],
}

impl OpRequest {
    /// The operation with PyTorch's defaults, and a scale of 2.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            stride: [1; 2],
            padding: vec![0],
            output_padding: [0; 2],
            eps: 1e-5,
            momentum: 0.1,
            slope: 0.01,
            scale: [2; 2],
        }
    }

    fn conv_options(&self) -> Result<ConvOptions> {
        let padding = match *self.padding {
            [both] => [both; 2],
            [rows, columns] => [rows, columns],
            _ => return Err(self.wrong_padding("1 or 2 numbers (along height, along width)")),
        };
        Ok(ConvOptions { stride: self.stride, padding, output_padding: self.output_padding })
    }

    /// As the graph orders them: top, bottom, left, right.
    fn reflection(&self) -> Result<[usize; 4]> {
        match *self.padding {
            [all] => Ok([all; 4]),
            [left, right, top, bottom] => Ok([top, bottom, left, right]),
            _ => Err(self.wrong_padding("1 or 4 numbers (left, right, top, bottom)")),
        }
    }

    fn wrong_padding(&self, expected: &str) -> Error {
        Error::Input(format!("{}: padding takes {expected}, not {:?}", self.name, self.padding))
    }
}

/// Runs the operation on `tensors` and returns `y`; where they hold `gy`, the gradient that arrives at `y`, also the
/// gradients `dx`, `dw`, `db` of what was given; for batch_norm with `rm` and `rv` (running mean and variance) also
/// these after the pass. `make_executor` makes one step over some banks ready on the device of choice.
///
/// # Errors
/// If the operation is unknown, a setting does not apply, a tensor is missing, unknown, or of a wrong shape, or the
/// device fails.
pub fn run<T: Copy + Default>(
    request: &OpRequest,
    mut tensors: BTreeMap<String, Tensor<T>>,
    make_executor: impl FnOnce(&[Bank], Vec<Step>) -> Result<Box<dyn Executor<T>>>,
) -> Result<BTreeMap<String, Tensor<T>>> {
    let signature = Signature::of(&request.name)?;
    signature.check_settings(request)?;
    signature.check_tensors(&tensors)?;

    let graph = Graph::new();
    let mut call = Call { request, graph: &graph, leaves: Vec::new(), running: None, updates: Vec::new() };
    let y = call.apply(&mut tensors)?;
    let Call { mut leaves, running, updates, .. } = call;

    let mut outputs = vec![("y", y, Layout::Picture)];
    if let Some(gy) = tensors.remove("gy") {
        let gy = Leaf::new(&graph, "gy", Layout::Picture, &gy)?;
        if gy.var.shape() != y.shape() {
            return Err(Error::Input(format!(
                "{}: gy is {:?} but y is {:?}: they must be the same",
                request.name,
                torch_shape(Layout::Picture, gy.var.shape()),
                torch_shape(Layout::Picture, y.shape())
            )));
        }
        let wrt: Vec<Var<'_>> = leaves.iter().map(|leaf| leaf.var).collect();
        let found = gradients(y.mul(gy.var)?.sum(), &wrt)?;
        outputs.extend(leaves.iter().zip(found).map(|(leaf, var)| (leaf.gradient(), var, leaf.layout)));
        leaves.push(gy);
    }

    let named: Vec<(&str, Var<'_>)> = outputs.iter().map(|&(name, var, _)| (name, var)).collect();
    let step = Step::new(&request.name, &graph, &named, updates);
    let mut bank = Bank::default();
    if let Some((shape, _)) = running {
        bank.push("running", shape);
    }
    let mut executor = make_executor(std::slice::from_ref(&bank), vec![step])?;
    if let Some((_, values)) = &running {
        let mut numbers = vec![T::default(); bank.len];
        bank.view_mut(&mut numbers, 0).copy_from_slice(values);
        executor.write_bank(0, &numbers)?;
    }
    for leaf in &leaves {
        executor.write_input(0, leaf.name, &leaf.values)?;
    }
    executor.run(&[0])?;

    let mut results = BTreeMap::new();
    for (name, var, layout) in outputs {
        let values = executor.read_output(0, name)?;
        match layout {
            Layout::Pair => insert_pair(&mut results, ["dw", "db"], &values),
            _ => drop(results.insert(name.to_owned(), Tensor::from_graph(layout, var.shape(), &values))),
        }
    }
    if running.is_some() && request.name == "batch_norm" {
        let values = executor.read_bank(0)?;
        insert_pair(&mut results, ["rm", "rv"], bank.view(&values, 0));
    }
    Ok(results)
}

/// The two rows of `[1, 1, 2, channels]` as two vectors.
fn insert_pair<T: Copy>(results: &mut BTreeMap<String, Tensor<T>>, names: [&str; 2], values: &[T]) {
    let rows = values.chunks(values.len() / 2);
    for (name, row) in names.into_iter().zip(rows) {
        results.insert(name.to_owned(), Tensor { shape: vec![row.len()], values: row.to_vec() });
    }
}

/// An input of the graph, with its numbers in the graph's layout.
struct Leaf<'g, T> {
    name: &'static str,
    layout: Layout,
    var: Var<'g>,
    values: Vec<T>,
}

impl<'g, T: Copy> Leaf<'g, T> {
    fn new(graph: &'g Graph, name: &'static str, layout: Layout, tensor: &Tensor<T>) -> Result<Self> {
        let shape = tensor.graph_shape(name, layout)?;
        Ok(Self { name, layout, var: graph.input(name, shape), values: tensor.to_graph(layout, shape) })
    }

    fn gradient(&self) -> &'static str {
        match self.name {
            "x" => "dx",
            "b" => "db",
            _ => "dw",
        }
    }
}

/// The graph of one request as it is built.
struct Call<'a, 'g, T> {
    request: &'a OpRequest,
    graph: &'g Graph,
    /// What gradients are taken to.
    leaves: Vec<Leaf<'g, T>>,
    /// Shape and numbers of the running statistics.
    running: Option<(Shape, Vec<T>)>,
    updates: Vec<Update>,
}

impl<'g, T: Copy> Call<'_, 'g, T> {
    fn apply(&mut self, tensors: &mut BTreeMap<String, Tensor<T>>) -> Result<Var<'g>> {
        let request = self.request;
        let x = self.leaf("x", Layout::Picture, tensors)?;
        let y = match request.name.as_str() {
            "conv2d" | "conv_transpose2d" => self.convolution(x, tensors),
            "batch_norm" | "batch_norm_eval" | "instance_norm" => self.norm(x, tensors),
            "relu" => Ok(x.relu()),
            "leaky_relu" => x.leaky_relu(request.slope),
            "tanh" => Ok(x.tanh()),
            "sigmoid" => Ok(x.sigmoid()),
            "softplus" => Ok(x.softplus()),
            "reflection_pad2d" => x.reflection_pad2d(request.reflection()?),
            _ => x.upsample_nearest2d(request.scale),
        }
        .map_err(|error| match error {
            Error::Graph { op, problem } => {
                let problem = format!("{problem} (pictures here are [batch, height, width, channels])");
                Error::Graph { op, problem }
            }
            other => other,
        })?;
        self.bounded("y", &y.shape().0)?;
        Ok(y)
    }

    fn leaf(
        &mut self,
        name: &'static str,
        layout: Layout,
        tensors: &mut BTreeMap<String, Tensor<T>>,
    ) -> Result<Var<'g>> {
        let tensor = tensors.remove(name).ok_or_else(|| signature::missing(&self.request.name, name))?;
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
        self.bounded("the windows of one picture", &[height, width, kh, kw, inputs])?;
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
        if self.request.name == "instance_norm" {
            return x.instance_norm(affine, eps);
        }
        self.running = self.pair(["rm", "rv"], tensors)?;
        let slot = Slot { bank: 0, offset: 0 };
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
