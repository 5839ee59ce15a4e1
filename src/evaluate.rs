//! Figures that judge a trained model on real images, each beside what real images score themselves.

use crate::Result;
use crate::data::{OnImage, with_channels};
use crate::quality::{
    self, ImageSet, SlicedWassersteinOptions, average_over_levels, diversity, mean_absolute_error, median,
    nearest, sliced_wasserstein, structural_similarity,
};
use crate::size::Size;
use serde::Serialize;

/// Of the images trained on so many are real images to be held against, where none are held out.
const ENOUGH: usize = 1024;

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What is measured.
    pub name: String,
    /// The model's.
    pub value: f64,
    /// What to hold it against, where there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yardstick: Option<f64>,
    /// What the yardstick is.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub of: &'static str,
}

/// What else compares found images with real ones, such as the features of a network.
pub trait Comparison: std::fmt::Debug + Send + Sync {
    /// The figures. `on_image` hears how many images of a set were looked at, of how many.
    ///
    /// # Errors
    /// If the sets cannot be compared.
    fn figures(&self, found: &Set, real: &Set, on_image: OnImage<'_>) -> Result<Vec<Figure>>;
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: f64) -> Self {
        Self { name: name.into(), value, yardstick: None, of: "" }
    }

    pub(crate) fn beside(self, yardstick: f64, of: &'static str) -> Self {
        Self { yardstick: Some(yardstick), of, ..self }
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:36} {:>9.4}", self.name, self.value)?;
        match self.yardstick {
            Some(yardstick) => write!(f, "   {yardstick:>9.4} {}", self.of),
            None => Ok(()),
        }
    }
}

/// Images of one size, as numbers `[count, height, width, channels]` in [-1, 1].
#[derive(Clone, Debug)]
pub struct Set {
    /// The numbers.
    pub values: Vec<f32>,
    /// Height and width.
    pub size: Size,
    /// Colour channels.
    pub channels: usize,
}

impl Set {
    fn view(&self) -> Result<ImageSet<'_>> {
        ImageSet::new(&self.values, self.size, self.channels)
    }

    /// The same images with so many channels: see [`with_channels`].
    fn with_channels(&self, channels: usize) -> Self {
        Self { values: with_channels(&self.values, self.channels, channels), size: self.size, channels }
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.values.len() / (self.size.area() * self.channels).max(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The first `count` images, or all where there are fewer.
    fn first(&self, count: usize) -> Self {
        let len = (count * self.size.area() * self.channels).min(self.values.len());
        Self { values: self.values[..len].to_vec(), ..*self }
    }

    /// At most `count` images, evenly spaced.
    fn evenly(&self, count: usize) -> Self {
        let (len, all) = (self.size.area() * self.channels, self.len());
        let count = count.min(all);
        let image = |index: usize| &self.values[index * all / count * len..][..len];
        Self { values: (0..count).flat_map(image).copied().collect(), ..*self }
    }

    /// The images at even and at odd places: two halves of one set.
    fn halves(&self) -> [Self; 2] {
        let images = self.values.chunks_exact(self.size.area() * self.channels);
        let mut halves = [0, 1].map(|_| Self { values: Vec::new(), ..*self });
        for (index, image) in images.enumerate() {
            halves[index % 2].values.extend_from_slice(image);
        }
        halves
    }
}

/// The sliced Wasserstein distance by level and on average; beside it what two halves of the real images score. It falls
/// with the number of images, so all are taken of half as many as there are real ones: each half of the model's images
/// against each half of the real.
fn distances(found: &Set, real: &Set, name: &str) -> Result<Vec<Figure>> {
    let options = SlicedWassersteinOptions::default();
    let between = |a: &Set, b: &Set| sliced_wasserstein(a.view()?, b.view()?, &options);
    let found = found.first(real.len());
    let halves = real.halves();
    let (levels, yardstick): (Vec<_>, Option<Vec<_>>) = if real.len() < 2 || found.len() < 2 {
        (between(&found, real)?, None)
    } else {
        let own = found.halves();
        let pairs = own.iter().flat_map(|a| halves.iter().map(move |b| (a, b)));
        let found: Vec<_> = pairs.map(|(a, b)| between(a, b)).collect::<Result<_>>()?;
        let mean =
            |level: usize| found.iter().map(|levels| levels[level].1).sum::<f64>() / found.len() as f64;
        let levels = (0..found[0].len()).map(|level| (found[0][level].0, mean(level))).collect();
        (levels, Some(between(&halves[0], &halves[1])?))
    };
    let figure = |name: String, value: f64, yardstick: Option<f64>| match yardstick {
        Some(yardstick) => Figure::new(name, value).beside(yardstick, "two halves of the real"),
        None => Figure::new(name, value),
    };
    let mut figures: Vec<Figure> = levels
        .iter()
        .enumerate()
        .map(|(index, &(side, value))| {
            let own = yardstick.as_ref().map(|levels| levels[index].1);
            figure(format!("{name} at {side} pixels"), value, own)
        })
        .collect();
    let own = yardstick.map(|levels| average_over_levels(&levels));
    figures.push(figure(name.to_owned(), average_over_levels(&levels), own));
    Ok(figures)
}

/// The lowest and the middle of some distances.
fn lowest_and_median(distances: Vec<(usize, f64)>) -> (f64, f64) {
    let distances: Vec<f64> = distances.into_iter().map(|(_, distance)| distance).collect();
    (distances.iter().copied().fold(f64::NAN, f64::min), median(distances))
}

/// A generator's images: their distance from `real` ones (held out, where there are such), how much they differ among
/// themselves, and how near they come to images trained on. `held_out` may be empty.
///
/// # Errors
/// If a set is empty or the sizes differ.
pub fn generated(images: &Set, training: &Set, held_out: &Set) -> Result<Vec<Figure>> {
    let some = training.evenly(ENOUGH.max(images.len()));
    let real = if held_out.values.is_empty() { &some } else { held_out };
    let mut figures = compared(images, real)?;
    let found = lowest_and_median(nearest(images.view()?, training.view()?)?);
    let mut near = [
        Figure::new("distance to training, nearest", found.0),
        Figure::new("distance to training, median", found.1),
    ];
    if !held_out.values.is_empty() {
        let own = lowest_and_median(nearest(held_out.view()?, training.view()?)?);
        let of = "of held-out images";
        near = near.map(|figure| {
            let yardstick = if figure.name.ends_with("nearest") { own.0 } else { own.1 };
            figure.beside(yardstick, of)
        });
    }
    figures.extend(near);
    Ok(figures)
}

/// Images beside real ones of the same size: their distance, and how much they differ among themselves.
///
/// # Errors
/// If a set is empty or the sizes differ.
pub fn compared(images: &Set, real: &Set) -> Result<Vec<Figure>> {
    let mut figures = distances(images, real, "sliced Wasserstein distance x 1000")?;
    let found = Figure::new("diversity (mean pairwise distance)", diversity(images.view()?)?);
    figures.push(match real.len() {
        // One image has nothing to differ from.
        ..2 => found,
        _ => found.beside(diversity(real.view()?)?, "of the real"),
    });
    Ok(figures)
}

/// One direction of a translator.
#[derive(Clone, Debug)]
pub struct Direction<'a> {
    /// What the figures are called by, such as `X to Y`.
    pub name: &'a str,
    /// Images to translate.
    pub sources: &'a Set,
    /// Their translations.
    pub translations: &'a Set,
    /// Those translated back, where that can be.
    pub back: Option<&'a Set>,
    /// Real images of the other set.
    pub targets: &'a Set,
    /// The right answer for every source, where there are such.
    pub partners: Option<&'a Set>,
}

/// A translator's images: the error after translating back, the distance from real images of the other set, and where
/// images come in pairs the error against the right answers, and how alike they are. The yardsticks are the sources as they are.
///
/// # Errors
/// If a set is empty or the sizes differ.
pub fn translated(direction: &Direction<'_>) -> Result<Vec<Figure>> {
    let Direction { name, sources, translations, back, targets, partners } = *direction;
    let of = "of the sources untranslated";
    let mut figures = Vec::new();
    if let Some(back) = back {
        let error = mean_absolute_error(sources.view()?, back.view()?)?;
        figures.push(Figure::new(format!("{name}: cycle error"), error));
    }
    let options = SlicedWassersteinOptions::default();
    let alike = sources.with_channels(targets.channels);
    let untranslated = sliced_wasserstein(alike.view()?, targets.view()?, &options)?;
    let found = sliced_wasserstein(translations.view()?, targets.view()?, &options)?;
    for ((side, value), (_, own)) in found.iter().zip(&untranslated) {
        let name = format!("{name}: SWD x 1000 at {side} pixels");
        figures.push(Figure::new(name, *value).beside(*own, of));
    }
    figures.push(
        Figure::new(format!("{name}: SWD x 1000"), average_over_levels(&found))
            .beside(average_over_levels(&untranslated), of),
    );
    if let Some(partners) = partners {
        let error = mean_absolute_error(translations.view()?, partners.view()?)?;
        let own = mean_absolute_error(alike.view()?, partners.view()?)?;
        figures.push(Figure::new(format!("{name}: paired error"), error).beside(own, of));
        if partners.size.least() >= quality::WINDOW {
            let alike = structural_similarity(alike.view()?, partners.view()?)?;
            let found = structural_similarity(translations.view()?, partners.view()?)?;
            figures.push(Figure::new(format!("{name}: SSIM"), found).beside(alike, of));
        }
    }
    Ok(figures)
}
