//! An iteration of pix2pix's training.

use super::{Pix2Pix, Pix2PixConfig};
use crate::Result;
use crate::ranks::Shard;
use crate::train::phase::{Due, Phase, Source, augmentation};

/// The discriminator's step, without the R1 penalty and with it where both occur, then the generator's. Both drop the same numbers, so
/// that they see the same translations.
pub fn phases(model: &Pix2Pix, config: &Pix2PixConfig, shard: Shard) -> Result<Vec<Phase>> {
    let (objective, common) = (&model.objective, &config.common);
    let policy = objective.diffaugment;
    let rates = |adam| ("rates".to_owned(), Source::Rates(common.rates(adam)));
    let [source, target] = config.sets();
    let mut shared = vec![
        ("source".to_owned(), Source::Images { set: source as usize }),
        ("target".to_owned(), Source::Images { set: target as usize }),
    ];
    shared.extend(model.generator.dropouts().into_iter().enumerate().map(|(index, rate)| {
        let name = format!("dropout.{index}");
        (name.clone(), Source::Dropout { rate, stream: name })
    }));

    let mut sources = shared.clone();
    sources.push(rates(objective.d_adam));
    sources.extend(augmentation(policy, "real", "diff.d.real"));
    sources.extend(augmentation(policy, "fake", "diff.d.fake"));
    let mut phases = Vec::new();
    for (penalized, due) in Due::with_penalty(1, objective.r1) {
        phases.push(Phase::new(model.discriminator_step(shard, penalized)?, due, 1, &sources)?);
    }

    let mut sources = shared;
    sources.push(rates(objective.g_adam));
    sources.push(("decay".to_owned(), Source::Decay { decay: common.average }));
    sources.extend(augmentation(policy, "fake", "diff.g.fake"));
    phases.push(Phase::new(model.generator_step(shard)?, Due::every(1), 0, &sources)?);
    Ok(phases)
}
