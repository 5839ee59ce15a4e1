//! Promise: an iteration is data, and what is said of its inputs is what a run writes.

use mewgan::models::cyclegan::CycleGanConfig;
use mewgan::models::dcgan::DcganConfig;
use mewgan::models::{cyclegan, dcgan};
use mewgan::optim::Schedule;
use mewgan::ranks::Shard;
use mewgan::train::config::{Preset, RunConfig};
use mewgan::train::model::Model;
use mewgan::train::phase::{Inputs, Moment, Phase, Source};
use std::collections::BTreeMap;

const BATCH: usize = 4;

/// The inputs of phase `index` in iteration `t` of `total`, by name.
fn inputs(
    phases: &[Phase],
    index: usize,
    (t, total): (u64, u64),
    shard: Shard,
) -> BTreeMap<String, Vec<f32>> {
    let moment = Moment { seed: 3, t, total, shard, size: 16.into() };
    let images: Vec<Vec<f32>> = [1.0, 2.0].map(|value| vec![value; 12]).into();
    let mut found = BTreeMap::new();
    let mut inputs = Inputs::new(moment, phases, images.iter().map(Vec::as_slice).collect());
    let write = |name: &str, values: &[f32]| {
        found.insert(name.to_owned(), values.to_vec());
        Ok(())
    };
    inputs.of_phase(index, write).unwrap();
    found
}

fn dcgan(change: impl FnOnce(&mut DcganConfig)) -> Vec<Phase> {
    let mut config = DcganConfig::preset(Preset::Seed);
    config.common.size = 16.into();
    config.common.batch = BATCH;
    change(&mut config);
    dcgan::Dcgan::new(&config, BATCH).unwrap().phases(&config, BATCH.into()).unwrap()
}

fn names(phases: &[Phase]) -> Vec<&str> {
    phases.iter().map(|phase| phase.step.name.as_str()).collect()
}

#[test]
fn every_input_of_every_step_has_a_source() {
    for preset in Preset::ALL {
        let mut config = CycleGanConfig::preset(preset);
        config.common.size = 64.into();
        let model = cyclegan::CycleGan::new(&config, 1).unwrap();
        let cyclegan = model.phases(&config, 1.into()).unwrap();
        for phases in [cyclegan, dcgan(|config| *config = DcganConfig::preset(preset))] {
            let mut unique = names(&phases);
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), phases.len(), "steps are told apart by their names");
            for phase in &phases {
                let taken: Vec<&str> = phase.step.inputs().map(|(_, name, _)| name).collect();
                let given: Vec<&str> = phase.inputs.iter().map(|(name, _)| name.as_str()).collect();
                assert_eq!(taken, given, "{}", phase.step.name);
            }
        }
    }
}

#[test]
fn a_step_without_a_source_is_refused() {
    let phases = dcgan(|_| ());
    let some: Vec<(String, Source)> = phases[0].inputs[1..].to_vec();
    let error = Phase::new(phases[0].step.clone(), phases[0].due, 1, &some).unwrap_err().to_string();
    assert!(error.contains("discriminator_step") && error.contains(&phases[0].inputs[0].0), "{error}");
}

#[test]
fn learning_rates_follow_the_schedule_of_any_model() {
    let rates = |schedule, t| {
        let phases = dcgan(|config| config.common.schedule = schedule);
        let generator = phases.iter().position(|phase| phase.step.name == "generator_step").unwrap();
        inputs(&phases, generator, (t, 8), BATCH.into())["rates"].clone()
    };
    for (schedule, t, factor) in [
        (Schedule::Linear, 5, 1.0),
        (Schedule::Linear, 7, 0.5),
        (Schedule::Cosine, 5, 0.5),
        (Schedule::Cosine, 1, 1.0),
    ] {
        let (constant, scheduled) = (rates(Schedule::Constant, t), rates(schedule, t));
        assert!((scheduled[0] / constant[0] - factor).abs() < 1e-6, "{schedule:?} at {t}");
        assert_eq!(scheduled[1], constant[1]);
    }
}

#[test]
fn rates_count_the_updates_of_their_networks() {
    // Every 2nd iteration the discriminator is stepped, every 6th with the penalty.
    let phases = dcgan(|config| {
        config.common.d_norm = Some(mewgan::nn::Norm::None);
        (config.common.r1, config.common.r1_every) = (1.0, 3);
    });
    assert_eq!(names(&phases), ["discriminator_step", "penalized_discriminator_step", "generator_step"]);
    let update = |phase: usize, t| {
        let rates = &inputs(&phases, phase, (t, 100), BATCH.into())["rates"];
        let Source::Rates(of) = &phases[phase].inputs.iter().find(|(name, _)| name == "rates").unwrap().1
        else {
            panic!("rates are rates");
        };
        (1..100).find(|&update| of.adam.rates(update).map(|rate| rate as f32) == rates[..]).unwrap()
    };
    assert_eq!([update(0, 2), update(0, 4), update(1, 6), update(0, 8)], [1, 2, 3, 4]);
    assert_eq!([update(2, 1), update(2, 7)], [1, 7]);
}

#[test]
fn inputs_of_one_stream_are_the_same() {
    let noise = |fresh, t| {
        let phases = dcgan(|config| config.fresh_noise = fresh);
        [0, 1].map(|phase| inputs(&phases, phase, (t, 9), BATCH.into())["noise"].clone())
    };
    let [of_d, of_g] = noise(false, 2);
    assert_eq!(of_d, of_g);
    let [of_d, of_g] = noise(true, 2);
    assert_ne!(of_d, of_g);
    assert_ne!(noise(true, 4)[0], of_d, "another iteration, other noise");
}

#[test]
fn a_part_of_a_batch_has_its_part_of_the_inputs() {
    let config = {
        let mut config = DcganConfig::preset(Preset::Seed);
        (config.common.size, config.common.batch) = (16.into(), BATCH);
        config
    };
    let of = |shard: Shard| {
        let model = dcgan::Dcgan::new(&config, shard.len).unwrap();
        inputs(&model.phases(&config, shard).unwrap(), 0, (2, 9), shard)
    };
    let whole = of(BATCH.into());
    let parts = [0, 1].map(|rank| of(Shard::of(BATCH, rank, 2)));
    assert_eq!(parts.map(|part| part["noise"].clone()).concat(), whole["noise"]);
}
