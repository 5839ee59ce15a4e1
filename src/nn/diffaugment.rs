//! DiffAugment (Zhao 2020): differentiable augmentation in front of the discriminator, on real and fake alike.
//!
//! The draws are the host's ([`crate::data::DiffAugmentParams`]) and come in as inputs.

use crate::Result;
use crate::graph::Var;
use crate::shape::Shape;

/// The draws for one batch, as nodes.
#[derive(Clone, Copy, Debug)]
pub struct DiffAugment<'g> {
    /// Brightness (`x + b`), saturation (`(x - mean_c) * s + mean_c`), contrast (`(x - mean_chw) * k + mean_chw`),
    /// each `[n, 1, 1, 1]`.
    pub color: Option<[Var<'g>; 3]>,
    /// Whole-pixel shifts `[n, 1, 1, 2]`, zeros coming in.
    pub translation: Option<Var<'g>>,
    /// Masks `[n, h, w, 1]` that are 0 inside the cut-out square.
    pub cutout: Option<Var<'g>>,
}

impl<'g> DiffAugment<'g> {
    /// The augmented images, in the paper's order: colour, translation, cutout.
    ///
    /// # Errors
    /// If the draws do not fit the images.
    pub fn apply(&self, mut x: Var<'g>) -> Result<Var<'g>> {
        let Shape([n, h, w, c]) = x.shape();
        if let Some([brightness, saturation, contrast]) = self.color {
            x = x.add(brightness)?;
            let mean = x.channel_mean();
            x = x.sub(mean)?.mul(saturation)?.add(mean)?;
            let mean = x.sum_to(Shape([n, 1, 1, 1]))?.scale(1.0 / (h * w * c) as f64);
            x = x.sub(mean)?.mul(contrast)?.add(mean)?;
        }
        if let Some(offsets) = self.translation {
            x = x.translate(offsets)?;
        }
        if let Some(mask) = self.cutout {
            x = x.mul(mask)?;
        }
        Ok(x)
    }
}

/// Which of DiffAugment's three parts are applied in front of the discriminator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiffAugmentPolicy {
    /// Brightness, saturation, contrast.
    pub color: bool,
    /// Whole-pixel shifts.
    pub translation: bool,
    /// A square set to 0.
    pub cutout: bool,
}

impl DiffAugmentPolicy {
    /// Augments `images` by draws that become inputs of the graph, named after `source`: `real.brightness`,
    /// `.saturation`, `.contrast`, `.shift`, `.mask`.
    ///
    /// # Errors
    /// If the draws do not fit the images.
    pub fn apply<'g>(self, images: Var<'g>, source: &str) -> Result<Var<'g>> {
        self.draws(images, source).apply(images)
    }

    /// The draws for a batch of the shape of `images`, as inputs of the graph; see [`DiffAugmentPolicy::apply`]. One set of them
    /// augments several batches in the same way.
    pub fn draws<'g>(self, images: Var<'g>, source: &str) -> DiffAugment<'g> {
        let [n, h, w, _] = images.shape().0;
        let input = |name: &str, shape| images.graph().input(&format!("{source}.{name}"), Shape(shape));
        let color = ["brightness", "saturation", "contrast"];
        DiffAugment {
            color: self.color.then(|| color.map(|name| input(name, [n, 1, 1, 1]))),
            translation: self.translation.then(|| input("shift", [n, 1, 1, 2])),
            cutout: self.cutout.then(|| input("mask", [n, h, w, 1])),
        }
    }
}
