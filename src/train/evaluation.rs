//! What a checkpoint is judged by.

use crate::data::{Images, LoadOptions, search, to_unit};
use crate::evaluate::{Comparison, Figure, Set, compared};
use crate::random::stream;
use crate::size::Size;
use crate::train::preparation::Preparation;
use crate::{Error, Result};
use rand::seq::SliceRandom;
use std::sync::Arc;

/// Of larger sets so many real images are drawn to be held against: all of 100,000 would take hours, and change little.
pub const REAL: usize = 1024;
/// So many images that were trained on are looked through for copies of them.
pub const SEARCHED: usize = 2048;

/// What a checkpoint is judged by.
#[derive(Clone, Debug, Default)]
pub struct Judging {
    /// Images a generator draws; as many as there are real ones, from 64 to 1,024, where it is not given.
    pub count: Option<usize>,
    /// Whether translations are compared with the other set's images of the same name.
    pub paired: bool,
    /// Whether a translator's dropout drops nothing.
    pub no_dropout: bool,
    /// What else compares images with real ones.
    pub comparison: Option<Arc<dyn Comparison>>,
}

impl Judging {
    /// Refuses to leave out dropout where there is none.
    ///
    /// # Errors
    /// If it is to be left out.
    pub fn check_noiseless(&self) -> Result<()> {
        match self.no_dropout {
            true => Err(Error::Input(
                "`no_dropout` is for pix2pix; this model has no dropout: leave it out".into(),
            )),
            false => Ok(()),
        }
    }

    /// What the comparison says of images, if there is one, each figure's name after `prefix`.
    ///
    /// # Errors
    /// If they cannot be compared.
    pub fn compare(
        &self,
        prefix: &str,
        found: &Set,
        real: &Set,
        watch: &dyn Preparation,
    ) -> Result<Vec<Figure>> {
        let Some(comparison) = &self.comparison else { return Ok(Vec::new()) };
        let figures = comparison.figures(found, real, &|done, count| watch.ready(done, count))?;
        Ok(figures
            .into_iter()
            .map(|figure| Figure { name: format!("{prefix}{}", figure.name), ..figure })
            .collect())
    }

    /// Compares the images of two sources at `size`, at most [`REAL`] of each: `found` beside `real`.
    ///
    /// # Errors
    /// If they cannot be read or compared.
    pub fn sources(
        &self,
        [found, real]: [&str; 2],
        size: Size,
        watch: &dyn Preparation,
    ) -> Result<Vec<Figure>> {
        let options = LoadOptions::new(size, 3);
        let load = |source: &str| -> Result<Set> {
            let all = search(source)?;
            let names: Vec<String> = all.files.iter().map(|file| file.name.clone()).collect();
            let chosen = some(&names, source, self.count.unwrap_or(REAL), 0, watch);
            let found = all.named(source, &chosen)?;
            let loaded = Images::of(source, found, &options, &|done, count| watch.ready(done, count))?;
            Ok(set(&loaded.images))
        };
        let (found, real) = (load(found)?, load(real)?);
        let mut figures = compared(&found, &real)?;
        figures.extend(self.compare("", &found, &real, watch)?);
        Ok(figures)
    }
}

/// At most so many of the images `names`, in their order; where that is not all, `watch` is told.
pub fn some(names: &[String], what: &str, most: usize, seed: u64, watch: &dyn Preparation) -> Vec<String> {
    if names.len() <= most {
        return names.to_vec();
    }
    watch.told(&format!("{most} of {} {what} images, drawn by the seed {seed}", names.len()));
    let mut chosen: Vec<usize> = (0..names.len()).collect();
    chosen.shuffle(&mut stream(seed, "judged", 0));
    chosen.truncate(most);
    chosen.sort_unstable();
    chosen.into_iter().map(|index| names[index].clone()).collect()
}

/// Images as numbers.
pub fn set(images: &Images) -> Set {
    let bytes = (0..images.len()).flat_map(|index| images.image(index));
    Set {
        values: bytes.map(|&byte| to_unit(byte)).collect(),
        size: images.size(),
        channels: images.channels(),
    }
}
