//! An iteration of CycleGAN's training.

use super::steps::Trains;
use super::{CycleGan, CycleGanConfig, Domain, Updates};
use crate::Result;
use crate::ranks::Shard;
use crate::train::phase::{Due, ImagePool, Phase, Source, augmentation};

/// The steps of an iteration as phases. The step that sees real images comes twice where the R1 penalty is not part of every update: without
/// it, then with.
pub fn phases(model: &CycleGan, config: &CycleGanConfig, shard: Shard) -> Result<Vec<Phase>> {
    let objective = &model.objective;
    let mut phases = Vec::new();
    for part in model.parts() {
        let sources = sources(model, config, part.trains);
        let interval = match objective.updates {
            Updates::Apart if part.sees_fakes => config.d_fake_every,
            _ => 1,
        };
        let dues = match part.sees_real {
            true => Due::with_penalty(interval, objective.r1),
            false => vec![(false, Due::every(interval))],
        };
        for (penalized, due) in dues {
            let step = model.step(part, shard, penalized)?;
            phases.push(Phase::new(step, due, part.trains as usize, &sources)?);
        }
    }
    Ok(phases)
}

/// Where the inputs of steps come from that train these networks.
fn sources(model: &CycleGan, config: &CycleGanConfig, trains: Trains) -> Vec<(String, Source)> {
    let (objective, common) = (&model.objective, &config.common);
    let (adam, of) = match trains {
        Trains::Generators => (objective.g_adam, "g"),
        Trains::Discriminators => (objective.d_adam, "d"),
    };
    let mut sources = vec![
        ("x".to_owned(), Source::Images { set: 0 }),
        ("y".to_owned(), Source::Images { set: 1 }),
        ("rates".to_owned(), Source::Rates(common.rates(adam))),
        ("decay".to_owned(), Source::Decay { decay: common.average }),
    ];
    for domain in Domain::BOTH {
        let name = domain.name();
        let stream = match domain {
            Domain::X => "pool.X",
            Domain::Y => "pool.Y",
        };
        let pool = ImagePool { stream, len: objective.pool };
        sources.push((format!("{name}.rows"), Source::PoolShown(pool.clone())));
        sources.push((format!("{name}.store"), Source::PoolStored(pool)));
        for images in ["real", "fake"].map(|images| format!("{name}.{images}")) {
            let stream = format!("diff.{of}.{images}");
            sources.extend(augmentation(objective.diffaugment, &images, &stream));
        }
    }
    sources
}
