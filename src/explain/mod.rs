//! What an iteration of training is on a device: its programs, dispatch by dispatch (on the CPU: operation by operation), each
//! with what it computes, moves and takes. Nothing is trained, and no run is changed.

mod listing;
mod row;
mod trace;

pub use listing::text;
pub use row::Row;
pub use trace::trace;

use crate::Result;
use crate::device::Device;
use crate::executor::Executor;
use crate::gpu::GpuExecutor;
use crate::gpu::lower::{TuningTable, lower};
use crate::measure::peaks::{self, Peaks};
use crate::measure::{Effort, Spread};
use crate::models::system::{self, System};
use crate::models::{Kind, with_model};
use crate::real::Precision;
use crate::reference::Reference;
use crate::train::config::{Preset, RunConfig};
use crate::train::model::Model;
use crate::train::run::memory::check_program;
use crate::train::run_folder::RunFolder;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What is to be explained.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The run in a folder, with its settings and the kernels that it pinned.
    Run(PathBuf),
    /// A model at a preset, in a precision.
    Preset(Kind, Preset, Precision),
}

/// An iteration on a device.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The program and its version.
    pub program: String,
    /// What trains, in words.
    pub subject: String,
    /// The device, in words.
    pub device: String,
    /// Whose choice its kernels are.
    pub kernels: &'static str,
    /// How the times were taken.
    pub clock: &'static str,
    /// Samples that every time is the median of.
    pub samples: usize,
    /// What the device can do: shares are of that.
    pub peaks: Peaks,
    /// The programs, in order.
    pub programs: Vec<Listed>,
}

/// A program of an iteration.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// When it is part of an iteration.
    pub due: String,
    /// Its dispatches, or operations, in order.
    pub rows: Vec<Row>,
    /// Seconds that all of it takes as training runs it, from the host's first word to the device's last.
    pub seconds: f64,
    /// Of those, the host's: writing inputs, recording, submitting. On the CPU device, all of them.
    pub host_seconds: f64,
}

/// How much time is spent on the peaks, on each.
const PEAKS: Effort = Effort { budget: 0.1, sample: 0.002, least: 3, most: 25, patience: f64::INFINITY };
/// Rounds of the listing: so many within so many seconds; and so many more, if that takes no longer than this.
const LEAST: (usize, f64) = (3, 20.0);
const MOST: (usize, f64) = (9, 2.0);

/// Explains `subject` on the device called `device`: where none is named, that of the run's settings, for a preset `auto`.
/// `progress` hears of what takes time, in lines for people.
///
/// # Errors
/// If there is no such run or device, or the device fails or is too small.
pub fn explain(
    subject: &Subject,
    device: Option<&str>,
    progress: &mut dyn FnMut(&str),
) -> Result<Explanation> {
    let (system, device) = match subject {
        &Subject::Preset(kind, preset, precision) => {
            let device = Device::open(device.unwrap_or(crate::device::AUTO))?;
            (system::preset_of(kind, preset, precision)?, device.with_precision(precision)?)
        }
        Subject::Run(path) => of_run(path, device)?,
    };
    let kernels = match &device {
        Device::Cpu { .. } => "the reference's",
        Device::Gpu(gpu) if gpu.target().choices != TuningTable::NONE => "those that the run pinned",
        Device::Gpu(_) => "the device's own, as a new run would take them",
    };
    let device = device.tuned(&system.steps(), progress)?;
    check_program("the images of a batch", &device, system.buffers(), &system.steps())?;
    progress("measuring what the device can do");
    let peaks = peaks::measured(&device, PEAKS, &|_, _, _| ())?;
    progress("timing the iteration");
    let (mut executor, rows) = prepare(&device, &system)?;
    system.begin(&mut *executor)?;
    let (programs, samples) = timed(&mut *executor, &system, rows, peaks)?;
    Ok(Explanation {
        program: format!("mewgan {}", env!("CARGO_PKG_VERSION")),
        subject: system.name.clone(),
        device: device.describe(),
        kernels,
        clock: match &device {
            Device::Cpu { .. } => "each operation by the host's clock, one after another",
            Device::Gpu(gpu) if gpu.has_clock() => {
                "each dispatch by the device's clock, in a pass of its own"
            }
            Device::Gpu(_) => "each dispatch by the host's clock, submitted and waited for alone",
        },
        samples,
        peaks,
        programs,
    })
}

/// The training of a run, and the device it is to be explained on, with the kernels that the run pinned for it.
fn of_run(path: &Path, device: Option<&str>) -> Result<(System, Device)> {
    let folder = RunFolder::open(path)?;
    let name = path.display().to_string();
    let config = folder.config_path();
    let (system, own, precision) = with_model!(Kind::of_run(&folder)?, M => {
        let config = <M as Model>::Config::from_file(&config, Default::default())?;
        (System::new::<M>(name, &config)?, config.common().device.clone(), config.common().precision)
    });
    let device = Device::open(device.unwrap_or(&own))?.with_precision(precision)?;
    let device = device.pinned(&folder.kernels_path())?;
    Ok((system, device))
}

/// What runs programs, and the rows of each.
type Ready = (Box<dyn Executor>, Vec<Vec<Row>>);

/// The programs on a device, and what is in them, times left open.
fn prepare(device: &Device, system: &System) -> Result<Ready> {
    let buffers = system.buffers();
    Ok(match device {
        Device::Cpu { .. } => {
            let rows = system.phases.iter().map(|phase| row::of_step(&phase.step, buffers)).collect();
            (Box::new(Reference::<f32>::new(buffers, system.steps())?), rows)
        }
        Device::Gpu(gpu) => {
            let target = gpu.target();
            let programs = system
                .phases
                .iter()
                .map(|phase| lower(&phase.step, buffers, target))
                .collect::<Result<Vec<_>>>()?;
            let rows = programs.iter().map(|program| row::of_program(program, target)).collect();
            (Box::new(GpuExecutor::load_lowered(gpu.clone(), buffers, programs)?), rows)
        }
    })
}

/// The programs with their times, and of how many samples these are medians.
fn timed(
    executor: &mut dyn Executor,
    system: &System,
    rows: Vec<Vec<Row>>,
    peaks: Peaks,
) -> Result<(Vec<Listed>, usize)> {
    let count = rows.len();
    // The first run of a kernel may compile it for good.
    for step in 0..count {
        executor.run(&[step])?;
    }
    executor.wait()?;
    let mut samples: Vec<Vec<Vec<f64>>> = rows.iter().map(|rows| vec![Vec::new(); rows.len()]).collect();
    let mut whole = vec![[const { Vec::new() }; 2]; count];
    let start = Instant::now();
    let mut round = 0;
    let within =
        |(rounds, seconds): (usize, f64), round| round < rounds && start.elapsed().as_secs_f64() < seconds;
    while round == 0 || within(LEAST, round) || within(MOST, round) {
        for step in 0..count {
            for (timing, samples) in executor.profile(step)?.iter().zip(&mut samples[step]) {
                samples.push(timing.seconds);
            }
            let start = Instant::now();
            executor.run(&[step])?;
            let host = start.elapsed().as_secs_f64();
            executor.wait()?;
            whole[step][0].push(start.elapsed().as_secs_f64());
            whole[step][1].push(host);
        }
        round += 1;
    }
    let median = |samples: &Vec<f64>| Spread::of(samples).median;
    let listed = rows.into_iter().enumerate().map(|(step, mut rows)| {
        rows.iter_mut().zip(&samples[step]).for_each(|(row, samples)| row.time(median(samples), &peaks));
        let [seconds, host_seconds] = [0, 1].map(|of| median(&whole[step][of]));
        let (name, due) = (system.phases[step].step.name.clone(), system.phases[step].due.to_string());
        Listed { name, due, rows, seconds, host_seconds }
    });
    Ok((listed.collect(), round))
}
