//! Finding and opening a GPU.

use super::cache::PipelineCache;
use super::choice::chosen;
use super::lower::{MatrixUnits, Target, TuningTable};
use crate::real::Precision;
use crate::spelling::quoted;
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// A device wgpu can reach, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterSummary {
    /// The device's own name.
    pub name: String,
    /// Vulkan, Metal or Dx12.
    pub backend: String,
    /// The driver and its version, where known.
    pub driver: String,
    /// Whether it is a driver that computes on the processor.
    pub software: bool,
}

impl std::fmt::Display for AdapterSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.software { ", software" } else { "" };
        let driver = if self.driver.is_empty() { String::new() } else { format!(", {}", self.driver) };
        write!(f, "{} ({}{driver}{kind})", self.name, self.backend)
    }
}

/// What the device has reported and no call has returned yet.
#[derive(Default)]
struct Failures {
    /// Why it is lost, and stays so.
    lost: Option<String>,
    /// The first error of the call that a thread is in: wgpu reports errors on the thread that made them.
    of_calls: HashMap<ThreadId, String>,
}

/// An open device.
#[derive(Clone)]
pub struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    failures: Arc<Mutex<Failures>>,
    pub(super) checks: bool,
    pub(super) cache: Option<PipelineCache>,
    adapter: wgpu::Adapter,
    summary: Arc<AdapterSummary>,
    matrix_units: Arc<[String]>,
    target: Arc<Target>,
}

fn find() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
}

fn summary(info: &wgpu::AdapterInfo) -> AdapterSummary {
    AdapterSummary {
        name: info.name.clone(),
        backend: format!("{:?}", info.backend),
        driver: [info.driver.as_str(), info.driver_info.as_str()].join(" ").trim().to_owned(),
        software: info.device_type == wgpu::DeviceType::Cpu,
    }
}

fn matrix_units(adapter: &wgpu::Adapter) -> Vec<String> {
    let name = |unit: &wgpu::CooperativeMatrixProperties| {
        let wgpu::CooperativeMatrixProperties { m_size, n_size, k_size, ab_type, cr_type, .. } = unit;
        format!("{m_size}x{n_size}x{k_size} {ab_type:?} + {cr_type:?}")
    };
    adapter.cooperative_matrix_properties().iter().map(name).collect()
}

/// What kernels for matrix units take.
const MATRIX_UNITS: wgpu::Features =
    wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX.union(wgpu::Features::SUBGROUP);

/// The largest that multiply matrices of f16 and sum in f32, where sizes are such as kernels can have; of those that wgpu reaches.
fn units_for_mixed(adapter: &wgpu::Adapter) -> Option<MatrixUnits> {
    let info = adapter.get_info();
    let subgroup = [info.subgroup_min_size, info.subgroup_max_size].map(|size| size as usize);
    let usable = |of: &wgpu::CooperativeMatrixProperties| {
        let sizes = [of.m_size, of.n_size, of.k_size];
        let of_half = of.ab_type == wgpu::CooperativeScalarType::F16;
        let into_single = of.cr_type == wgpu::CooperativeScalarType::F32;
        (of_half && into_single && [[8; 3], [16; 3]].contains(&sizes)).then_some(of.m_size as usize)
    };
    let sizes = adapter.cooperative_matrix_properties();
    let size = sizes.iter().filter_map(usable).max().filter(|_| adapter.features().contains(MATRIX_UNITS))?;
    (subgroup[0] > 0).then_some(MatrixUnits { size, subgroup })
}

/// What of `limits` is less than the kernels take for granted, which is what WebGPU guarantees.
fn too_small(limits: &wgpu::Limits) -> Option<String> {
    let least = [
        ("storage buffers of a kernel", limits.max_storage_buffers_per_shader_stage, 8),
        ("bytes of workgroup memory", limits.max_compute_workgroup_storage_size, 16 << 10),
        ("invocations of a workgroup", limits.max_compute_invocations_per_workgroup, 256),
        ("invocations along a workgroup's x", limits.max_compute_workgroup_size_x, 256),
        ("workgroups of a dispatch along an axis", limits.max_compute_workgroups_per_dimension, 65_535),
    ];
    least
        .into_iter()
        .find(|(_, offered, needed)| offered < needed)
        .map(|(what, offered, needed)| format!("this device allows {offered} {what}, {needed} are needed"))
}

/// Prefers discrete over integrated over other hardware over software.
fn rank(info: &wgpu::AdapterInfo) -> u8 {
    match info.device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu | wgpu::DeviceType::Other => 2,
        wgpu::DeviceType::Cpu => 3,
    }
}

/// Every device wgpu finds through Vulkan, Metal and DX12, best first.
pub fn adapters() -> Vec<AdapterSummary> {
    let mut infos: Vec<wgpu::AdapterInfo> = find().iter().map(wgpu::Adapter::get_info).collect();
    infos.sort_by_key(rank);
    infos.iter().map(summary).collect()
}

impl Gpu {
    /// Opens the best device that `choice` means: any when it is empty; else one by its number in [`adapters`], by words of its
    /// name, or, with `#2` behind these, the second of that name. With `hardware`, software drivers do not count.
    ///
    /// # Errors
    /// If there is none, or there are several of different names, naming what there is, or it cannot be opened.
    pub fn open(choice: &str, hardware: bool) -> Result<Self> {
        Self::open_as(choice, hardware, 0)
    }

    /// As [`Gpu::open`], for process number `local`, from 0, of several on this machine: of devices that are as good as the best that
    /// is meant they take one each in turn.
    ///
    /// # Errors
    /// As [`Gpu::open`].
    pub fn open_as(choice: &str, hardware: bool, local: usize) -> Result<Self> {
        let mut found = find();
        found.sort_by_key(|adapter| rank(&adapter.get_info()));
        let there: Vec<AdapterSummary> = found.iter().map(|adapter| summary(&adapter.get_info())).collect();
        if there.is_empty() {
            return Err(Error::Device("no GPU driver found (Vulkan, Metal or DX12); install one - on Debian and Ubuntu a software one is `apt-get install mesa-vulkan-drivers` - or use `device` cpu".into()));
        }
        let refused = |problem: String| {
            let named = there.iter().enumerate().map(|(number, gpu)| format!("{number} {gpu}"));
            let named: Vec<String> = named.collect();
            Error::Device(format!("{problem}; see `devices`; there is: {}", named.join("; ")))
        };
        let mut meant = chosen(&there, choice).map_err(refused)?;
        meant.retain(|&at| !(hardware && there[at].software));
        let rank_of = |at: &usize| rank(&found[*at].get_info());
        let alike = meant.iter().take_while(|at| rank_of(at) == rank_of(&meant[0])).count();
        match meant.get(local % alike.max(1)) {
            Some(&at) => Self::from_adapter(&found[at], Precision::F32),
            None => Err(refused("no hardware GPU".into())),
        }
    }

    /// The same device, opened anew to compute contractions in this precision; kernels that were settled for another are forgotten.
    ///
    /// # Errors
    /// If it has no half precision and that is asked for, or cannot be opened.
    pub fn with_precision(self, precision: Precision) -> Result<Self> {
        if precision == self.target.precision {
            return Ok(self);
        }
        Ok(Self::from_adapter(&self.adapter, precision)?.with_checks(self.checks))
    }

    fn from_adapter(adapter: &wgpu::Adapter, precision: Precision) -> Result<Self> {
        let summary = summary(&adapter.get_info());
        let limits = adapter.limits();
        if let Some(problem) = too_small(&limits) {
            return Err(Error::Device(format!("{summary}: {problem}; choose another")));
        }
        let (half, matrix) = match precision {
            Precision::F32 => (wgpu::Features::empty(), None),
            Precision::Mixed => (wgpu::Features::SHADER_F16, units_for_mixed(adapter)),
        };
        let units = match matrix {
            Some(_) => MATRIX_UNITS,
            None => wgpu::Features::empty(),
        };
        if !adapter.features().contains(half) {
            return Err(Error::Device(format!(
                "{summary}: its driver has no half precision (SHADER_F16), which `precision` mixed needs; use `precision` f32, another \
                 `device`, or a newer driver"
            )));
        }
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("mewgan"),
            required_limits: limits.clone(),
            // A memory for compiled pipelines, a clock, and double precision, where there are such.
            required_features: adapter.features()
                & (wgpu::Features::PIPELINE_CACHE
                    | wgpu::Features::TIMESTAMP_QUERY
                    | wgpu::Features::SHADER_F64
                    | half
                    | units),
            // SAFETY: what may be wrong with this experimental feature is its validation; kernels that use it are this crate's own.
            experimental_features: match matrix {
                Some(_) => unsafe { wgpu::ExperimentalFeatures::enabled() },
                None => wgpu::ExperimentalFeatures::disabled(),
            },
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| Error::Device(format!("{summary}: cannot be opened: {error}")))?;
        let failures = Arc::new(Mutex::new(Failures::default()));
        let (on_error, on_loss) = (Arc::clone(&failures), Arc::clone(&failures));
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let text = match error {
                wgpu::Error::OutOfMemory { .. } => {
                    "it has not enough free memory; close what else uses it, or use a smaller `batch` or `size`".into()
                }
                error => quoted(error),
            };
            locked(&on_error).of_calls.entry(thread::current().id()).or_insert(text);
        }));
        device.set_device_lost_callback(move |_, text| {
            let text =
                format!("the device was lost, as when its driver resets it or it is taken away ({text})");
            locked(&on_loss).lost.get_or_insert(text);
        });
        let base = if summary.software { Target::SOFTWARE } else { Target::GPU };
        let info = adapter.get_info();
        // Metal does not say, and wgpu then takes the fewest that there could be; Apple's are 32 wide.
        let known = info.backend != wgpu::Backend::Metal;
        let target = Target {
            max_binding: limits.max_storage_buffer_binding_size,
            max_buffer: limits.max_buffer_size,
            workgroup_bytes: limits.max_compute_workgroup_storage_size as usize,
            workgroup_invocations: limits.max_compute_invocations_per_workgroup as usize,
            precision,
            matrix,
            subgroup: if known { info.subgroup_min_size as usize } else { base.subgroup },
            ..base
        };
        let checks = std::env::var_os("MEWGAN_SHADER_CHECKS").is_some_and(|value| value != "0");
        let cache = PipelineCache::open(&device, &info);
        let matrix_units = matrix_units(adapter).into();
        let (summary, target) = (Arc::new(summary), Arc::new(target));
        let adapter = adapter.clone();
        Ok(Self { device, queue, failures, checks, cache, adapter, summary, matrix_units, target })
    }

    /// What this device is.
    pub fn summary(&self) -> &AdapterSummary {
        &self.summary
    }

    /// The products its matrix units offer, such as `16x16x16 F16 + F32`; empty where there are none.
    pub fn matrix_units(&self) -> &[String] {
        &self.matrix_units
    }

    /// Nanoseconds of a tick of the device's clock, where its dispatches can be timed by that.
    pub(super) fn tick(&self) -> Option<f64> {
        let offered = self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY);
        offered.then(|| f64::from(self.queue.get_timestamp_period()))
    }

    /// Whether it times dispatches by a clock of its own.
    pub fn has_clock(&self) -> bool {
        self.tick().is_some()
    }

    /// Whether its kernels can run in double precision: it has such numbers, and twice the workgroup memory that norms take
    /// in single precision.
    pub fn doubles(&self) -> bool {
        let offered = self.device.features().contains(wgpu::Features::SHADER_F64);
        offered && self.target.workgroup_bytes >= 2 * Target::GPU.workgroup_bytes
    }

    /// What lowering needs to know of this device.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The same device, with kernels chosen for another kind of device: to test and compare variants.
    pub fn with_target(mut self, target: Target) -> Self {
        self.target = Arc::new(target);
        self
    }

    /// The same device, with these kernels for the contractions they are chosen for.
    pub fn with_tuning(self, choices: TuningTable) -> Self {
        let target = Target { choices, ..self.target().clone() };
        self.with_target(target)
    }

    /// The same device, with or without run-time checks of every index and loop in its kernels; without, unless the
    /// environment variable `MEWGAN_SHADER_CHECKS` is set to 1.
    pub fn with_checks(mut self, checks: bool) -> Self {
        self.checks = checks;
        self
    }

    /// Gives the device up: whatever still uses it fails as if it were lost.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// Bytes that are allocated on it for all that uses it, where its driver is one whose memory wgpu manages.
    pub fn allocated_bytes(&self) -> Option<u64> {
        self.device.generate_allocator_report().map(|report| report.total_allocated_bytes)
    }

    /// The first failure the device has reported of the call that this thread is in, as an error; the next call begins
    /// anew, unless the device is lost.
    pub(super) fn check(&self) -> Result<()> {
        let mut failures = locked(&self.failures);
        let own = failures.of_calls.remove(&thread::current().id());
        match failures.lost.clone().or(own) {
            Some(text) => Err(Error::Device(format!("{}: {text}", self.summary))),
            None => Ok(()),
        }
    }
}

fn locked(failures: &Mutex<Failures>) -> MutexGuard<'_, Failures> {
    failures.lock().unwrap_or_else(PoisonError::into_inner)
}
