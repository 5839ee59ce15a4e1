//! Without the feature `report`.

use crate::{Error, Result};
use std::path::Path;

/// There are none without the feature `report`.
#[derive(Debug)]
pub enum Events {}

impl Events {
    /// Refused.
    ///
    /// # Errors
    /// Always.
    pub fn create(folder: &Path, _step: u64) -> Result<Self> {
        Err(Error::Input(format!(
            "{}: events for TensorBoard need mewgan's feature `report`; build it with that, or set `no_tensorboard`",
            folder.display()
        )))
    }

    /// As with the feature.
    ///
    /// # Errors
    /// None.
    pub fn figures(&mut self, _step: u64, _figures: &[(&str, f64)]) -> Result<()> {
        match *self {}
    }

    /// As with the feature.
    ///
    /// # Errors
    /// None.
    pub fn sheet(&mut self, _step: u64, _tag: &str, _png: Vec<u8>) -> Result<()> {
        match *self {}
    }

    /// As with the feature.
    pub fn is_behind(&self) -> bool {
        match *self {}
    }

    /// As with the feature.
    ///
    /// # Errors
    /// None.
    pub fn sync(&self) -> Result<()> {
        match *self {}
    }
}
