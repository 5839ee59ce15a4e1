//! Which kernels are fastest here: every candidate of every contraction measured once on a device, and the choice kept.
//!
//! A run pins its table in its own folder, so that it goes on with the same kernels, bit for bit.

use super::device::Gpu;
use super::lower::{Contraction, TuningTable, Variant, candidates, lower};
use super::run::GpuExecutor;
use crate::executor::Executor;
use crate::file;
use crate::graph::{Graph, Slot, StateBuffer, Step, Update};
use crate::real::Precision;
use crate::spelling::quoted;
use crate::{Error, Result, machine};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The longest table, in bytes.
const LONGEST: u64 = 1 << 24;

/// The longest that one run of a program takes measuring; what is left then keeps its default.
const BUDGET: Duration = Duration::from_secs(20);

/// What one measurement should take at least, in seconds, and the most repetitions for that.
const STRETCH: f64 = 2e-3;
const REPETITIONS: f64 = 64.0;

/// Rounds over the candidates that are left, and how much slower than the fastest one a candidate may be after the first.
const ROUNDS: usize = 5;
const HOPELESS: f64 = 1.5;

/// The kernels chosen for the contractions of some programs on one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The device and its driver, in words.
    pub device: String,
    /// This crate's version.
    pub version: String,
    /// How contractions are computed; single precision where it does not say.
    #[serde(default, skip_serializing_if = "Precision::is_single")]
    pub precision: Precision,
    /// The kernels.
    pub kernels: TuningTable,
}

impl Table {
    /// The kernels that `gpu` takes for the contractions of `steps`, measured or not.
    pub fn of(gpu: &Gpu, steps: &[Step]) -> Self {
        Self { kernels: gpu.target().resolved(&Contraction::all(steps)), ..Self::new(gpu) }
    }

    fn new(gpu: &Gpu) -> Self {
        Self {
            device: gpu.summary().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            precision: gpu.target().precision,
            kernels: TuningTable::NONE,
        }
    }

    /// The table kept at `path`, if there is one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let text = match file::text(path, LONGEST) {
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        serde_json::from_str(&text).map(Some).map_err(|error| {
            Error::Input(format!("{}: no table of kernels ({}); remove it", path.display(), quoted(error)))
        })
    }

    /// Keeps the table at `path`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::Input(format!("{}: {error}", path.display())))?;
        file::write_atomic(path, text.as_bytes())
    }

    /// As [`Table::write`], in a folder that may not be there yet.
    fn keep(&self, path: &Path) -> Result<()> {
        path.parent().map_or(Ok(()), |folder| fs::create_dir_all(folder).map_err(Error::io(folder)))?;
        self.write(path)
    }

    /// Whether it was made for `gpu` and the precision that it computes in.
    pub fn is_of(&self, gpu: &Gpu) -> bool {
        self.device == gpu.summary().to_string() && self.precision == gpu.target().precision
    }
}

/// Where what was measured on a device is kept between runs: in the user's folder for caches, one file a device and
/// precision.
pub fn kept_at(gpu: &Gpu) -> Option<PathBuf> {
    let word = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let name: String = gpu.summary().to_string().chars().map(word).collect();
    let precision = match gpu.target().precision {
        Precision::F32 => "",
        Precision::Mixed => "-mixed",
    };
    Some(machine::cache()?.join(format!("kernels-{}-{name}{precision}.json", env!("CARGO_PKG_VERSION"))))
}

/// `gpu` with the fastest kernels for those contractions of `steps` that have none settled: from the table at `kept`, else
/// measured now and added to it. `progress` hears of that in lines for people.
///
/// # Errors
/// If the device fails. A table that cannot be kept is only told of.
pub fn tuned(gpu: Gpu, steps: &[Step], kept: Option<&Path>, progress: &mut dyn FnMut(&str)) -> Result<Gpu> {
    let mut choices = gpu.target().choices.clone();
    let before = kept.and_then(|path| Table::read(path).ok().flatten()).filter(|table| table.is_of(&gpu));
    let mut table = before.unwrap_or_else(|| Table::new(&gpu));
    let all = Contraction::all(steps);
    let unknown = |of: &&Contraction| choices.get(of).or(table.kernels.get(of)).is_none();
    let missing: Vec<Contraction> = all.iter().filter(unknown).copied().collect();
    if !missing.is_empty() {
        progress(&format!(
            "measuring kernels for {} contractions, once for this device: at most {} s (`no_tune` leaves it out)",
            missing.len(),
            BUDGET.as_secs()
        ));
        let start = Instant::now();
        for of in missing.iter().take_while(|_| start.elapsed() < BUDGET) {
            table.kernels.set(*of, fastest(&gpu, of)?);
        }
        progress(&format!("measured in {:.1} s", start.elapsed().as_secs_f64()));
        if let Some(Err(error)) = kept.map(|path| table.keep(path)) {
            progress(&format!("what was measured is not kept: {error}"));
        }
    }
    for of in all {
        if let (None, Some(variant)) = (choices.get(&of), table.kernels.get(&of)) {
            choices.set(of, variant);
        }
    }
    Ok(gpu.with_tuning(choices))
}

fn fastest(gpu: &Gpu, of: &Contraction) -> Result<Variant> {
    let variants = candidates(of, gpu.target());
    let seconds = measure(gpu, of, &variants)?;
    let best = (0..variants.len()).min_by(|&a, &b| seconds[a].total_cmp(&seconds[b]));
    Ok(variants[best.unwrap_or(0)])
}

/// Seconds that each of `variants` takes for one contraction on `gpu`: the least over rounds in which they take turns. One
/// that is far behind after the first round is not measured again.
///
/// # Errors
/// If the device fails or is too small.
pub fn measure(gpu: &Gpu, of: &Contraction, variants: &[Variant]) -> Result<Vec<f64>> {
    let (buffers, step) = alone(of)?;
    let programs = variants
        .iter()
        .map(|&variant| {
            let mut target = gpu.target().clone();
            target.choices.set(*of, variant);
            lower(&step, &buffers, &target)
        })
        .collect::<Result<_>>()?;
    let mut executor = GpuExecutor::load_lowered(gpu.clone(), &buffers, programs)?;
    for (buffer, of) in buffers.iter().enumerate() {
        let values: Vec<f32> = (0..of.len).map(|i| (i % 97) as f32 / 97.0 - 0.5).collect();
        executor.write_state(buffer, &values)?;
    }
    let mut time = |program: usize, runs: usize| -> Result<f64> {
        executor.wait()?;
        let start = Instant::now();
        executor.run(&vec![program; runs])?;
        executor.wait()?;
        Ok(start.elapsed().as_secs_f64() / runs as f64)
    };
    // The first run of a kernel may compile it for good.
    let mut seconds =
        (0..variants.len()).map(|of| time(of, 1).and_then(|_| time(of, 1))).collect::<Result<Vec<f64>>>()?;
    let fastest = |seconds: &[f64]| seconds.iter().copied().fold(f64::INFINITY, f64::min);
    let runs = (STRETCH / fastest(&seconds)).clamp(1.0, REPETITIONS) as usize;
    for round in 0..ROUNDS {
        let bound = if round == 0 { f64::INFINITY } else { HOPELESS * fastest(&seconds) };
        for (of, least) in seconds.iter_mut().enumerate().filter(|(_, seconds)| **seconds <= bound) {
            let now = time(of, runs)?;
            *least = if round == 0 { now } else { least.min(now) };
        }
    }
    Ok(seconds)
}

/// A step that is one contraction and nothing else, over state buffers that hold its operands and its result.
fn alone(of: &Contraction) -> Result<(Vec<StateBuffer>, Step)> {
    let mut buffers = vec![StateBuffer::default(), StateBuffer::default(), StateBuffer::default()];
    for (buffer, shape) in buffers.iter_mut().zip(of.shapes()) {
        buffer.push("operand", shape);
    }
    let graph = Graph::new();
    let [a, b, _] = of.shapes();
    let [a, b] = [(0, a), (1, b)].map(|(buffer, shape)| graph.state(Slot { buffer, offset: 0 }, shape));
    let value = of.build(a, b)?.id();
    let store = Update::Store { slot: Slot { buffer: 2, offset: 0 }, value };
    Ok((buffers, Step::new("contraction", &graph, &[], vec![store])?))
}
