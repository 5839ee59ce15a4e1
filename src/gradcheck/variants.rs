//! Every way a GPU may compute a step.

use super::trial::Trial;
use crate::Result;
use crate::gpu::Gpu;
use crate::gpu::lower::{Contraction, Kind, Target, TuningTable, Variant, candidates, lower};
use crate::gpu::program::Program;
use crate::graph::{NodeId, Op, Step, Update};

/// `own` device with the kernels of each kind of device; where the environment variable `MEWGAN_OWN_KERNELS` is set to 1, of
/// its own kind only, for drivers that cannot compile the others: SwiftShader takes more than 13 GiB for a tiled kernel.
pub fn targets(own: &Target) -> Vec<Target> {
    let only = std::env::var_os("MEWGAN_OWN_KERNELS").is_some_and(|value| value != "0");
    let kinds =
        [Target::GPU, Target::SOFTWARE].into_iter().filter(|kind| !only || kind.software == own.software);
    let of = |Target { software, invocations, subgroup, .. }| Target {
        software,
        invocations,
        subgroup,
        ..own.clone()
    };
    kinds.map(of).collect()
}

/// Tables by which lowering takes every candidate for every contraction of `step` at least once; the first has the defaults.
pub fn tables(step: &Step, target: &Target) -> Vec<TuningTable> {
    let all: Vec<(Contraction, Vec<Variant>)> = Contraction::all(std::slice::from_ref(step))
        .into_iter()
        .map(|of| (of, candidates(&of, target)))
        .collect();
    let most = all.iter().map(|(_, variants)| variants.len()).max().unwrap_or(1);
    let table = |number: usize| {
        let mut choices = TuningTable::default();
        all.iter().for_each(|(of, variants)| choices.set(*of, variants[number % variants.len()]));
        choices
    };
    (0..most).map(table).collect()
}

/// A program for a trial's step.
pub struct Lowered {
    /// What its forward pass is computed by: the variant of its contraction, else its kernels.
    pub variant: String,
    /// All its kernels, and the variants of its contractions.
    pub kernels: String,
    /// The program.
    pub program: Program,
    /// Whether it is to run in double precision too: with the kernels the device takes by default, where it can.
    pub in_double: bool,
}

/// All that differ, those of this kind of device first: with every kernel, or with the defaults.
///
/// # Errors
/// If a tensor is larger than the device can bind.
pub fn ways(trial: &Trial, gpu: &Gpu, every_kernel: bool) -> Result<Vec<Lowered>> {
    let mut seen: Vec<String> = Vec::new();
    let mut ways = Vec::new();
    let own = gpu.target();
    let doubles = own.precision.is_single() && gpu.doubles() && has_double(&trial.step);
    let mut targets = targets(own);
    targets.sort_by_key(|target| target.software != own.software);
    for target in targets {
        let doubles = doubles && target.software == own.software;
        let tables = if every_kernel { telling(&trial.step, &target) } else { vec![TuningTable::default()] };
        for (number, choices) in tables.into_iter().enumerate() {
            let target = Target { choices, ..target.clone() };
            let program = lower(&trial.step, &trial.buffers, &target)?;
            let text = format!("{program:?}");
            if !seen.contains(&text) {
                seen.push(text);
                let variant = variant(trial, &target)?;
                let kernels = kernels(trial, &program, &target);
                let in_double = doubles && number == 0 && fits_in_double(&trial.step, &target);
                ways.push(Lowered { variant, kernels, program, in_double });
            }
        }
    }
    Ok(ways)
}

/// Whether there are f64 forms of all its kernels.
fn has_double(step: &Step) -> bool {
    let single = |id: NodeId| match &step.nodes[id].op {
        Op::Custom(op) => !op.kernel(&step.operand_shapes(id), step.nodes[id].shape).has_double,
        _ => false,
    };
    // It looks at the bits of gradients.
    let by_bits = step.updates.iter().any(|update| matches!(update, Update::Unscale { .. }));
    !by_bits && !(0..step.nodes.len()).any(single)
}

/// Whether the kernels of its contractions fit into half of the workgroup memory.
fn fits_in_double(step: &Step, target: &Target) -> bool {
    let all = Contraction::all(std::slice::from_ref(step));
    let half = Target { workgroup_bytes: target.workgroup_bytes / 2, ..target.clone() };
    half.resolved(&all) == target.resolved(&all)
}

/// The tables that bring a kernel which no earlier one had; how many parts its sum is cut into does not make it another.
fn telling(step: &Step, target: &Target) -> Vec<TuningTable> {
    let mut seen: Vec<(Kind, String)> = Vec::new();
    let mut tables = tables(step, target);
    tables.retain(|choices| {
        let before = seen.len();
        for of in choices.contractions() {
            let named = (of.kind, choices.get(&of).map(name).unwrap_or_default());
            if !seen.contains(&named) {
                seen.push(named);
            }
        }
        seen.len() > before
    });
    tables
}

/// A variant, but for the number of its parts.
fn name(Variant { form, split_k }: Variant) -> String {
    let whole = Variant { form, split_k: 1 };
    if split_k > 1 { format!("{whole}, split_k") } else { whole.to_string() }
}

fn variant(trial: &Trial, target: &Target) -> Result<String> {
    let contractions = Contraction::all(std::slice::from_ref(&trial.forward));
    let settled = target.resolved(&contractions);
    match contractions.first().and_then(|of| settled.get(of)) {
        Some(variant) => Ok(name(variant)),
        None => Ok(match names(&lower(&trial.forward, &trial.buffers, target)?).join(" + ") {
            none if none.is_empty() => "no kernel".to_owned(),
            names => names,
        }),
    }
}

fn names(program: &Program) -> Vec<&str> {
    let mut names = Vec::new();
    for dispatch in &program.dispatches {
        let kernel = program.kernel(dispatch);
        let name = kernel.split('/').next_back().unwrap_or(kernel);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn kernels(trial: &Trial, program: &Program, target: &Target) -> String {
    let settled = target.resolved(&Contraction::all(std::slice::from_ref(&trial.step)));
    let variants = settled.contractions().filter_map(|of| Some((of.kind, settled.get(&of)?)));
    let words = variants.map(|(kind, variant)| format!("{kind:?} {variant}"));
    [names(program).join(" + ")].into_iter().chain(words).collect::<Vec<_>>().join("; ")
}
