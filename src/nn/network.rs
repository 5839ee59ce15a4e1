//! From layers to parameters and graph nodes.

use super::layer::{Layer, NORM_EPS, NORM_MOMENTUM};
use crate::Result;
use crate::graph::{Per, Slot, StateBuffer, Update, Var};
use crate::shape::Shape;
use std::slice::Iter;

/// A named list of layers.
#[derive(Clone, Debug)]
pub struct Network {
    /// What it is called in checkpoints, such as `generator`.
    pub name: String,
    /// Its layers, numbered under `main`, as in `self.main = nn.Sequential(..)`.
    pub layers: Vec<Layer>,
}

/// A tensor of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// PyTorch's name of the module that holds it, such as `main.0`.
    pub module: String,
    /// Shape in the graph.
    pub shape: Shape,
    /// What it is.
    pub kind: ParameterKind,
}

/// What a tensor is to its layer, which decides its initial values and its layout in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Weights of a convolution or transposed convolution. The fan-in is what PyTorch computes: in-channels times
    /// taps for a convolution, out-channels times taps for a transposed one.
    ConvWeight {
        /// Summands PyTorch's initialisation counts per result.
        fan_in: usize,
        /// Whether they are divided by their largest singular value before they are used.
        spectral: bool,
    },
    /// Bias of either.
    ConvBias {
        /// As for the weights.
        fan_in: usize,
    },
    /// Weight and bias of a norm.
    NormAffine,
    /// Running mean and variance of a batch norm; not trained.
    NormRunning,
    /// Estimate of the left singular vector, over outputs, that belongs to the largest singular value of the weights before
    /// it; not trained.
    SpectralU,
    /// That of the right one, over taps and inputs.
    SpectralV,
}

impl ParameterKind {
    /// Whether an optimizer trains it.
    pub const fn is_trained(self) -> bool {
        !matches!(self, Self::NormRunning | Self::SpectralU | Self::SpectralV)
    }
}

/// A network's tensors as nodes of one graph.
#[derive(Clone, Debug)]
pub struct Tensors<'g> {
    /// The trained ones, in the order of [`Network::parameters`].
    pub parameters: Vec<Var<'g>>,
    /// What is kept beside them, in the order of [`Network::running`], and where it lives.
    pub running: Vec<(Var<'g>, Slot)>,
}

impl<'g> Tensors<'g> {
    /// The trained tensors of several networks, one network after another.
    pub fn parameters(networks: &[Self]) -> Vec<Var<'g>> {
        networks.iter().flat_map(|of| of.parameters.iter().copied()).collect()
    }
}

/// What batch norms normalise by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NormMode {
    /// The batch at hand, as in PyTorch's `train()` mode.
    Batch,
    /// The running averages, as in PyTorch's `eval()` mode.
    Running,
    /// The whole batch, of which this process computes a part and others the rest, as `SyncBatchNorm` has it: see
    /// [`Var::sync_batch_norm`].
    Synced {
        /// This part's share of the whole batch.
        share: f64,
        /// Images in the whole batch.
        whole: usize,
    },
}

impl Network {
    /// `layers`, one after another.
    pub fn new(name: impl Into<String>, layers: impl Into<Vec<Layer>>) -> Self {
        Self { name: name.into(), layers: layers.into() }
    }

    /// The trained tensors, in the order of the layers.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut all = self.all();
        all.retain(|parameter| parameter.kind.is_trained());
        all
    }

    /// What is kept beside them, in the order of the layers: running statistics and singular vectors.
    pub fn running(&self) -> Vec<Parameter> {
        let mut all = self.all();
        all.retain(|parameter| !parameter.kind.is_trained());
        all
    }

    pub(super) fn all(&self) -> Vec<Parameter> {
        let mut all = Vec::new();
        describe(&self.layers, "main", &mut all);
        all
    }

    /// How many numbers are trained.
    pub fn parameter_count(&self) -> usize {
        self.parameters().iter().map(|parameter| parameter.shape.len()).sum()
    }

    /// Gives a tensor of this network a place in `buffer`.
    pub fn push(&self, buffer: &mut StateBuffer, tensor: &Parameter) {
        buffer.push(format!("{}.{}", self.name, tensor.module), tensor.shape);
    }

    /// Applies the layers to `x`. With [`NormMode::Batch`] also returns the updates of the running statistics this
    /// pass makes. Weights are taken as they are: see [`Network::normalized`].
    ///
    /// # Errors
    /// If `x` does not fit the layers.
    ///
    /// # Panics
    /// If `tensors` are not this network's.
    pub fn forward<'g>(
        &self,
        x: Var<'g>,
        tensors: &Tensors<'g>,
        statistics: NormMode,
    ) -> Result<(Var<'g>, Vec<Update>)> {
        let mut pass = Pass::new(tensors, statistics);
        let y = pass.layers(&self.layers, x)?;
        Ok((y, pass.updates))
    }

    /// As [`Network::forward`], but dropout drops: each such layer multiplies what it reads by an input of its shape, `dropout.0`,
    /// `dropout.1`, .. in the order of the layers, of which 0 drops a number and `1 / (1 - share)` keeps one.
    ///
    /// # Errors
    /// If `x` does not fit the layers.
    ///
    /// # Panics
    /// If `tensors` are not this network's.
    pub fn forward_masked<'g>(
        &self,
        x: Var<'g>,
        tensors: &Tensors<'g>,
        statistics: NormMode,
    ) -> Result<(Var<'g>, Vec<Update>)> {
        let mut pass = Pass { masks: Some(0), ..Pass::new(tensors, statistics) };
        let y = pass.layers(&self.layers, x)?;
        Ok((y, pass.updates))
    }

    /// As [`Network::forward`], but each norm that normalises by what it reads is `norm` of that and of its weight and bias, if it
    /// has such; see [`Var::batch_norm_eval`].
    ///
    /// # Errors
    /// If `x` does not fit the layers, or `norm` fails.
    ///
    /// # Panics
    /// If `tensors` are not this network's.
    pub fn forward_with<'g>(
        &self,
        x: Var<'g>,
        tensors: &Tensors<'g>,
        statistics: NormMode,
        norm: &mut Normalizing<'_, 'g>,
    ) -> Result<Var<'g>> {
        Pass { given: Some(norm), ..Pass::new(tensors, statistics) }.layers(&self.layers, x)
    }
}

fn describe(layers: &[Layer], path: &str, out: &mut Vec<Parameter>) {
    for (index, layer) in layers.iter().enumerate() {
        let module = format!("{path}.{index}");
        let mut push = |shape, kind| out.push(Parameter { module: module.clone(), shape, kind });
        match *layer {
            Layer::Conv2d { inputs, outputs, kernel, bias, spectral, .. } => {
                let fan_in = inputs * kernel[0] * kernel[1];
                push(
                    Shape([kernel[0], kernel[1], inputs, outputs]),
                    ParameterKind::ConvWeight { fan_in, spectral },
                );
                if spectral {
                    push(Shape::vector(outputs), ParameterKind::SpectralU);
                    push(Shape([kernel[0], kernel[1], inputs, 1]), ParameterKind::SpectralV);
                }
                if bias {
                    push(Shape::vector(outputs), ParameterKind::ConvBias { fan_in });
                }
            }
            Layer::ConvTranspose2d { inputs, outputs, kernel, bias, .. } => {
                let fan_in = outputs * kernel[0] * kernel[1];
                push(
                    Shape([kernel[0], kernel[1], outputs, inputs]),
                    ParameterKind::ConvWeight { fan_in, spectral: false },
                );
                if bias {
                    push(Shape::vector(outputs), ParameterKind::ConvBias { fan_in });
                }
            }
            Layer::BatchNorm(channels) => {
                push(Shape([1, 1, 2, channels]), ParameterKind::NormAffine);
                push(Shape([1, 1, 2, channels]), ParameterKind::NormRunning);
            }
            Layer::Residual(ref layers)
            | Layer::Skip(ref layers)
            | Layer::Excite { gate: ref layers, .. } => {
                describe(layers, &module, out);
            }
            Layer::InstanceNorm(_)
            | Layer::Activation(_)
            | Layer::ReflectionPad(_)
            | Layer::UpsampleNearest(_)
            | Layer::UpsampleBilinear
            | Layer::AvgPool(_)
            | Layer::Dropout(_) => {}
        }
    }
}

/// What stands for a norm: a function of what it reads, and of its weight and bias.
pub type Normalizing<'n, 'g> = dyn FnMut(Var<'g>, Option<Var<'g>>) -> Result<Var<'g>> + 'n;

/// One walk through the layers, taking tensors in the order [`describe`] lists them.
struct Pass<'a, 'n, 'f, 'g> {
    parameters: Iter<'a, Var<'g>>,
    running: Iter<'a, (Var<'g>, Slot)>,
    statistics: NormMode,
    /// What stands for norms by statistics of what they read, if not those.
    given: Option<&'n mut Normalizing<'f, 'g>>,
    /// How many dropouts have dropped so far, if they do.
    masks: Option<usize>,
    updates: Vec<Update>,
}

impl<'a, 'g> Pass<'a, '_, '_, 'g> {
    fn new(tensors: &'a Tensors<'g>, statistics: NormMode) -> Self {
        let (parameters, running) = (tensors.parameters.iter(), tensors.running.iter());
        Self { parameters, running, statistics, given: None, masks: None, updates: Vec::new() }
    }

    fn layers(&mut self, layers: &[Layer], mut x: Var<'g>) -> Result<Var<'g>> {
        let mut results = Vec::with_capacity(layers.len());
        for layer in layers {
            x = self.layer(layer, x, &results)?;
            results.push(x);
        }
        Ok(x)
    }

    /// One layer on `x`; `results` are those of the layers before it.
    fn layer(&mut self, layer: &Layer, x: Var<'g>, results: &[Var<'g>]) -> Result<Var<'g>> {
        match *layer {
            Layer::Conv2d { options, bias, spectral, .. } => {
                if spectral {
                    // The singular vectors have done their work.
                    self.running.nth(1);
                }
                let y = x.conv2d(self.parameter(), options)?;
                if bias { y.add(self.parameter()) } else { Ok(y) }
            }
            Layer::ConvTranspose2d { options, bias, .. } => {
                let y = x.conv_transpose2d(self.parameter(), options)?;
                if bias { y.add(self.parameter()) } else { Ok(y) }
            }
            Layer::BatchNorm(_) => {
                let affine = Some(self.parameter());
                let &(running, slot) = self.running.next().expect("the tensors are this network's");
                let Shape([images, height, width, _]) = x.shape();
                let (images, (y, moments)) = match (self.statistics, &mut self.given) {
                    (NormMode::Running, _) => return x.batch_norm_eval(running, affine, NORM_EPS),
                    (_, Some(norm)) => return norm(x, affine),
                    (NormMode::Synced { share, whole }, None) => {
                        (whole, x.sync_batch_norm(share, affine, NORM_EPS)?)
                    }
                    (NormMode::Batch, None) => (images, x.norm(Per::Batch, affine, NORM_EPS)?),
                };
                self.updates.push(Update::RunningMoments {
                    slot,
                    moments: moments.id(),
                    momentum: NORM_MOMENTUM,
                    count: images * height * width,
                });
                Ok(y)
            }
            Layer::InstanceNorm(_) => match &mut self.given {
                Some(norm) => norm(x, None),
                None => x.instance_norm(None, NORM_EPS),
            },
            Layer::Activation(function) => Ok(x.unary(function)),
            Layer::ReflectionPad(side) => x.reflection_pad2d([side; 4]),
            Layer::UpsampleNearest(factor) => x.upsample_nearest2d([factor; 2]),
            Layer::UpsampleBilinear => Ok(x.upsample_bilinear2d()),
            Layer::AvgPool(block) => x.avg_pool2d([block; 2]),
            Layer::Residual(ref layers) => x.add(self.layers(layers, x)?),
            Layer::Skip(ref layers) => Var::concat_channels(&[x, self.layers(layers, x)?]),
            Layer::Dropout(_) => match &mut self.masks {
                Some(next) => {
                    *next += 1;
                    x.mul(x.graph().input(&format!("dropout.{}", *next - 1), x.shape()))
                }
                None => Ok(x),
            },
            Layer::Excite { from, ref gate } => x.mul(self.layers(gate, results[from])?),
        }
    }

    fn parameter(&mut self) -> Var<'g> {
        *self.parameters.next().expect("the tensors are this network's")
    }
}
