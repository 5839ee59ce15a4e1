//! Promise: every kernel and variant is valid WGSL and can be written as SPIR-V, MSL and HLSL, on a machine without any
//! of these devices. This is how "any Vulkan, Metal or DX12 GPU" is kept true.

use crate::support;
use mewgan::gpu::finite;
use mewgan::gpu::ladder::RUNGS;
use mewgan::gpu::lower::{Contraction, Form, Kind, TILES, Target, candidates, lower};
use mewgan::gpu::preprocess::kernels;
use mewgan::gpu::program::{Pipeline, Program};
use mewgan::gradcheck::variants::tables;
use mewgan::gradcheck::{self, Work};
use mewgan::graph::{Graph, StateBuffer, Step, Var, gradients};
use mewgan::measure::peaks;
use mewgan::models::cyclegan::Domain;
use mewgan::nn::NormMode;
use mewgan::shape::{ConvOptions, Shape};
use mewgan::train::model::Model;
use naga::back::pipeline_constants::process_overrides;
use naga::back::{hlsl, msl, spv, wgsl};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use std::collections::BTreeSet;

/// Programs that use every kernel: the steps of both systems, every change of state, every op with channels that do and do not divide by four,
/// every kernel of every contraction, every rung of the ladder, and what measures a device's peaks.
fn programs() -> Vec<Program> {
    let mut programs = Vec::new();
    for target in [Target::GPU, Target::SOFTWARE] {
        for (size, width, channels) in [(16, 3, 1), (32, 8, 3), (64, 32, 3)] {
            for (_, model) in support::networks::dcgans(size, width, channels) {
                let buffers = model.buffers();
                let mut steps = vec![
                    model.discriminator_step(16).unwrap(),
                    model.generator_step(16).unwrap(),
                    model.sampler(16, NormMode::Batch).unwrap(),
                    model.sampler(16, NormMode::Running).unwrap(),
                ];
                if model.objective.r1.weight > 0.0 {
                    steps.push(model.penalized_discriminator_step(16).unwrap());
                }
                for step in steps {
                    programs.push(lower(&step, &buffers, &target).unwrap());
                }
            }
        }
        for (_, model) in support::networks::cyclegans(32, 4, 2) {
            for step in model.steps(2).unwrap() {
                programs.push(lower(&step, &model.buffers(), &target).unwrap());
            }
            let translator = model.translator(Domain::Y, 2, [36, 20], NormMode::Running).unwrap();
            programs.push(lower(&translator, &model.buffers(), &target).unwrap());
        }
        for case in gradcheck::all().iter().filter(|case| matches!(case.work, Work::Updates(_))) {
            let trial = case.trial().unwrap();
            programs.push(lower(&trial.step, &trial.buffers, &target).unwrap());
        }
        for channels in [3, 16, 20] {
            programs.push(lower(&every_op(channels), &[], &target).unwrap());
        }
    }
    programs.extend(every_candidate());
    for [i, o] in WIDTHS {
        let step = contractions(12, i, o);
        let convolution = Contraction::all(&[step]).into_iter().find(|of| of.kind == Kind::Conv2d).unwrap();
        programs.extend(RUNGS.iter().map(|rung| rung.program(&convolution).unwrap()));
    }
    programs.extend(finite::program(&[StateBuffer { tensors: vec![], len: 1 << 20 }]).unwrap());
    let peaks = peaks::programs(Target::GPU.max_binding).unwrap();
    programs.extend(peaks.into_iter().map(|(_, program)| program));
    programs
}

const WIDTHS: [[usize; 2]; 6] = [[3, 32], [32, 3], [128, 256], [128, 1], [64, 48], [20, 100]];
const PIXELS: [usize; 3] = [1, 12, 32];

/// Every kernel of every contraction, on a device that has memory for all of them.
fn every_candidate() -> Vec<Program> {
    let mut programs = Vec::new();
    let roomy = Target { workgroup_bytes: 32 << 10, ..Target::GPU };
    for [i, o] in WIDTHS {
        for pixels in PIXELS {
            let step = contractions(pixels, i, o);
            for target in [&roomy, &Target::SOFTWARE] {
                for choices in tables(&step, target) {
                    let target = Target { choices, ..target.clone() };
                    programs.push(lower(&step, &[], &target).unwrap());
                }
            }
        }
    }
    programs
}

/// A convolution, its bias and activation, and both gradients.
fn contractions(pixels: usize, i: usize, o: usize) -> Step {
    let graph = Graph::new();
    let x = graph.input("x", Shape([2, pixels, pixels, i]));
    let w = graph.input("w", Shape([3, 3, i, o]));
    let bias = graph.input("bias", Shape::vector(o));
    let y = x.conv2d(w, ConvOptions::new(2, 1)).unwrap().add(bias).unwrap().relu();
    let grads = gradients(y.square().sum(), &[x, w]).unwrap();
    Step::new("contractions", &graph, &[("y", y), ("dx", grads[0]), ("dw", grads[1])], vec![]).unwrap()
}

#[test]
fn every_tile_is_a_candidate_somewhere() {
    let roomy = Target { workgroup_bytes: 32 << 10, ..Target::GPU };
    let steps = WIDTHS.iter().flat_map(|&[i, o]| PIXELS.map(|pixels| contractions(pixels, i, o)));
    let all: Vec<Step> = steps.collect();
    let variants = Contraction::all(&all).into_iter().flat_map(|of| candidates(&of, &roomy));
    let forms: Vec<Form> = variants.map(|variant| variant.form).collect();
    for tile in TILES {
        assert!(forms.contains(&Form::Tiled(tile)), "{tile:?}");
    }
}

/// What every device has: 8 storage buffers a kernel.
#[test]
fn no_kernel_binds_more_than_eight_buffers() {
    for program in programs() {
        for dispatch in &program.dispatches {
            assert!(dispatch.bindings.len() <= 8, "{}: {}", program.name, program.kernel(dispatch));
        }
    }
}

fn every_op(channels: usize) -> Step {
    let graph = Graph::new();
    let x = graph.input("x", Shape([2, 12, 12, channels]));
    let bias = graph.input("bias", Shape::vector(channels));
    let w = graph.input("w", Shape([3, 3, channels, channels]));
    let offsets = graph.input("offsets", Shape([2, 1, 1, 2]));
    let y = x.conv2d(w, ConvOptions::new(2, 1)).unwrap().add(bias).unwrap().leaky_relu(0.2).unwrap();
    let y =
        y.conv_transpose2d(w, ConvOptions::new(2, 1).output_padding(1)).unwrap().add(bias).unwrap().tanh();
    let y = y.instance_norm(None, 1e-5).unwrap().sigmoid().add(y.abs()).unwrap().sub(y.softplus()).unwrap();
    let y = y.mul(y.square().affine(1.0, 1.0).rsqrt()).unwrap();
    let y =
        y.div(y.exp().affine(1.0, 1.0).log()).unwrap().max_pool2d([3, 3], ConvOptions::new(1, 1)).unwrap();
    let y = Var::concat_channels(&[y, y.square()]).unwrap().slice_channels(1..channels + 1).unwrap();
    let y = y.reflection_pad2d([1, 2, 2, 1]).unwrap().upsample_nearest2d([2, 1]).unwrap().blur();
    let y = y.mul(y.square()).unwrap().translate(y.graph().full(offsets.shape(), 1.0)).unwrap();
    let y = y
        .translate(offsets)
        .unwrap()
        .mul(y.channel_mean())
        .unwrap()
        .sum_to(Shape([2, 1, 1, channels]))
        .unwrap();
    let loss = y.broadcast_to(Shape([2, 3, 3, channels])).unwrap().mean();
    let grads = gradients(loss, &[x, w, bias]).unwrap();
    let penalty = gradients(x.conv2d(w, ConvOptions::new(1, 1)).unwrap().tanh().sum(), &[x]).unwrap()[0];
    let second = gradients(penalty.square().sum(), &[w]).unwrap()[0];
    let outputs = [("loss", loss), ("dx", grads[0]), ("dw", grads[1]), ("db", grads[2]), ("second", second)];
    Step::new("every_op", &graph, &outputs, vec![]).unwrap()
}

fn check(program: &Program, pipeline: &Pipeline) {
    let shader = &program.shaders[pipeline.shader];
    let at = |stage: &str, error: &dyn std::fmt::Display| -> String {
        format!("{} ({}): {stage}: {error}", shader.kernel, program.name)
    };
    let module = naga::front::wgsl::parse_str(&shader.source)
        .unwrap_or_else(|error| panic!("{}", at("parse", &error.emit_to_string(&shader.source))));
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}", at("validate", &error.emit_to_string(&shader.source))));
    let declared: BTreeSet<&str> =
        module.overrides.iter().filter_map(|(_, constant)| constant.name.as_deref()).collect();
    for (name, value) in &pipeline.constants {
        assert!(declared.contains(name.as_str()), "{}", at("constant not declared", name));
        assert!(value.is_finite(), "{}", at("constant", name));
    }
    let bindings = module.global_variables.iter().filter(|(_, variable)| variable.binding.is_some()).count();
    let dispatch = program
        .dispatches
        .iter()
        .find(|dispatch| program.pipelines[dispatch.pipeline] == *pipeline)
        .expect("every pipeline is dispatched");
    assert_eq!(bindings, dispatch.bindings.len(), "{}", at("bindings", &"declared and bound differ"));

    let constants = pipeline.constants.iter().cloned().collect();
    let (module, info) =
        process_overrides(&module, &info, Some((naga::ShaderStage::Compute, "main")), &constants)
            .unwrap_or_else(|error| panic!("{}", at("overrides", &error)));
    let spirv = spv::write_vec(&module, &info, &spv::Options::default(), None)
        .unwrap_or_else(|error| panic!("{}", at("SPIR-V", &error)));
    assert!(!spirv.is_empty());
    let options = msl::Options { lang_version: (2, 0), ..Default::default() };
    msl::write_string(&module, &info, &options, &msl::PipelineOptions::default())
        .unwrap_or_else(|error| panic!("{}", at("MSL", &error)));
    let mut text = String::new();
    hlsl::Writer::new(&mut text, &hlsl::Options::default(), &hlsl::PipelineOptions::default())
        .write(&module, &info, None)
        .unwrap_or_else(|error| panic!("{}", at("HLSL", &error)));
    wgsl::write_string(&module, &info, wgsl::WriterFlags::empty())
        .unwrap_or_else(|error| panic!("{}", at("WGSL", &error)));
}

#[test]
fn every_kernel_is_valid_and_can_be_written_for_every_backend() {
    let programs = programs();
    let mut met = BTreeSet::new();
    let mut seen: Vec<(&str, &Pipeline)> = Vec::new();
    for program in &programs {
        for pipeline in &program.pipelines {
            let shader = &program.shaders[pipeline.shader];
            met.insert(shader.kernel.clone());
            let known = seen
                .iter()
                .any(|(source, other)| *source == shader.source && other.constants == pipeline.constants);
            if !known {
                seen.push((&shader.source, pipeline));
                check(program, pipeline);
            }
        }
    }
    let unmet: Vec<String> = kernels().into_iter().filter(|kernel| !met.contains(kernel)).collect();
    assert!(unmet.is_empty(), "kernels no program of this test uses: {unmet:?}");
}

/// WebGPU's guaranteed limits: what every device allows.
#[test]
fn programs_stay_within_what_every_device_allows() {
    for program in programs() {
        for dispatch in &program.dispatches {
            assert!(dispatch.workgroups.iter().all(|&extent| (1..=65_535).contains(&extent)));
            assert!(dispatch.bindings.len() <= 8);
            for region in &dispatch.bindings {
                assert_eq!((region.offset % 256, region.size % 16), (0, 0), "{}", program.name);
            }
        }
    }
}

/// wgpu refuses a buffer that one dispatch both reads and writes through different bindings.
#[test]
fn no_dispatch_reads_a_buffer_it_writes() {
    for program in programs() {
        for dispatch in &program.dispatches {
            let shader = &program.shaders[program.pipelines[dispatch.pipeline].shader];
            let module = naga::front::wgsl::parse_str(&shader.source).unwrap();
            let writable = |binding: usize| {
                module.global_variables.iter().any(|(_, variable)| {
                    variable.binding.is_some_and(|at| at.binding == binding as u32)
                        && matches!(variable.space, naga::AddressSpace::Storage { access }
                            if access.contains(naga::StorageAccess::STORE))
                })
            };
            for (i, a) in dispatch.bindings.iter().enumerate() {
                for (j, b) in dispatch.bindings.iter().enumerate().skip(i + 1) {
                    if a.buffer == b.buffer {
                        assert!(
                            !writable(i) && !writable(j),
                            "{}: {} binds {:?} twice",
                            program.name,
                            shader.kernel,
                            a.buffer
                        );
                    }
                }
            }
        }
    }
}
