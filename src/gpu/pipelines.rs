//! Compiling the kernels of programs.

use super::device::Gpu;
use super::program::{Pipeline, Program};
use crate::Result;
use rayon::prelude::*;

/// Compiles what the programs need, each pipeline once, on all cores. Returns them and, for every program, which of
/// them its pipelines are. Texts that are not `trusted` run with every index and loop checked.
///
/// # Errors
/// If the device refuses a kernel.
pub fn pipelines(
    gpu: &Gpu,
    programs: &[Program],
    trusted: bool,
) -> Result<(Vec<wgpu::ComputePipeline>, Vec<Vec<usize>>)> {
    let mut unique: Vec<(&Program, &Pipeline)> = Vec::new();
    let same = |a: (&Program, &Pipeline), b: (&Program, &Pipeline)| {
        a.1.constants == b.1.constants && a.0.shaders[a.1.shader] == b.0.shaders[b.1.shader]
    };
    let of_step = programs
        .iter()
        .map(|program| {
            let find = |pipeline| {
                let wanted = (program, pipeline);
                unique.iter().position(|&other| same(other, wanted)).unwrap_or_else(|| {
                    unique.push(wanted);
                    unique.len() - 1
                })
            };
            program.pipelines.iter().map(find).collect()
        })
        .collect();
    let compiled = unique
        .par_iter()
        .map(|(program, pipeline)| compile(gpu, program, pipeline, trusted))
        .collect::<Result<_>>()?;
    if let Some(cache) = &gpu.cache {
        cache.save();
    }
    Ok((compiled, of_step))
}

fn compile(
    gpu: &Gpu,
    program: &Program,
    pipeline: &Pipeline,
    trusted: bool,
) -> Result<wgpu::ComputePipeline> {
    let shader = &program.shaders[pipeline.shader];
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(&shader.kernel),
        source: wgpu::ShaderSource::Wgsl(shader.source.as_str().into()),
    };
    let own = trusted && !shader.is_custom();
    let module = if gpu.checks || !own {
        gpu.device.create_shader_module(descriptor)
    } else {
        // SAFETY: the kernel is this crate's own, just lowered; lowering gives every loop a constant bound and every index a
        // binding that covers it, which the tests prove with the checks on (MEWGAN_SHADER_CHECKS=1).
        unsafe { gpu.device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
    };
    let constants: Vec<(&str, f64)> =
        pipeline.constants.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let compiled = gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(&shader.kernel),
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &constants,
            // In this crate's kernels every element of a tile is written before it is read.
            zero_initialize_workgroup_memory: !own,
        },
        cache: gpu.cache.as_ref().map(|cache| &cache.cache),
    });
    gpu.check()?;
    Ok(compiled)
}
