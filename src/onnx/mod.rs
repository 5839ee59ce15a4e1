//! Networks as ONNX files, which onnxruntime and others run: the operators of opset 17, images as `[batch, channels, height,
//! width]`, values and nodes under the names of the layers that they come from, such as `main.3`.

pub mod proto;
mod sides;
mod write;

use crate::nn::torch::TorchTensor;
use crate::nn::{Network, NormMode};
use crate::{Error, Result};
use prost::Message;
use proto::{Entry, Extent, Extents, FLOAT, Graph, Model, OperatorSet, Size, TensorType, Type, ValueInfo};
pub use sides::Sides;
use write::Writing;

/// The version of ONNX's operators.
const OPSET: i64 = 17;
/// The version of its messages that came with them.
const IR: i64 = 8;
/// Bytes of the longest message that its readers take.
const LONGEST: usize = i32::MAX as usize;

/// What goes into a network, or comes out.
#[derive(Clone, Debug)]
pub struct Port {
    /// Its name.
    pub name: &'static str,
    /// Its extents.
    pub extents: [Size; 4],
    /// What it means, in words.
    pub meaning: String,
}

/// A network to be written, and what is said about it.
#[derive(Clone, Debug)]
pub struct Export<'a> {
    /// The network.
    pub network: &'a Network,
    /// Its `state_dict`.
    pub weights: Vec<TorchTensor>,
    /// What batch norms normalise by.
    pub statistics: NormMode,
    /// What goes in.
    pub input: Port,
    /// What comes out.
    pub output: Port,
    /// Of a network of images: which sides it takes, so that the file takes any. None where it takes what goes in as it is.
    pub sides: Option<Sides>,
    /// What it is, in words.
    pub about: String,
    /// More about it, by name.
    pub metadata: Vec<(&'static str, String)>,
}

impl Export<'_> {
    /// The bytes of the file; equal exports make equal ones.
    ///
    /// # Errors
    /// If a weight that the network needs is not there, or the file would be longer than ONNX's messages can be.
    pub fn bytes(self) -> Result<Vec<u8>> {
        let Self { network, weights, statistics, input, output, sides, about, metadata } = self;
        let mut writing = Writing::new(weights, statistics);
        let last = match sides {
            None => writing.layers(&network.layers, "main", input.name)?,
            Some(sides) => {
                let (x, own) = sides.mirrored(&mut writing, input.name);
                let y = writing.layers(&network.layers, "main", &x)?;
                Sides::cropped(&mut writing, &y, &own)
            }
        };
        let (mut node, initializer) = writing.finish();
        for name in node.iter_mut().flat_map(|node| &mut node.output).filter(|name| **name == last) {
            output.name.clone_into(name);
        }
        let graph = Graph {
            node,
            name: network.name.clone(),
            initializer,
            input: vec![input.info()],
            output: vec![output.info()],
        };
        let entry = |(key, value): (&str, String)| Entry { key: key.into(), value };
        let model = Model {
            ir_version: IR,
            producer_name: env!("CARGO_PKG_NAME").into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            doc_string: about,
            graph: Some(graph),
            opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
            metadata_props: metadata.into_iter().map(entry).collect(),
        };
        let bytes = model.encode_to_vec();
        if bytes.len() > LONGEST {
            return Err(Error::Input(format!(
                "{}: {} MiB as ONNX, which has room for 2048 in one file; export a generator of fewer channels (`g_width`)",
                network.name,
                bytes.len() >> 20
            )));
        }
        Ok(bytes)
    }
}

impl Port {
    fn info(self) -> ValueInfo {
        let dim = self.extents.map(|size| Extent { size: Some(size) }).into();
        let tensor = TensorType { elem_type: FLOAT, shape: Some(Extents { dim }) };
        ValueInfo {
            name: self.name.into(),
            of: Some(Type { tensor: Some(tensor) }),
            doc_string: self.meaning,
        }
    }
}
