//! What a network wants to see, from the TOML file beside it.

use crate::size::Size;
use crate::{Error, Result, file};
use serde::Deserialize;
use std::path::Path;

/// The longest such file, in bytes.
const LONGEST: u64 = 1 << 16;
/// The longest side of a network's input.
const MOST: usize = 2048;

/// In which order a network takes an image's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Channel by channel.
    #[default]
    Nchw,
    /// Pixel by pixel.
    Nhwc,
}

/// What a network wants to see.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Of an image.
    pub size: Size,
    /// Subtracted from values from 0 to 1, for each channel.
    pub mean: Vec<f32>,
    /// What the difference is divided by.
    pub std: Vec<f32>,
    /// In which order.
    #[serde(default)]
    pub layout: Layout,
    /// The output that is taken; the first where none is named.
    pub output: Option<String>,
}

impl Spec {
    /// That of the network at `path`.
    ///
    /// # Errors
    /// If there is no such file, or it says what cannot be.
    pub fn of(path: &Path) -> Result<Self> {
        let path = path.with_extension("toml");
        if !path.exists() {
            return Err(Error::Input(format!(
                "{}: there is no such file; it says what the network wants to see, such as size = 299, mean = [0.5, 0.5, 0.5] \
                 and std = [0.5, 0.5, 0.5]",
                path.display()
            )));
        }
        let wrong = |problem: &str| Error::Input(format!("{}: {}", path.display(), problem.trim_end()));
        let spec: Self =
            toml::from_str(&file::text(&path, LONGEST)?).map_err(|error| wrong(&error.to_string()))?;
        if !spec.size.all(|side| (1..=MOST).contains(&side)) {
            return Err(wrong(&format!("size must be from 1 to {MOST}")));
        }
        if !matches!(spec.mean.len(), 1 | 3) || spec.mean.len() != spec.std.len() {
            return Err(wrong("mean and std must have a number for each channel, 1 or 3"));
        }
        if spec.mean.iter().any(|mean| !mean.is_finite())
            || !spec.std.iter().all(|std| *std > 0.0 && std.is_finite())
        {
            return Err(wrong("mean must be finite, std more than 0"));
        }
        Ok(spec)
    }

    /// Channels of an image.
    pub fn channels(&self) -> usize {
        self.mean.len()
    }

    /// The shape of one image.
    pub fn shape(&self) -> [usize; 4] {
        let (Size { height, width }, channels) = (self.size, self.channels());
        match self.layout {
            Layout::Nchw => [1, channels, height, width],
            Layout::Nhwc => [1, height, width, channels],
        }
    }

    /// What the network sees of an image's `pixels`, `[height, width, channels]` from 0 to 1.
    pub fn input(&self, pixels: &[f32]) -> Vec<f32> {
        let channels = self.channels();
        let value = |at: usize, channel: usize| {
            (pixels[at * channels + channel] - self.mean[channel]) / self.std[channel]
        };
        let area = pixels.len() / channels;
        match self.layout {
            Layout::Nchw => (0..channels)
                .flat_map(|channel| (0..area).map(move |at| (at, channel)))
                .map(|(at, channel)| value(at, channel))
                .collect(),
            Layout::Nhwc => (0..pixels.len()).map(|at| value(at / channels, at % channels)).collect(),
        }
    }
}
