//! What is said while images are made ready.

use super::{Progress, View};
use crate::train::preparation::Preparation;
use crate::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};

/// Where nobody sees a bar, a set of so many images is told of before it is decoded.
const LARGE: usize = 1000;

/// Lines for people, and a bar on a terminal while images are decoded.
pub struct Preparing {
    view: View,
    bar: ProgressBar,
}

impl Preparing {
    /// What `view` is to show.
    ///
    /// # Errors
    /// If the bar's template is none.
    pub fn new(view: View) -> Result<Self> {
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} images  {eta} left")
            .map_err(|error| Error::Device(format!("progress bar: {error}")))?;
        let bar = if view.progress == Progress::Silent { ProgressBar::hidden() } else { ProgressBar::new(0) };
        Ok(Self { view, bar: bar.with_style(style) })
    }
}

impl Preparation for Preparing {
    fn told(&self, line: &str) {
        self.bar.suspend(|| self.view.say(line));
    }

    fn ready(&self, done: usize, count: usize) {
        if done == 0 {
            self.bar.reset();
            self.bar.set_length(count as u64);
            if self.bar.is_hidden() && count >= LARGE {
                self.view.say(&format!("reading {count} images"));
            }
        }
        self.bar.set_position(self.bar.position().max(done as u64));
        if done == count {
            self.bar.finish_and_clear();
        }
    }
}
