//! Measuring a device: what it can do at best ([`peaks`]), and how long things take on it.
//!
//! Many things are timed at once: in rounds, each thing once a round, so that whatever slows the machine slows all alike.

pub mod peaks;
pub(crate) mod table;

use crate::Result;
use crate::executor::Executor;
use serde::Serialize;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

/// Does its work so many times, and waits until it is done.
pub type Work = Box<dyn FnMut(usize) -> Result<()>>;

/// What is measured.
pub trait Subject {
    /// What it is called.
    fn name(&self) -> &str;
    /// Whether everything else is held against it: it is never told by a first run, however long that takes.
    fn is_basis(&self) -> bool;
}

/// Something to be timed.
pub struct Task<S> {
    /// What it is.
    pub subject: S,
    /// The work.
    pub work: Work,
}

/// How much time is spent on each task.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Seconds of all its samples; a task of which one takes longer still has its least.
    pub budget: f64,
    /// Seconds one sample takes at least: short work is repeated within it.
    pub sample: f64,
    /// Fewest samples.
    pub least: usize,
    /// Most samples.
    pub most: usize,
    /// Seconds after which a task is not run again: its first run, caches cold, is its only sample. Peaks and controls always
    /// are.
    pub patience: f64,
}

/// The times that were measured of one thing, in seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// Half of the samples are below, half above.
    pub median: f64,
    /// A quarter is below.
    pub lower: f64,
    /// A quarter is above.
    pub upper: f64,
    /// The fastest sample.
    pub min: f64,
    /// The slowest.
    pub max: f64,
    /// How many samples there are.
    pub samples: usize,
}

impl Spread {
    /// The spread of `samples`, of which there must be one.
    pub fn of(samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len() - 1;
        let quantile = |share: f64| {
            let at = share * last as f64;
            let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
            low + (high - low) * at.fract()
        };
        Self {
            median: quantile(0.5),
            lower: quantile(0.25),
            upper: quantile(0.75),
            min: sorted[0],
            max: sorted[last],
            samples: sorted.len(),
        }
    }
}

/// Runs a step so many times in one submission.
pub fn repeated(executor: &Rc<RefCell<Box<dyn Executor>>>, step: usize) -> Work {
    let executor = Rc::clone(executor);
    Box::new(move |times| {
        let mut executor = executor.borrow_mut();
        executor.run(&vec![step; times])?;
        executor.wait()
    })
}

/// Told how many samples are taken, of how many, and what is measured now.
pub type Progress<'a> = &'a dyn Fn(usize, usize, &str);

/// Most repetitions within a sample.
const REPEATS: usize = 1024;

/// Measures every task; returns each one's samples, in seconds for doing its work once.
///
/// # Errors
/// If some work fails.
pub fn measure<S: Subject>(
    tasks: &mut [Task<S>],
    effort: Effort,
    progress: Progress<'_>,
) -> Result<Vec<Vec<f64>>> {
    let mut plans = Vec::new();
    let mut samples = Vec::new();
    let count = tasks.len();
    for (at, task) in tasks.iter_mut().enumerate() {
        progress(at, count, &format!("first run: {}", task.subject.name()));
        let first = time(&mut task.work, 1)?;
        let enough = first > effort.patience && !task.subject.is_basis();
        samples.push(if enough { vec![first] } else { vec![] });
        plans.push(if enough { Plan::default() } else { plan(&mut task.work, first, effort)? });
    }
    let total = plans.iter().map(|plan| plan.samples).sum();
    let rounds = plans.iter().map(|plan| plan.samples).max().unwrap_or(0);
    let mut done = 0;
    for round in 0..rounds {
        for ((task, plan), samples) in tasks.iter_mut().zip(&plans).zip(&mut samples) {
            if round < plan.samples {
                progress(done, total, task.subject.name());
                if plan.warm {
                    (task.work)(1)?;
                }
                samples.push(time(&mut task.work, plan.repeats)? / plan.repeats as f64);
                done += 1;
            }
        }
    }
    Ok(samples)
}

/// How often a task is sampled, and its work repeated in each sample.
#[derive(Default)]
struct Plan {
    samples: usize,
    repeats: usize,
    /// Whether it runs once before each sample, so that caches hold its memory and not that of its neighbour.
    warm: bool,
}

/// Runs `work`, of which the first run took so many seconds, until it is known how long a sample of it takes.
fn plan(work: &mut Work, first: f64, effort: Effort) -> Result<Plan> {
    let mut repeats = 1;
    // The first run may have had things to make.
    let mut seconds = if first < 10.0 * effort.budget { time(work, 1)? } else { first };
    while seconds < effort.sample && repeats < REPEATS {
        let wanted = (effort.sample / seconds * repeats as f64).ceil() as usize;
        repeats = wanted.clamp(repeats + 1, 8 * repeats).min(REPEATS);
        seconds = time(work, repeats)?;
    }
    let samples = (effort.budget / seconds) as usize;
    let warm = seconds < repeats as f64 * effort.budget / 10.0;
    Ok(Plan { samples: samples.clamp(effort.least, effort.most), repeats, warm })
}

fn time(work: &mut Work, repeats: usize) -> Result<f64> {
    let start = Instant::now();
    work(repeats)?;
    Ok(start.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::{Effort, Spread, Subject, Task, measure};
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::{Duration, Instant};

    impl Subject for &str {
        fn name(&self) -> &str {
            self
        }
        fn is_basis(&self) -> bool {
            false
        }
    }

    #[test]
    fn spreads_are_quantiles() {
        let spread = Spread::of(&[5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!(
            (spread.min, spread.lower, spread.median, spread.upper, spread.max),
            (1.0, 2.0, 3.0, 4.0, 5.0)
        );
        assert_eq!(Spread::of(&[1.0, 2.0]).median, 1.5);
        assert_eq!(Spread::of(&[7.0]).upper, 7.0);
    }

    #[test]
    fn tasks_take_turns_and_short_work_is_repeated() {
        let turns = Rc::new(RefCell::new(Vec::new()));
        let task = |name: &'static str, microseconds: u64| {
            let turns = Rc::clone(&turns);
            let work = Box::new(move |times: usize| {
                turns.borrow_mut().push(name);
                let end = Instant::now() + Duration::from_micros(microseconds) * times as u32;
                while Instant::now() < end {}
                Ok(())
            });
            Task { subject: name, work }
        };
        let effort = Effort { budget: 1.0, sample: 0.002, least: 2, most: 3, patience: 0.5 };
        let mut tasks = [task("short", 50), task("long", 3000)];
        let samples = measure(&mut tasks, effort, &|_, _, _| ()).unwrap();
        let turns = turns.take();
        // Each runs once to be warm, then for its sample.
        assert_eq!(turns[turns.len() - 12..], ["short", "short", "long", "long"].repeat(3));
        assert_eq!(samples[0].len(), 3);
        // By itself, not by the sample it is repeated in; never less than the work takes.
        let short = Spread::of(&samples[0]);
        assert!(short.min >= 50e-6 && short.min < 2e-3, "{short:?}");
        assert!(Spread::of(&samples[1]).min >= 3e-3);

        let impatient = Effort { patience: 1e-3, ..effort };
        let samples = measure(&mut tasks, impatient, &|_, _, _| ()).unwrap();
        assert_eq!((samples[0].len(), samples[1].len()), (3, 1));
    }
}
