//! What a run says of a step: a row of `metrics.jsonl` and a line for people.

use crate::ranks::CommStats;
use std::fmt::{Display, Formatter, Result};
use std::time::{Duration, Instant};

/// One loss of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// Its name.
    pub name: &'static str,
    /// Its value; none where the step did not compute it.
    pub value: Option<f64>,
    /// Whether it is in the line for people.
    pub shown: bool,
}

/// Losses and speed at one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// The step, counted from 1.
    pub step: u64,
    /// The run's last step.
    pub total: u64,
    /// The losses.
    pub losses: Vec<Loss>,
    /// Training time since the run's first step.
    pub seconds: f64,
    /// Speed since the log before.
    pub steps_per_second: f64,
    /// Time left, by the mean speed since the process started.
    pub seconds_left: f64,
    /// What it took to exchange with other ranks, where there are some.
    pub exchanged: Option<Exchanged>,
}

/// What rank 0 exchanged since the log before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exchanged {
    /// All of it.
    pub spent: CommStats,
    /// In how many steps.
    pub steps: u64,
}

impl Exchanged {
    /// Means over steps: seconds of each phase, bytes, and how many exchanges.
    fn values(self) -> [(&'static str, f64); 5] {
        let Self { spent, steps } = self;
        [
            ("readback_seconds", spent.readback.as_secs_f64()),
            ("reduce_seconds", spent.reduce.as_secs_f64()),
            ("upload_seconds", spent.upload.as_secs_f64()),
            ("exchanged_bytes", spent.bytes as f64),
            ("exchanges", spent.messages as f64),
        ]
        .map(|(name, value)| (name, value / steps.max(1) as f64))
    }
}

impl Log {
    /// The values of a metrics row.
    pub fn values(&self) -> Vec<(&'static str, f64)> {
        let losses = self.losses.iter().filter_map(|loss| Some((loss.name, loss.value?)));
        let speed = [("seconds", self.seconds), ("steps_per_second", self.steps_per_second)];
        let exchanged = self.exchanged.into_iter().flat_map(Exchanged::values);
        losses.chain(speed).chain(exchanged).collect()
    }

    /// Speed and time left.
    pub fn pace(&self) -> String {
        format!("{:.1} steps/s  {} left", self.steps_per_second, duration(self.seconds_left))
    }

    /// Losses, speed and time left, without the step.
    pub fn progress(&self) -> String {
        let shown = self.losses.iter().filter(|loss| loss.shown).map(|loss| match loss.value {
            Some(value) => format!("{} {value:.3}  ", loss.name),
            None => format!("{} -  ", loss.name),
        });
        format!("{}{}", shown.collect::<String>(), self.pace())
    }
}

impl Display for Log {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "step {}/{}  {}", self.step, self.total, self.progress())
    }
}

/// A time in words, such as `5 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..90 => format!("{whole} s"),
        90..5400 => format!("{} min", (seconds / 60.0).round()),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// Time spent on training, files and samples left out.
pub(super) struct Clock {
    before: Duration,
    since: Instant,
    started: (u64, Duration),
    marked: (u64, Duration),
}

/// What a [`Clock`] shows at a step.
pub(super) struct Time {
    pub seconds: f64,
    /// Steps since the mark before.
    pub steps: u64,
    /// Steps a second since the mark before.
    pub speed: f64,
    /// Steps a second since the clock was made.
    pub mean_speed: f64,
}

impl Clock {
    /// Runs on from `seconds` at `step`.
    pub fn new(seconds: f64, step: u64) -> Self {
        let before = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Self { before, since: Instant::now(), started: (step, before), marked: (step, before) }
    }

    pub fn pause(&mut self) {
        self.before += self.since.elapsed();
    }

    pub fn resume(&mut self) {
        self.since = Instant::now();
    }

    /// The time at `step`, while the clock runs.
    pub fn mark(&mut self, step: u64) -> Time {
        let now = self.before + self.since.elapsed();
        let speed = |from: (u64, Duration)| (step - from.0) as f64 / (now - from.1).as_secs_f64().max(1e-9);
        let time = Time {
            seconds: now.as_secs_f64(),
            steps: step - self.marked.0,
            speed: speed(self.marked),
            mean_speed: speed(self.started),
        };
        self.marked = (step, now);
        time
    }
}
