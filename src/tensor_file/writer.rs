//! A safetensors file as it is put together.

use super::Dtype;
use safetensors::SafeTensorError;
use safetensors::tensor::{TensorView, serialize, serialize_to_file};
use std::collections::HashMap;
use std::io::Error;
use std::path::Path;

/// What a file is to hold. Equal tensors, and one text at most, make equal bytes.
#[derive(Default)]
pub(crate) struct Writer {
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
    texts: Option<HashMap<String, String>>,
}

impl Writer {
    /// Adds a tensor of float32.
    pub fn f32(&mut self, name: &str, shape: &[usize], numbers: &[f32]) {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.tensors.push((name.to_owned(), Dtype::F32, shape.to_vec(), bytes));
    }

    /// Adds a tensor of float64.
    pub fn f64(&mut self, name: &str, shape: &[usize], numbers: &[f64]) {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.tensors.push((name.to_owned(), Dtype::F64, shape.to_vec(), bytes));
    }

    /// Adds a text to the header.
    pub fn text(&mut self, name: &str, text: String) {
        self.texts.get_or_insert_default().insert(name.to_owned(), text);
    }

    /// The file.
    ///
    /// # Errors
    /// If a tensor's shape does not fit its numbers: what is wrong, in words that follow the path.
    pub fn bytes(self) -> Result<Vec<u8>, String> {
        let views = self.tensors.iter().map(|(name, dtype, shape, bytes)| {
            TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name.as_str(), view))
        });
        let words = |error: SafeTensorError| error.to_string();
        serialize(views.collect::<Result<Vec<_>, _>>().map_err(words)?, self.texts).map_err(words)
    }
}

/// Writes a file of one tensor of bytes, and one text, without a copy of the bytes.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write_bytes(
    path: &Path,
    name: &str,
    shape: &[usize],
    bytes: &[u8],
    (text, value): (&str, String),
) -> Result<(), Error> {
    let view = TensorView::new(Dtype::U8, shape.to_vec(), bytes).map_err(Error::other)?;
    let texts = HashMap::from([(text.to_owned(), value)]);
    serialize_to_file([(name, view)], Some(texts), path).map_err(Error::other)
}
