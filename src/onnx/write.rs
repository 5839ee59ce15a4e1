//! From layers to ONNX's operators.

use super::proto::{Attribute, FLOAT, INT64, Node, Tensor};
use crate::graph::Unary;
use crate::nn::torch::TorchTensor;
use crate::nn::{Layer, NORM_EPS, NormMode};
use crate::shape::ConvOptions;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// A network's operators while they are written. Every value is named after the layer that makes it.
pub(super) struct Writing {
    weights: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    statistics: NormMode,
    nodes: Vec<Node>,
    tensors: Vec<Tensor>,
}

impl Writing {
    pub fn new(weights: Vec<TorchTensor>, statistics: NormMode) -> Self {
        let weights = weights.into_iter().map(|(name, shape, numbers)| (name, (shape, numbers))).collect();
        Self { weights, statistics, nodes: Vec::new(), tensors: Vec::new() }
    }

    /// All operators, and the tensors that they read.
    pub fn finish(self) -> (Vec<Node>, Vec<Tensor>) {
        (self.nodes, self.tensors)
    }

    /// Layers one after another, on the value `x`; returns the name of what they make.
    pub fn layers(&mut self, layers: &[Layer], path: &str, x: &str) -> Result<String> {
        let mut results: Vec<String> = Vec::with_capacity(layers.len());
        for (index, layer) in layers.iter().enumerate() {
            let x = results.last().map_or(x, String::as_str).to_owned();
            let result = self.layer(layer, &format!("{path}.{index}"), &x, &results)?;
            results.push(result);
        }
        Ok(results.pop().unwrap_or_else(|| x.into()))
    }

    fn layer(&mut self, layer: &Layer, at: &str, x: &str, results: &[String]) -> Result<String> {
        match *layer {
            Layer::Conv2d { kernel, options, bias, .. } => {
                self.contraction("Conv", at, x, kernel, options, bias)
            }
            Layer::ConvTranspose2d { kernel, options, bias, .. } => {
                self.contraction("ConvTranspose", at, x, kernel, options, bias)
            }
            Layer::BatchNorm(_) => self.batch_norm(at, x),
            Layer::InstanceNorm(channels) => {
                let scale = self.floats(&format!("{at}.scale"), &[channels], &vec![1.0; channels]);
                let shift = self.floats(&format!("{at}.shift"), &[channels], &vec![0.0; channels]);
                let eps = float("epsilon", NORM_EPS as f32);
                Ok(self.node("InstanceNormalization", at, &[x, &scale, &shift], vec![eps]))
            }
            Layer::Activation(function) => Ok(self.activation(function, at, x)),
            Layer::ReflectionPad(side) => {
                let side = side as i64;
                let pads = self.ints(&format!("{at}.pads"), &[0, 0, side, side, 0, 0, side, side]);
                Ok(self.node("Pad", at, &[x, &pads], vec![word("mode", "reflect")]))
            }
            Layer::UpsampleNearest(factor) => {
                let settings = [("mode", "nearest"), ("nearest_mode", "floor")];
                Ok(self.resize(at, x, factor, "asymmetric", &settings))
            }
            Layer::UpsampleBilinear => Ok(self.resize(at, x, 2, "half_pixel", &[("mode", "linear")])),
            Layer::AvgPool(block) => {
                let block = [block; 2];
                let settings = vec![ints("kernel_shape", &block), ints("strides", &block)];
                Ok(self.node("AveragePool", at, &[x], settings))
            }
            Layer::Residual(ref layers) => {
                let change = self.layers(layers, at, x)?;
                Ok(self.node("Add", at, &[x, &change], vec![]))
            }
            Layer::Skip(ref layers) => {
                let result = self.layers(layers, at, x)?;
                Ok(self.node("Concat", at, &[x, &result], vec![whole_number("axis", 1)]))
            }
            // It drops nothing but in training.
            Layer::Dropout(_) => Ok(x.into()),
            Layer::Excite { from, ref gate } => {
                let gate = self.layers(gate, at, &results[from])?;
                Ok(self.node("Mul", at, &[x, &gate], vec![]))
            }
        }
    }

    fn activation(&mut self, function: Unary, at: &str, x: &str) -> String {
        let op = match function {
            Unary::Affine { scale, offset } => {
                let scale = self.floats(&format!("{at}.scale"), &[1], &[scale as f32]);
                let scaled = self.node("Mul", &format!("{at}.scaled"), &[x, &scale], vec![]);
                let offset = self.floats(&format!("{at}.offset"), &[1], &[offset as f32]);
                return self.node("Add", at, &[&scaled, &offset], vec![]);
            }
            Unary::LeakyRelu { slope: 0.0 } => "Relu",
            Unary::LeakyRelu { slope } => {
                return self.node("LeakyRelu", at, &[x], vec![float("alpha", slope as f32)]);
            }
            Unary::Tanh => "Tanh",
            Unary::Sigmoid => "Sigmoid",
            Unary::Softplus => "Softplus",
            Unary::Square => return self.node("Mul", at, &[x, x], vec![]),
            Unary::Abs => "Abs",
            Unary::Exp => "Exp",
            Unary::Log => "Log",
            Unary::Rsqrt => {
                let root = self.node("Sqrt", &format!("{at}.sqrt"), &[x], vec![]);
                return self.node("Reciprocal", at, &[&root], vec![]);
            }
        };
        self.node(op, at, &[x], vec![])
    }

    fn contraction(
        &mut self,
        op: &str,
        at: &str,
        x: &str,
        kernel: [usize; 2],
        options: ConvOptions,
        bias: bool,
    ) -> Result<String> {
        let [top, left] = options.padding;
        let mut settings = vec![
            ints("kernel_shape", &kernel),
            ints("strides", &options.stride),
            ints("pads", &[top, left, top, left]),
        ];
        if options.output_padding != [0, 0] {
            settings.push(ints("output_padding", &options.output_padding));
        }
        let mut inputs = vec![x.to_owned(), self.weight(at, "weight")?];
        if bias {
            inputs.push(self.weight(at, "bias")?);
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        Ok(self.node(op, at, &inputs, settings))
    }

    fn batch_norm(&mut self, at: &str, x: &str) -> Result<String> {
        if self.statistics == NormMode::Running {
            let mut inputs = vec![x.to_owned()];
            for leaf in ["weight", "bias", "running_mean", "running_var"] {
                inputs.push(self.weight(at, leaf)?);
            }
            let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
            return Ok(self.node("BatchNormalization", at, &inputs, vec![float("epsilon", NORM_EPS as f32)]));
        }
        let [weight, bias] = [self.planes(at, "weight")?, self.planes(at, "bias")?];
        // Of all images and pixels, channel by channel.
        let axes = || vec![ints("axes", &[0, 2, 3])];
        let eps = self.floats(&format!("{at}.eps"), &[], &[NORM_EPS as f32]);
        let mean = self.node("ReduceMean", &format!("{at}.mean"), &[x], axes());
        let centred = self.node("Sub", &format!("{at}.centred"), &[x, &mean], vec![]);
        let squares = self.node("Mul", &format!("{at}.squares"), &[&centred, &centred], vec![]);
        let variance = self.node("ReduceMean", &format!("{at}.variance"), &[&squares], axes());
        let above = self.node("Add", &format!("{at}.variance_eps"), &[&variance, &eps], vec![]);
        let deviation = self.node("Sqrt", &format!("{at}.deviation"), &[&above], vec![]);
        let normal = self.node("Div", &format!("{at}.normal"), &[&centred, &deviation], vec![]);
        let scaled = self.node("Mul", &format!("{at}.scaled"), &[&normal, &weight], vec![]);
        Ok(self.node("Add", at, &[&scaled, &bias], vec![]))
    }

    fn resize(
        &mut self,
        at: &str,
        x: &str,
        factor: usize,
        coordinates: &str,
        settings: &[(&str, &str)],
    ) -> String {
        let factor = factor as f32;
        let scales = self.floats(&format!("{at}.scales"), &[4], &[1.0, 1.0, factor, factor]);
        let mut attributes = vec![word("coordinate_transformation_mode", coordinates)];
        attributes.extend(settings.iter().map(|(name, value)| word(name, value)));
        // The second input, a region, is left out.
        self.node("Resize", at, &[x, "", &scales], attributes)
    }

    /// An operator that is named as what it makes; returns that name.
    pub fn node(&mut self, op: &str, name: &str, inputs: &[&str], attribute: Vec<Attribute>) -> String {
        self.nodes.push(Node {
            input: inputs.iter().map(|&input| input.into()).collect(),
            output: vec![name.into()],
            name: name.into(),
            op_type: op.into(),
            attribute,
        });
        name.into()
    }

    /// A tensor of the network, by the module it belongs to.
    fn weight(&mut self, module: &str, leaf: &str) -> Result<String> {
        let name = format!("{module}.{leaf}");
        let (shape, numbers) = self.take(&name)?;
        Ok(self.floats(&name, &shape, &numbers))
    }

    /// A vector of the network as `[channels, 1, 1]`, to meet images.
    fn planes(&mut self, module: &str, leaf: &str) -> Result<String> {
        let name = format!("{module}.{leaf}");
        let (_, numbers) = self.take(&name)?;
        Ok(self.floats(&name, &[numbers.len(), 1, 1], &numbers))
    }

    fn take(&mut self, name: &str) -> Result<(Vec<usize>, Vec<f32>)> {
        let missing = || Error::Input(format!("{name}: no such weight to write to an ONNX file"));
        self.weights.remove(name).ok_or_else(missing)
    }

    fn floats(&mut self, name: &str, shape: &[usize], numbers: &[f32]) -> String {
        let raw_data = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.tensor(name, shape, FLOAT, raw_data)
    }

    pub fn ints(&mut self, name: &str, numbers: &[i64]) -> String {
        let raw_data = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.tensor(name, &[numbers.len()], INT64, raw_data)
    }

    /// A whole number without extents.
    pub fn whole(&mut self, name: &str, number: i64) -> String {
        self.tensor(name, &[], INT64, number.to_le_bytes().into())
    }

    fn tensor(&mut self, name: &str, shape: &[usize], data_type: i32, raw_data: Vec<u8>) -> String {
        let dims = shape.iter().map(|&extent| extent as i64).collect();
        self.tensors.push(Tensor { dims, data_type, name: name.into(), raw_data });
        name.into()
    }
}

fn float(name: &str, value: f32) -> Attribute {
    Attribute { name: name.into(), f: Some(value), kind: 1, ..Default::default() }
}

fn whole_number(name: &str, value: i64) -> Attribute {
    Attribute { name: name.into(), i: Some(value), kind: 2, ..Default::default() }
}

fn word(name: &str, value: &str) -> Attribute {
    Attribute { name: name.into(), s: Some(value.as_bytes().to_vec()), kind: 3, ..Default::default() }
}

fn ints(name: &str, values: &[usize]) -> Attribute {
    let ints = values.iter().map(|&value| value as i64).collect();
    Attribute { name: name.into(), ints, kind: 7, ..Default::default() }
}
