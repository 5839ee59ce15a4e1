//! Signs of trouble: each is told when its figures show it, once, and a healthy run tells nothing.

use mewgan::data::AugmentKind;
use mewgan::models::cyclegan::{CycleGanConfig, CycleGanSettings};
use mewgan::models::dcgan::{DcganConfig, DcganSettings};
use mewgan::models::{cyclegan, dcgan};
use mewgan::nn::Norm;
use mewgan::nn::loss::Adversarial;
use mewgan::report::Row;
use mewgan::train::config::{CommonSettings, DiffAugmentPart, DiffAugmentParts, Preset, RunConfig};
use mewgan::train::diagnostics::{Diagnostic, Diagnostics, Finding, of_run};
use mewgan::train::log::Log;
use mewgan::train::run::{Outcome, Watch};
use mewgan::train::run_folder::RunFolder;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::tempdir;

const DEVICES: [&str; 2] = ["cpu", "gpu"];

/// A row every 10 steps, its figures by what `figures` says of each.
fn rows<const N: usize>(count: u64, figures: impl Fn(u64) -> [(&'static str, f64); N]) -> Vec<Row> {
    let values = |index| figures(index).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    (1..=count).map(|index| Row { step: 10 * index, values: values(index) }).collect()
}

/// Diagnostic, of what, since when, told when, until when.
type Told<'a> = (Diagnostic, &'a str, u64, u64, Option<u64>);

fn told(diagnostics: &Diagnostics) -> Vec<Told<'_>> {
    let told = |f: &'_ Finding| (f.sign, f.since, f.step, f.until);
    diagnostics
        .findings()
        .iter()
        .map(|finding| {
            let (sign, since, step, until) = told(finding);
            (sign, finding.of.as_str(), since, step, until)
        })
        .collect()
}

fn accuracy(real: f64, fake: f64) -> [(&'static str, f64); 2] {
    [("accuracy_real", real), ("accuracy_fake", fake)]
}

fn diversity(share: f64) -> [(&'static str, f64); 2] {
    [("diversity", 0.5 * share), ("diversity_real", 0.5)]
}

#[test]
fn a_discriminator_that_always_wins_is_told_once() {
    let always = Diagnostics::new(&rows(400, |_| accuracy(1.0, 1.0)));
    assert_eq!(told(&always), [(Diagnostic::Wins, "", 10, 500, None)]);
    let text = always.findings()[0].to_string();
    for part in ["step 500", "the discriminator always wins", "100.0 % of real", "since step 10)", "--d-lr"] {
        assert!(text.contains(part), "{text}");
    }
    // One slip in 100 judgements, or one kind that it is often wrong about, is no victory.
    let slip = |index: u64| accuracy(1.0, if index.is_multiple_of(6) { 15.0 / 16.0 } else { 1.0 });
    assert_eq!(told(&Diagnostics::new(&rows(400, slip))), []);
    assert_eq!(told(&Diagnostics::new(&rows(400, |_| accuracy(1.0, 0.9)))), []);
}

#[test]
fn what_came_back_is_told_again_and_what_wavers_is_not() {
    let wavering = |index| match index {
        101..=160 => accuracy(0.99, 0.99),
        301..=400 => accuracy(0.89, 0.89),
        _ => accuracy(1.0, 1.0),
    };
    let expected = [(Diagnostic::Wins, "", 10, 500, Some(3100)), (Diagnostic::Wins, "", 3990, 4480, None)];
    assert_eq!(told(&Diagnostics::new(&rows(600, wavering))), expected);
}

#[test]
fn a_discriminator_at_chance_or_worse_is_told() {
    for (real, fake) in [(0.5, 0.5), (0.0, 1.0), (0.03, 0.01), (0.52, 0.57)] {
        let found = Diagnostics::new(&rows(60, |_| accuracy(real, fake)));
        assert_eq!(told(&found), [(Diagnostic::Chance, "", 10, 500, None)], "{real} {fake}");
    }
    assert_eq!(told(&Diagnostics::new(&rows(400, |_| accuracy(0.7, 0.55)))), []);
    // One domain of two; fakes are judged at every second log only.
    let one = |index: u64| {
        let fake = if index.is_multiple_of(2) { 0.4 } else { f64::NAN };
        [
            ("accuracy_X_real", 0.9),
            ("accuracy_X_fake", 0.9),
            ("accuracy_Y_real", 0.6),
            ("accuracy_Y_fake", fake),
        ]
    };
    assert_eq!(told(&Diagnostics::new(&rows(200, one))), [(Diagnostic::Chance, "Y", 20, 1000, None)]);
}

#[test]
fn samples_that_come_to_look_alike_are_told() {
    let falls = |index| diversity(if index < 20 { 0.8 } else { 0.3 });
    assert_eq!(told(&Diagnostics::new(&rows(40, falls))), [(Diagnostic::Collapse, "", 200, 220, None)]);
    let less_noise = |index| diversity(if index < 20 { 1.5 } else { 0.6 });
    assert_eq!(told(&Diagnostics::new(&rows(40, less_noise))), []);
    // Two samples are chance; young ones, still grey, are not a collapse unless they are one image.
    assert_eq!(told(&Diagnostics::new(&rows(21, falls))), []);
    let rises = |index| diversity(0.02 + 0.01 * (index as f64));
    assert_eq!(told(&Diagnostics::new(&rows(80, rises))), []);
    let one = Diagnostics::new(&rows(5, |_| diversity(0.001)));
    assert_eq!(told(&one), [(Diagnostic::Collapse, "", 10, 30, None)]);
}

#[test]
fn gradients_that_vanish_are_told() {
    let of = |value: f64| [("gradient_generator", 1e-2), ("gradient_discriminator", value)];
    let fades = |index| of(if index < 10 { 1e-2 } else { 1e-5 });
    let expected = [(Diagnostic::Vanishing, "discriminator", 100, 110, None)];
    assert_eq!(told(&Diagnostics::new(&rows(20, fades))), expected);
    let expected = [(Diagnostic::Vanishing, "discriminator", 10, 20, None)];
    assert_eq!(told(&Diagnostics::new(&rows(20, |_| of(0.0)))), expected);
    let once = |index| of(if index == 10 { 0.0 } else { 1e-3 });
    assert_eq!(told(&Diagnostics::new(&rows(20, once))), []);
}

#[test]
fn copies_of_training_images_are_told() {
    let near = |share: f64| [("nearest_XtoY", 0.2 * share), ("nearest_real_XtoY", 0.2)];
    let learns = |index: u64| near(1.5 - 0.1 * (index as f64).min(14.0));
    assert_eq!(told(&Diagnostics::new(&rows(30, learns))), [(Diagnostic::Copies, "XtoY", 120, 140, None)]);
    assert_eq!(told(&Diagnostics::new(&rows(30, |_| near(0.5)))), []);
    // Where training images are copies of each other, samples may be.
    let same = |_| [("nearest", 0.0), ("nearest_real", 0.0)];
    assert_eq!(told(&Diagnostics::new(&rows(30, same))), []);
}

#[test]
fn accuracy_counts_scores_on_the_right_side() {
    // A score and what it is as an error of a real and of a fake image.
    let cases = [
        (Adversarial::Lsgan, [0.6, 0.4, 0.5], [-0.4, -0.6, -0.5], [0.6, 0.4, 0.5]),
        (Adversarial::Bce, [0.1, -0.1, 0.0], [-0.1, 0.1, 0.0], [0.1, -0.1, 0.0]),
        (Adversarial::Hinge, [0.5, -0.5, 0.0], [0.5, 1.5, 1.0], [1.5, 0.5, 1.0]),
    ];
    for (loss, scores, real, fake) in cases {
        for ((score, real), fake) in scores.into_iter().zip(real).zip(fake) {
            let means_real = match scores.iter().position(|of| *of == score) {
                Some(0) => 1.0,
                Some(1) => 0.0,
                _ => 0.5,
            };
            assert_eq!(loss.accuracy(&[real], true), means_real, "{loss:?} {score}");
            assert_eq!(loss.accuracy(&[fake], false), 1.0 - means_real, "{loss:?} {score}");
        }
        assert_eq!(loss.accuracy(&real, true), 0.5);
        assert!(loss.accuracy(&[f32::NAN], true).is_nan());
    }
}

/// Keeps what is told, and stops after a step.
struct Listening<'a> {
    told: Vec<Finding>,
    stop_after: u64,
    stop: &'a AtomicBool,
}

impl Watch for Listening<'_> {
    fn stepped(&mut self, step: u64) {
        if step + 1 == self.stop_after {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
    fn logged(&mut self, _: &Log) {}
    fn noticed(&mut self, finding: &Finding) {
        self.told.push(finding.clone());
    }
    fn warned(&mut self, warning: &str) {
        panic!("{warning}");
    }
}

fn follow<T: mewgan::train::model::Model>(
    mut trainer: mewgan::train::run::Trainer<T>,
    stop_after: u64,
) -> Vec<Finding> {
    let stop = AtomicBool::new(false);
    let mut listening = Listening { told: Vec::new(), stop_after, stop: &stop };
    let outcome = trainer.run(&stop, &mut listening).unwrap();
    assert_eq!(outcome == Outcome::Finished, stop_after == u64::MAX);
    listening.told
}

/// The signs a run folder shows, in the order of the enumeration.
fn signs(run: &Path) -> BTreeSet<Diagnostic> {
    of_run(&RunFolder::open(run).unwrap()).unwrap().into_iter().map(|finding| finding.sign).collect()
}

fn tiny(device: &str) -> DcganSettings {
    DcganSettings {
        data: Some("builtin:noto/faces".into()),
        common: CommonSettings {
            size: Some(16.into()),
            batch: Some(16),
            g_width: Some(8),
            d_width: Some(8),
            log_every: Some(2),
            sample_every: Some(20),
            checkpoint_every: Some(1000),
            device: Some(device.into()),
            ..Default::default()
        },
        ..Default::default()
    }
}

fn start(settings: DcganSettings, out: &Path) -> dcgan::Trainer {
    let config = DcganConfig::new(DcganSettings::default(), settings).unwrap();
    dcgan::Trainer::start(config, Some(out)).unwrap()
}

/// A generator that stands still loses; the run that was interrupted tells what the other does.
#[test]
fn a_run_whose_discriminator_wins_says_so() {
    for device in DEVICES {
        let runs = tempdir().unwrap();
        let (whole, stopped) = (runs.path().join("whole"), runs.path().join("stopped"));
        let settings = DcganSettings {
            common: CommonSettings {
                preset: Some(Preset::Course),
                g_lr: Some(1e-12),
                d_lr: Some(1e-3),
                steps: Some(300),
                ..tiny(device).common
            },
            ..tiny(device)
        };
        let told = follow(start(settings.clone(), &whole), u64::MAX);
        assert!(told.iter().any(|finding| finding.sign == Diagnostic::Wins), "{device}: {told:?}");
        let mut parts = follow(start(settings, &stopped), 117);
        let resumed = dcgan::Trainer::resume(&stopped, DcganSettings::default()).unwrap();
        parts.extend(follow(resumed, u64::MAX));
        assert_eq!(parts, told, "{device}");
    }
}

/// Steps far too large, and no norms to catch them, throw both networks to where they say the same of everything.
#[test]
fn a_run_that_collapses_says_so() {
    for device in DEVICES {
        let runs = tempdir().unwrap();
        let out = runs.path().join("run");
        let settings = DcganSettings {
            common: CommonSettings {
                preset: Some(Preset::Paper),
                norm: Some(Norm::None),
                lr: Some(0.05),
                steps: Some(200),
                ..tiny(device).common
            },
            ..tiny(device)
        };
        let told = follow(start(settings, &out), u64::MAX);
        let found: BTreeSet<Diagnostic> = told.iter().map(|finding| finding.sign).collect();
        assert!(
            found.is_superset(&[Diagnostic::Collapse, Diagnostic::Vanishing].into()),
            "{device}: {told:?}"
        );
        assert_eq!(signs(&out), found);
    }
}

/// The published networks at half their width, on few images.
#[test]
fn a_healthy_run_tells_nothing() {
    for device in DEVICES {
        let runs = tempdir().unwrap();
        let out = runs.path().join("run");
        let settings = DcganSettings {
            common: CommonSettings {
                preset: Some(Preset::Paper),
                size: Some(32.into()),
                g_width: Some(32),
                d_width: Some(32),
                augment: Some(AugmentKind::Deluxe),
                diffaugment: Some(DiffAugmentParts(vec![DiffAugmentPart::Translation])),
                lr: Some(5e-4),
                // What is told is decided by the host; software GPUs take a second for a few steps.
                steps: Some(if device == "cpu" { 300 } else { 60 }),
                log_every: Some(2),
                ..tiny(device).common
            },
            ..tiny(device)
        };
        assert_eq!(follow(start(settings, &out), u64::MAX), [], "{device}");
        let rows = mewgan::report::metrics::read(out.join("metrics.jsonl")).unwrap();
        let last = &rows[rows.len() - 1].values;
        for figure in ["diversity", "diversity_real", "nearest", "nearest_real", "gradient_generator"] {
            assert!(last[figure] > 0.0, "{device}: {figure} {last:?}");
        }
    }
}

/// Discriminators that do not learn are no better than chance; all of a CycleGAN's figures are there.
#[test]
fn a_cyclegan_whose_discriminators_stand_still_says_so() {
    for device in DEVICES {
        let runs = tempdir().unwrap();
        let out = runs.path().join("run");
        let settings = CycleGanSettings {
            x: Some("builtin:noto/faces".into()),
            y: Some("builtin:twemoji/faces".into()),
            common: CommonSettings {
                preset: Some(Preset::Course),
                size: Some(16.into()),
                batch: Some(4),
                g_width: Some(4),
                d_width: Some(4),
                blocks: Some(1),
                d_lr: Some(1e-12),
                steps: Some(60),
                log_every: Some(1),
                sample_every: Some(30),
                device: Some(device.into()),
                ..Default::default()
            },
            ..Default::default()
        };
        let config = CycleGanConfig::new(CycleGanSettings::default(), settings).unwrap();
        let told = follow(cyclegan::Trainer::start(config, Some(&out)).unwrap(), u64::MAX);
        let at_chance: Vec<_> = told
            .iter()
            .filter(|finding| finding.sign == Diagnostic::Chance)
            .map(|finding| finding.of.as_str())
            .collect();
        assert_eq!(at_chance, ["X", "Y"], "{device}: {told:?}");
        let rows = mewgan::report::metrics::read(out.join("metrics.jsonl")).unwrap();
        let last = &rows[rows.len() - 1].values;
        for figure in ["diversity_XtoY", "nearest_real_YtoX", "gradient_G_XtoY", "gradient_D_Y"] {
            assert!(last[figure] > 0.0, "{device}: {figure} {last:?}");
        }
    }
}
