//! Sets whose images are partners: image `i` of one belongs to image `i` of the other.

use super::dataset::DatasetSpec;
use super::split::stem;
use crate::data::{Fit, Found, Images, Loaded};
use crate::size::Size;
use crate::{Error, Result};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Whether the sets are paired: they share the name of their streams, so that all is drawn the same for partners.
pub fn are(specs: &[DatasetSpec<'_>]) -> bool {
    specs.len() > 1 && specs.windows(2).all(|pair| pair[0].batching.name == pair[1].batching.name)
}

/// What was found of paired sets, in one order: that of the names without extension, by which partners are found.
///
/// # Errors
/// If an image has no partner, or two.
pub fn matched(specs: &[DatasetSpec<'_>], mut found: Vec<Found>) -> Result<Vec<Found>> {
    for (spec, set) in specs.iter().zip(&mut found) {
        set.files.sort_by(|a, b| (stem(&a.name), &a.name).cmp(&(stem(&b.name), &b.name)));
        let twice = set.files.windows(2).find(|pair| stem(&pair[0].name) == stem(&pair[1].name));
        if let Some([a, b]) = twice {
            return Err(Error::Input(format!(
                "{} ({}): {} and {} have the same name but for the extension, by which partners are found; keep one of them",
                spec.name, spec.source, a.name, b.name
            )));
        }
    }
    let stems = |of: &Found| of.files.iter().map(|file| stem(&file.name).to_owned()).collect();
    let stems: Vec<BTreeSet<String>> = found.iter().map(stems).collect();
    for (index, set) in found.iter().enumerate() {
        for other in (0..found.len()).filter(|&other| other != index) {
            let alone = set.files.iter().filter(|file| !stems[other].contains(stem(&file.name)));
            let alone: Vec<&str> = alone.map(|file| file.name.as_str()).collect();
            let Some(&first) = alone.first() else { continue };
            let more =
                if alone.len() > 1 { format!(" (and {} more)", alone.len() - 1) } else { String::new() };
            return Err(Error::Input(format!(
                "{} ({}): {first}{more} has no partner in {} ({}), which needs an image named {} with any extension; add it, or \
                 remove {first}",
                specs[index].name,
                specs[index].source,
                specs[other].name,
                specs[other].source,
                stem(first)
            )));
        }
    }
    Ok(found)
}

/// Refuses partners of different shape: the parts of them that are trained on would not lie over each other. One may be a
/// scaled copy of the other's size, unless random parts are taken at an image's own scale. Who cannot be read is left to be told of when it is.
///
/// # Errors
/// Names the first two that differ.
pub fn check_sizes(specs: &[DatasetSpec<'_>], found: &[Found], fit: Fit) -> Result<()> {
    // Halves of one file are alike.
    if !are(specs) || specs.iter().all(|spec| spec.half.is_some()) {
        return Ok(());
    }
    let differ = |a: Size, b: Size| match fit {
        Fit::CropRandom => a != b,
        // As far as sides are whole numbers.
        Fit::Crop | Fit::Stretch => {
            let apart = (a.width * b.height).abs_diff(b.width * a.height);
            apart >= a.most().max(b.most()) && a != b
        }
    };
    for (spec, set) in specs[1..].iter().zip(&found[1..]) {
        let apart = found[0].files.par_iter().zip(&set.files).find_map_first(|(a, b)| {
            let sizes = (a.size().ok()?, b.size().ok()?);
            differ(sizes.0, sizes.1).then_some((a, b, sizes))
        });
        if let Some((a, b, (own, other))) = apart {
            let words = |Size { height, width }: Size| format!("{width}x{height}");
            return Err(Error::Input(format!(
                "{} ({}): {} has {} pixels, but its partner {} in {} ({}) has {}; partners need the same size{}",
                specs[0].name,
                specs[0].source,
                a.name,
                words(own),
                b.name,
                spec.name,
                spec.source,
                words(other),
                if fit == Fit::CropRandom { " with `fit` crop-random" } else { ", or the same shape" }
            )));
        }
    }
    Ok(())
}

/// Leaves out images whose partner could not be read.
pub fn keep_whole(loaded: &mut [Loaded]) {
    if loaded.iter().all(|set| set.skipped.is_empty()) {
        return;
    }
    let mut sets: Vec<Images> = loaded.iter().map(|set| set.images.clone()).collect();
    partners(&mut sets);
    loaded.iter_mut().zip(sets).for_each(|(loaded, images)| loaded.images = images);
}

/// Leaves those images whose names, but for their extensions, all sets have.
pub fn partners(sets: &mut [Images]) {
    let stems = |of: &Images| of.names().iter().map(|name| stem(name).to_owned()).collect();
    let stems: Vec<BTreeSet<String>> = sets.iter().map(stems).collect();
    for set in sets {
        *set = set.split(|name| stems.iter().all(|of| of.contains(stem(name)))).0;
    }
}
