//! Signs of trouble in a run, each told once, when it begins. They are a function of the rows of `metrics.jsonl` alone, in their
//! order: a resumed run tells what an uninterrupted one does. `docs/training.md` says what each means.

mod finding;

pub use finding::{Diagnostic, Finding};

use super::run_folder::RunFolder;
use crate::Result;
use crate::report::{Row, metrics};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A discriminator's accuracy is the mean over this many logs: with the usual 10 steps a log and 16 images a batch, 500 steps
/// and 800 judgements of each kind.
const LOGS: usize = 50;
/// It always wins from here on; healthy runs on small sets come up to 0.99 of fakes and 0.98 of real images.
const WINS: f64 = 0.995;
/// It no longer does below this.
const WINS_NO_MORE: f64 = 0.98;
/// The mean accuracy of real and fake up to which it is no better than chance, which gives 0.5 give or take 0.013.
const CHANCE: f64 = 0.55;
/// It is better above this.
const BETTER_THAN_CHANCE: f64 = 0.6;
/// Samples that differ this share as much as training images have become different from each other; young ones, still grey, do not.
const DIFFERENT: f64 = 0.4;
/// Once they were, less than this share of the most they ever differed is a collapse.
const FALLEN: f64 = 0.5;
/// It is over above this.
const RISEN: f64 = 0.6;
/// Whatever came before, samples that differ less than this share as much as training images are one image; young ones differ
/// twice as much and more.
const ONE_IMAGE: f64 = 0.01;
/// Adam divides by the root mean square of a weight's gradients plus 1e-8: with gradients below this, that keeps it from moving.
const NOTHING: f64 = 1e-7;
/// Gradients below this share of their highest are noise around a place that a network cannot leave. In healthy runs they
/// stay within a tenth.
const VANISHED: f64 = 1.0 / 300.0;
/// They are back above this.
const BACK: f64 = 0.01;
/// Samples nearer to a training image than this share of what such images are from each other are copies; after
/// the third by which Gu et al., "On Memorization in Diffusion Models", 2023, tell them.
const COPIES: f64 = 1.0 / 3.0;
/// They are none above this.
const NO_COPIES: f64 = 0.4;

/// What one row says of one sign.
struct Observation {
    sign: Diagnostic,
    of: String,
    since: u64,
    shows: bool,
    /// Whether it shows clearly that all is well; between the two, what was told stays.
    clears: bool,
    evidence: String,
}

/// How long a sign has been seen, and the finding that is not over.
#[derive(Default)]
struct Course {
    seen: usize,
    since: u64,
    open: Option<usize>,
}

/// The signs of one run, row by row.
#[derive(Default)]
pub struct Diagnostics {
    /// The latest accuracies by name, with their steps.
    logs: BTreeMap<String, VecDeque<(u64, f64)>>,
    /// The highest value so far of each figure that can fall.
    highest: BTreeMap<String, f64>,
    courses: BTreeMap<(Diagnostic, String), Course>,
    findings: Vec<Finding>,
}

impl Diagnostics {
    /// Those of a run so far.
    pub fn new(rows: &[Row]) -> Self {
        let mut symptoms = Self::default();
        for row in rows {
            symptoms.observe(row);
        }
        symptoms
    }

    /// Takes the next row and returns what is to be told now.
    pub fn observe(&mut self, row: &Row) -> Vec<Finding> {
        let mut observations = self.accuracy(row);
        observations.extend(self.collapse(row));
        observations.extend(self.vanishing(row));
        observations.extend(copies(row));
        let told = self.findings.len();
        observations.into_iter().for_each(|observation| self.follow(row.step, observation));
        self.findings[told..].to_vec()
    }

    /// All that was told, in order.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    fn follow(&mut self, step: u64, observation: Observation) {
        let Observation { sign, of, since, shows, clears, evidence } = observation;
        let course = self.courses.entry((sign, of.clone())).or_default();
        if !shows {
            course.seen = 0;
            if let Some(finding) = course.open.take_if(|_| clears) {
                self.findings[finding].until = Some(step);
            }
            return;
        }
        course.seen += 1;
        if course.seen == 1 {
            course.since = since;
        }
        if course.open.is_none() && course.seen >= sign.patience() {
            course.open = Some(self.findings.len());
            self.findings.push(Finding { sign, of, since: course.since, step, until: None, evidence });
        }
    }

    /// What each discriminator's accuracy says, once there are enough logs.
    fn accuracy(&mut self, row: &Row) -> Vec<Observation> {
        let mut judged = BTreeSet::new();
        for (name, &value) in &row.values {
            let of =
                ["real", "fake"].iter().find_map(|kind| name.strip_prefix("accuracy_")?.strip_suffix(kind));
            let Some(of) = of.filter(|_| value.is_finite()) else { continue };
            let logs = self.logs.entry(name.clone()).or_default();
            logs.push_back((row.step, value));
            if logs.len() > LOGS {
                logs.pop_front();
            }
            judged.insert(of);
        }
        judged.into_iter().filter_map(|of| self.judged(of)).flatten().collect()
    }

    fn judged(&self, of: &str) -> Option<[Observation; 2]> {
        let logs = |kind| self.logs.get(&format!("accuracy_{of}{kind}")).filter(|logs| logs.len() == LOGS);
        let (real, fake) = (logs("real")?, logs("fake")?);
        let since = real[0].0.min(fake[0].0);
        let [real, fake] =
            [real, fake].map(|logs| logs.iter().map(|(_, value)| value).sum::<f64>() / LOGS as f64);
        let observation = |sign, shows, clears| Observation {
            sign,
            of: of.trim_end_matches('_').to_owned(),
            since,
            shows,
            clears,
            evidence: format!(
                "right about {:.1} % of real and {:.1} % of fake images",
                100.0 * real,
                100.0 * fake
            ),
        };
        let (lower, mean) = (real.min(fake), (real + fake) / 2.0);
        Some([
            observation(Diagnostic::Wins, lower >= WINS, lower < WINS_NO_MORE),
            observation(Diagnostic::Chance, mean <= CHANCE, mean > BETTER_THAN_CHANCE),
        ])
    }

    fn collapse(&mut self, row: &Row) -> Vec<Observation> {
        let observe = |(of, share): (&str, f64)| {
            // Noise may differ more than images do; to lose that is no loss.
            let most = self.highest(&format!("diversity_{of}"), share.min(1.0));
            let fallen = most >= DIFFERENT && share < FALLEN * most;
            let risen = most < DIFFERENT || share > RISEN * most;
            Observation {
                sign: Diagnostic::Collapse,
                of: of.to_owned(),
                since: row.step,
                shows: fallen || share < ONE_IMAGE,
                clears: risen && share > 2.0 * ONE_IMAGE,
                evidence: format!(
                    "they differ {share:.2} times as much as training images, {most:.2} at most"
                ),
            }
        };
        beside_real(row, "diversity").map(observe).collect()
    }

    fn vanishing(&mut self, row: &Row) -> Vec<Observation> {
        let observe = |(name, &value): (&String, &f64)| {
            let of = name.strip_prefix("gradient_").filter(|_| value.is_finite())?;
            let most = self.highest(name, value);
            Some(Observation {
                sign: Diagnostic::Vanishing,
                of: of.to_owned(),
                since: row.step,
                shows: value < NOTHING || value < VANISHED * most,
                clears: value > NOTHING && value > BACK * most,
                evidence: format!("their root mean square is {value:.1e}, {most:.1e} at most"),
            })
        };
        row.values.iter().filter_map(observe).collect()
    }

    /// The highest `value` of a figure so far, this one counted.
    fn highest(&mut self, figure: &str, value: f64) -> f64 {
        let highest = self.highest.entry(figure.to_owned()).or_insert(value);
        *highest = highest.max(value);
        *highest
    }
}

/// The signs of the run in `folder`, in the order in which they were told; none where nothing was measured yet.
///
/// # Errors
/// If its metrics cannot be read.
pub fn of_run(folder: &RunFolder) -> Result<Vec<Finding>> {
    match folder.metrics_path() {
        path if path.is_file() => Ok(Diagnostics::new(&metrics::read(path)?).findings),
        _ => Ok(Vec::new()),
    }
}

/// A figure of samples as a share of what training images have, by sheet.
fn beside_real<'a>(row: &'a Row, figure: &'static str) -> impl Iterator<Item = (&'a str, f64)> {
    let real = move |name: &'a str| name.strip_prefix(figure)?.strip_prefix("_real");
    row.values.iter().filter_map(move |(name, own)| {
        let of = real(name)?;
        let share = row.values.get(&format!("{figure}{of}"))? / own;
        // Training images that are all alike say nothing.
        share.is_finite().then_some((of.trim_start_matches('_'), share))
    })
}

fn copies(row: &Row) -> impl Iterator<Item = Observation> {
    beside_real(row, "nearest").map(|(of, share)| Observation {
        sign: Diagnostic::Copies,
        of: of.to_owned(),
        since: row.step,
        shows: share < COPIES,
        clears: share > NO_COPIES,
        evidence: format!("{share:.2} times as far from one as they are from each other"),
    })
}
