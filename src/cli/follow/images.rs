//! What is said while images are made ready.

use super::View;
use crate::train::preparation::Preparation;
use crate::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::{Mutex, PoisonError};

/// Where nobody sees a bar, a set of so many images is told of before it is decoded.
const LARGE: usize = 1000;

/// How a bar of images looks.
///
/// # Errors
/// If its template is none.
pub fn style() -> Result<ProgressStyle> {
    ProgressStyle::with_template("{bar:24} {pos}/{len} images  {eta} left")
        .map_err(|error| Error::Device(format!("progress bar: {error}")))
}

/// Lines for people, and a bar on a terminal while images are decoded.
pub struct Preparing {
    view: View,
    style: ProgressStyle,
    /// That of the set that is decoded now.
    bar: Mutex<Option<ProgressBar>>,
}

impl Preparing {
    /// What `view` is to show.
    ///
    /// # Errors
    /// If the bar's template is none.
    pub fn new(view: View) -> Result<Self> {
        Ok(Self { view, style: style()?, bar: Mutex::default() })
    }

    /// A bar of so many images; none where nobody would see it.
    fn bar(&self, count: usize) -> Option<ProgressBar> {
        let bar = self.view.draws().then(|| ProgressBar::new(count as u64).with_style(self.style.clone()));
        bar.filter(|bar| !bar.is_hidden())
    }
}

impl Preparation for Preparing {
    fn told(&self, line: &str) {
        self.view.say(line);
    }

    fn ready(&self, done: usize, count: usize) {
        let mut shown = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if done == 0 {
            *shown = self.bar(count);
            if shown.is_none() && count >= LARGE {
                self.view.say(&format!("reading {count} images"));
            }
        }
        match shown.take_if(|_| done == count) {
            Some(bar) => bar.finish_and_clear(),
            None => shown.iter().for_each(|bar| bar.inc(u64::from(done > 0))),
        }
    }
}
