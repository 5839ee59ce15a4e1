//! Files are looked at before they are read: the header says what is in a file and how long it must be, so that
//! a damaged, cut or foreign one is refused however long it is.

use super::{Dtype, TensorInfo};
use half::{bf16, f16};
use safetensors::tensor::Metadata;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// The longest header, in bytes; those of the largest networks are below 1 MiB.
const LONGEST_HEADER: u64 = 16 << 20;
/// What the header's length takes in front of it.
const LENGTH: u64 = 8;

/// A file whose header is sound and whose length is what the header says.
#[derive(Debug)]
pub(crate) struct TensorFile {
    file: File,
    metadata: Metadata,
    /// Where the tensors begin.
    start: u64,
}

impl TensorFile {
    /// Reads the header of the file at `path`, and nothing else.
    ///
    /// # Errors
    /// What is wrong, in words that follow the path.
    pub fn open(path: &Path) -> Result<Self, String> {
        let words = |error: std::io::Error| error.to_string();
        let mut file = File::open(path).map_err(words)?;
        let there = file.metadata().map_err(words)?.len();
        if there < LENGTH {
            return Err(format!("damaged or cut short ({there} bytes are no safetensors file)"));
        }
        let mut length = [0; LENGTH as usize];
        file.read_exact(&mut length).map_err(words)?;
        let length = u64::from_le_bytes(length);
        if length > LONGEST_HEADER {
            return Err(format!(
                "no safetensors file, or damaged (its header would be {length} bytes long; the longest is {LONGEST_HEADER})"
            ));
        }
        let start = LENGTH + length;
        if there < start {
            return Err(format!(
                "damaged or cut short (its header ends at byte {start}, the file at {there})"
            ));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header).map_err(words)?;
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|error| format!("damaged (its header: {error})"))?;
        let whole = start.saturating_add(metadata.data_len() as u64);
        if there != whole {
            let cut = if there < whole { " or cut short" } else { "" };
            return Err(format!("damaged{cut} ({there} bytes long; by its header {whole})"));
        }
        Ok(Self { file, metadata, start })
    }

    /// An entry of the header's own texts.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.metadata.metadata().as_ref()?.get(name).map(String::as_str)
    }

    /// What the tensors are, by name.
    pub fn tensors(&self) -> BTreeMap<String, &TensorInfo> {
        self.metadata.tensors().into_iter().collect()
    }

    /// The bytes of a tensor, one of [`TensorFile::tensors`].
    ///
    /// # Errors
    /// What the system said.
    pub fn read(&self, tensor: &TensorInfo) -> std::io::Result<Vec<u8>> {
        let (from, to) = tensor.data_offsets;
        let mut bytes = vec![0; to - from];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.start + from as u64))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether [`TensorFile::floats`] reads a tensor.
    pub fn has_floats(tensor: &TensorInfo) -> bool {
        matches!(tensor.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16)
    }

    /// The numbers of a tensor of float32, float16 or bfloat16, one of [`TensorFile::tensors`].
    ///
    /// # Errors
    /// What the system said.
    pub fn floats(&self, tensor: &TensorInfo) -> std::io::Result<Vec<f32>> {
        let bytes = self.read(tensor)?;
        Ok(match tensor.dtype {
            Dtype::F16 => numbers(&bytes, |number| f16::from_le_bytes(number).to_f32()),
            Dtype::BF16 => numbers(&bytes, |number| bf16::from_le_bytes(number).to_f32()),
            _ => numbers(&bytes, f32::from_le_bytes),
        })
    }
}

fn numbers<const BYTES: usize>(bytes: &[u8], number: impl Fn([u8; BYTES]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| number(bytes)).collect()
}
