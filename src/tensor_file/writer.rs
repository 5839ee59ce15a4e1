//! A safetensors file as it is put together.

use super::Dtype;
use safetensors::SafeTensorError;
use safetensors::tensor::{TensorView, serialize};
use std::collections::HashMap;

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
