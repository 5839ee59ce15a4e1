//! What compiling pipelines leaves behind for the next start, kept on disk where the backend can (Vulkan).

use crate::{file, machine};
use std::path::PathBuf;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 28;

/// The driver's cache of compiled pipelines, and its file.
#[derive(Clone)]
pub struct PipelineCache {
    pub cache: wgpu::PipelineCache,
    file: PathBuf,
    loaded: usize,
}

impl PipelineCache {
    /// Opens the cache of this device, empty where there is none yet. None where the backend keeps none, or this machine has
    /// no place for it.
    pub fn open(device: &wgpu::Device, info: &wgpu::AdapterInfo) -> Option<Self> {
        if !device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return None;
        }
        let file = machine::cache()?.join(wgpu::util::pipeline_cache_key(info)?);
        let data = file::bytes(&file, LONGEST).ok().and_then(whole).unwrap_or_default();
        let descriptor = wgpu::PipelineCacheDescriptor {
            label: Some("mewgan"),
            data: (!data.is_empty()).then_some(&data),
            fallback: true,
        };
        // SAFETY: its hash shows that this is what `get_data` gave for this kind of device; wgpu and the driver check its
        // header, and begin an empty cache where it is another driver's.
        let cache = unsafe { device.create_pipeline_cache(&descriptor) };
        Some(Self { cache, file, loaded: data.len() })
    }

    /// Writes what has been added since it was opened.
    pub fn save(&self) {
        let Some(data) = self.cache.get_data().filter(|data| data.len() != self.loaded) else { return };
        file::write_cache(&self.file, |path| std::fs::write(path, [&hash(&data)[..], &data].concat()));
    }
}

/// What a file holds behind the hash it begins with, if that is right: a driver is not trusted with damaged data.
fn whole(mut file: Vec<u8>) -> Option<Vec<u8>> {
    let data = file.split_off(hash(&[]).len().min(file.len()));
    (file == hash(&data)).then_some(data)
}

fn hash(data: &[u8]) -> [u8; 8] {
    file::fnv1a(data.iter().copied()).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::{hash, whole};

    #[test]
    fn only_what_was_written_is_read() {
        let file = [&hash(b"compiled")[..], b"compiled"].concat();
        assert_eq!(whole(file.clone()).as_deref(), Some(&b"compiled"[..]));
        for length in 0..file.len() {
            assert_eq!(whole(file[..length].to_vec()), None);
        }
        for place in 0..file.len() {
            let mut damaged = file.clone();
            damaged[place] ^= 1;
            assert_eq!(whole(damaged), None);
        }
    }
}
