//! The optimizer steps of an iteration, for each order of updates.

use super::Domain;
use super::building::Building;
use crate::Result;
use crate::graph::Var;
use Trains::{Discriminators, Generators};

/// An optimizer step of an iteration, and what it is about.
pub struct Part {
    pub name: &'static str,
    pub trains: Trains,
    /// Whether discriminators see real images in it.
    pub sees_real: bool,
    /// Whether discriminators see translations in it.
    pub sees_fakes: bool,
    pub(super) build: Build,
}

/// Puts a step together, of the images of X and of Y.
pub type Build = for<'g, 'm> fn(&mut Building<'g, 'm>, [Var<'g>; 2]) -> Result<()>;

impl Part {
    const fn new(name: &'static str, trains: Trains, build: Build) -> Self {
        Self { name, trains, sees_real: false, sees_fakes: false, build }
    }
}

/// The optimizer of a step, by its index in [`trained`](crate::train::model::Model::trained).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trains {
    /// That of both generators.
    Generators,
    /// That of all discriminators.
    Discriminators,
}

/// Each loss by itself.
pub const APART: &[Part] = &[
    Part {
        sees_real: true,
        ..Part::new("discriminators_real_step", Discriminators, |step, images| {
            let real = step.score_real(images, ["D_X_real", "D_Y_real"])?;
            step.discriminate(real[0].add(real[1])?)
        })
    },
    Part {
        sees_fakes: true,
        ..Part::new("discriminators_fake_step", Discriminators, |step, images| {
            let fakes = step.fakes_now(images)?;
            let fake = step.score_fakes(fakes, ["D_X_fake", "D_Y_fake"])?;
            step.discriminate(fake[0].add(fake[1])?)
        })
    },
    Part::new("generators_yxy_step", Generators, |step, [_, y]| {
        let (loss, _) = step.translate(Domain::X, y)?;
        step.generate(loss)
    }),
    Part::new("generators_xyx_step", Generators, |step, [x, _]| {
        let (loss, _) = step.translate(Domain::Y, x)?;
        step.generate(loss)
    }),
];

/// Discriminators on both kinds of images, then generators along both ways.
pub const DISCRIMINATORS_FIRST: &[Part] = &[
    Part {
        sees_real: true,
        sees_fakes: true,
        ..Part::new("discriminators_step", Discriminators, |step, images| {
            let real = step.score_real(images, ["D_X_real", "D_Y_real"])?;
            let fakes = step.fakes_now(images)?;
            let fake = step.score_fakes(fakes, ["D_X_fake", "D_Y_fake"])?;
            step.join(real, fake)
        })
    },
    Part::new("generators_step", Generators, |step, [x, y]| {
        let (along_x, _) = step.translate(Domain::Y, x)?;
        let (along_y, _) = step.translate(Domain::X, y)?;
        step.generate(along_x.add(along_y)?)
    }),
];

/// Generators along both ways, then discriminators on the translations made before.
pub const GENERATORS_FIRST: &[Part] = &[
    Part::new("generators_step", Generators, |step, [x, y]| {
        let (along_x, fake_y) = step.translate(Domain::Y, x)?;
        let (along_y, fake_x) = step.translate(Domain::X, y)?;
        step.keep([fake_x, fake_y]);
        step.generate(along_x.add(along_y)?)
    }),
    Part {
        sees_real: true,
        sees_fakes: true,
        ..Part::new("discriminators_step", Discriminators, |step, images| {
            let real = step.score_real(images, ["D_X_real", "D_Y_real"])?;
            let fakes = step.fakes_kept(images);
            let fake = step.score_fakes(fakes, ["D_X_fake", "D_Y_fake"])?;
            step.join(real, fake)
        })
    },
];
