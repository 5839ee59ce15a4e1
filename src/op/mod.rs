//! One operation and its gradients on tensors in PyTorch's layouts: the library half of `mewgan op`.
//!
//! Images are `[N, C, H, W]`, weights `[O, I, kh, kw]` for conv2d and `[I, O, kh, kw]` for conv_transpose2d, vectors
//! `[C]`. What comes in is checked before anything runs, so no file can make an executor meet sizes it does not expect.

mod call;
mod signature;
mod tensor;

pub use signature::names;

use crate::executor::Executor;
use crate::graph::{Graph, StateBuffer, Step, Var, gradients};
use crate::shape::ConvOptions;
use crate::tensor_file::Tensor;
use crate::{Error, Result};
use call::{Call, Leaf};
use signature::Signature;
use std::collections::BTreeMap;
use tensor::{Layout, torch_shape};

/// Which operation, and its settings. A setting the operation does not have must keep its default.
#[derive(Clone, Debug, PartialEq)]
pub struct OpRequest {
    /// PyTorch's name of the operation: one of [`names`].
    pub name: String,
    /// Of max_pool2d, along height and width.
    pub kernel: [usize; 2],
    /// Of a convolution or max_pool2d, along height and width.
    pub stride: [usize; 2],
    /// Of a convolution or max_pool2d: one number, or two along height and width. Of reflection_pad2d: one number, or four as
    /// PyTorch orders them, left, right, top, bottom.
    pub padding: Vec<usize>,
    /// Of conv_transpose2d, along height and width.
    pub output_padding: [usize; 2],
    /// Of a norm: added to the variance.
    pub eps: f64,
    /// Of batch_norm: share of the batch in the running statistics.
    pub momentum: f64,
    /// Of group_norm: how many groups.
    pub groups: usize,
    /// Of leaky_relu, for negative numbers.
    pub slope: f64,
    /// Of slice_channels: the first channel, and the one behind the last.
    pub channels: [usize; 2],
    /// Of upsample_nearest2d: how often each pixel is repeated along height and width.
    pub scale: [usize; 2],
}

impl OpRequest {
    /// The operation with PyTorch's defaults, a scale and a kernel of 2, one group and the first channel.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kernel: [2; 2],
            // Windows of max_pool2d lie side by side.
            stride: if name == "max_pool2d" { [2; 2] } else { [1; 2] },
            padding: vec![0],
            output_padding: [0; 2],
            eps: 1e-5,
            momentum: 0.1,
            groups: 1,
            slope: 0.01,
            channels: [0, 1],
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
/// these after the pass. `make_executor` makes one step over some state buffers ready on the device of choice.
///
/// # Errors
/// If the operation is unknown, a setting does not apply, a tensor is missing, unknown, or of a wrong shape, or the
/// device fails.
pub fn run<T: Copy + Default>(
    request: &OpRequest,
    mut tensors: BTreeMap<String, Tensor<T>>,
    make_executor: impl FnOnce(&[StateBuffer], Vec<Step>) -> Result<Box<dyn Executor<T>>>,
) -> Result<BTreeMap<String, Tensor<T>>> {
    let signature = Signature::of(&request.name)?;
    signature.check_settings(request)?;
    signature.check_tensors(&tensors)?;

    let graph = Graph::new();
    let mut call = Call::new(request, &graph);
    let y = call.apply(&mut tensors)?;
    let Call { mut leaves, running, updates, .. } = call;

    let mut outputs = vec![("y", y, Layout::Image)];
    if let Some(gy) = tensors.remove("gy") {
        let gy = Leaf::new(&graph, "gy", Layout::Image, &gy)?;
        if gy.var.shape() != y.shape() {
            return Err(Error::Input(format!(
                "{}: gy is {:?} but y is {:?}: they must be the same",
                request.name,
                torch_shape(Layout::Image, gy.var.shape()),
                torch_shape(Layout::Image, y.shape())
            )));
        }
        let wrt: Vec<Var<'_>> = leaves.iter().map(|leaf| leaf.var).collect();
        let found = gradients(y.mul(gy.var)?.sum(), &wrt)?;
        outputs.extend(leaves.iter().zip(found).map(|(leaf, var)| (leaf.gradient(), var, leaf.layout)));
        leaves.push(gy);
    }

    let named: Vec<(&str, Var<'_>)> = outputs.iter().map(|&(name, var, _)| (name, var)).collect();
    let step = Step::new(&request.name, &graph, &named, updates)?;
    let buffer = running.as_ref().map(|&(shape, _)| {
        let mut buffer = StateBuffer::default();
        buffer.push("running", shape);
        buffer
    });
    let mut executor = make_executor(buffer.as_slice(), vec![step])?;
    if let (Some(buffer), Some((_, values))) = (&buffer, &running) {
        let mut numbers = vec![T::default(); buffer.len];
        buffer.view_mut(&mut numbers, 0).copy_from_slice(values);
        executor.write_state(0, &numbers)?;
    }
    for leaf in &leaves {
        executor.write_input(0, leaf.name, &leaf.values)?;
    }
    executor.run(&[0])?;
    let updated = buffer.filter(|_| request.name == "batch_norm");
    results(executor.as_mut(), &outputs, updated.as_ref())
}

/// What one run left: the outputs, and the running statistics where `updated` holds them.
fn results<T: Copy>(
    executor: &mut dyn Executor<T>,
    outputs: &[(&str, Var<'_>, Layout)],
    updated: Option<&StateBuffer>,
) -> Result<BTreeMap<String, Tensor<T>>> {
    let mut results = BTreeMap::new();
    for &(name, var, layout) in outputs {
        let values = executor.read_output(0, name)?;
        if layout == Layout::Pair {
            insert_pair(&mut results, ["dw", "db"], &values);
        } else {
            results.insert(name.to_owned(), Tensor::from_graph(layout, var.shape(), &values));
        }
    }
    if let Some(buffer) = updated {
        let values = executor.read_state(0)?;
        insert_pair(&mut results, ["rm", "rv"], buffer.view(&values, 0));
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
