//! Promises: `mewgan kernels` lists every kernel with what its file says of it, and prints each as the text that lowering makes,
//! complete in itself, in every language naga writes; `mewgan explain` lists an iteration with all the work that is in it, and
//! changes nothing.

use crate::support;
use crate::support::networks;
use mewgan::executor::Executor;
use mewgan::gpu::GpuExecutor;
use mewgan::gpu::lower::{Contraction, Target, lower};
use mewgan::gpu::preprocess;
use mewgan::gpu::program::{Pipeline, Program, Shader};
use mewgan::gradcheck::variants::tables;
use mewgan::graph::{Op, Step, Update};
use mewgan::kernels::{Header, Language, Request, Settings, all, translate, write};
use mewgan::models::cyclegan::CycleGanConfig;
use mewgan::models::dcgan::DcganConfig;
use mewgan::random::stream;
use mewgan::train::config::RunConfig;
use mewgan::train::model::Model;
use rand::RngExt;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::{TempDir, tempdir};

fn mewgan(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mewgan")).current_dir(folder.path()).args(arguments).output().unwrap()
}

fn done(folder: &TempDir, arguments: &[&str]) -> String {
    let output = mewgan(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(arguments: &[&str], code: i32) -> String {
    let output = mewgan(&tempdir().unwrap(), arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    assert!(error.starts_with("error: ") && !error.contains("panicked"), "{error}");
    error
}

fn request(name: &str) -> Request {
    Request { name: name.into(), shapes: None, settings: Settings::DEFAULT, variant: None }
}

/// Every kernel's file opens with what a reader needs; what it says of its bindings and of its meaning is there.
#[test]
fn every_kernel_says_what_it_computes() {
    for name in preprocess::kernels() {
        let source = preprocess::source(&name).unwrap();
        let Header { title, equation, reference, layout, one_invocation, one_workgroup, .. } =
            Header::of(source);
        assert!(!title.is_empty() && equation.contains('='), "{name}: no title or Equation");
        assert!(!(one_invocation.is_empty() && one_workgroup.is_empty()), "{name}: whose work is what?");
        for binding in source.split("@binding(").skip(1) {
            let declared = binding.split("> ").nth(1).and_then(|rest| rest.split(':').next()).unwrap();
            let declared = declared.replace("${k}", "0");
            let words = layout.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            assert!(words.into_iter().any(|word| word == declared), "{name}: Layout does not say {declared}");
        }
        if name.starts_with("bench/") {
            assert!(reference.starts_with("none"), "{name}");
            continue;
        }
        // Files, each followed by the functions in it.
        let mut found = 0;
        let mut text = String::new();
        for word in reference.split([' ', ',', ';', '.']).filter(|word| !word.is_empty()) {
            if let Some(function) = word.strip_prefix('`').and_then(|word| word.strip_suffix('`')) {
                assert!(text.contains(&format!("fn {function}")), "{name}: no {function} in {reference}");
                found += 1;
            } else if word.starts_with("reference/") {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(format!("{word}.rs"));
                text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {path:?}: {error}"));
            }
        }
        assert!(found > 0, "{name}: Reference names no function");
    }
}

/// By the kernel's own name, with and without its family.
#[test]
fn every_kernel_prints_in_every_language() {
    let kernels = all().unwrap();
    assert_eq!(kernels.iter().map(|kernel| kernel.name.clone()).collect::<Vec<_>>(), preprocess::kernels());
    for kernel in &kernels {
        assert!(!kernel.ops.is_empty(), "{} is part of no operation", kernel.name);
        assert_eq!(kernel.name.starts_with("conv/"), !kernel.variants.is_empty(), "{}", kernel.name);
        let written = write(&request(&kernel.name)).unwrap();
        assert_eq!(written.len(), 1);
        let wgsl = &written[0].wgsl;
        assert_eq!(written[0].kernel, kernel.name);
        assert!(
            !wgsl.contains("override ") && !wgsl.contains("${"),
            "{}: something is left open",
            kernel.name
        );
        for &language in Language::ALL {
            let translation = translate(&kernel.name, wgsl, language).unwrap();
            assert!(translation.text.contains("main"), "{} in {language:?}", kernel.name);
            assert_eq!(translation.binary.is_some(), language == Language::Spirv);
        }
    }
    let stem = write(&request("conv2d_tiled")).unwrap();
    assert_eq!(stem[0].wgsl, write(&request("conv/conv2d_tiled")).unwrap()[0].wgsl);
    let given = ["input", "state", "full", "reshape", "detach"];
    let on_the_host = ["all_reduce_mean", "all_reduce_moments", "all_gather", "all_reduce_buffer"];
    for op in Op::names().chain(Update::NAMES.iter().copied()) {
        match (write(&request(op)), given.contains(&op) || on_the_host.contains(&op)) {
            (Ok(written), false) => assert!(!written.is_empty(), "{op}"),
            (Err(error), true) => {
                assert!(error.to_string().starts_with(&format!("{op} has no kernel")), "{error}")
            }
            (Ok(_), true) => panic!("{op} has a kernel"),
            (Err(error), false) => panic!("{error}"),
        }
    }
    let both: Vec<String> =
        write(&request("batch_norm")).unwrap().into_iter().map(|written| written.kernel).collect();
    assert_eq!(both, ["norm/moments", "norm/normalize"]);
}

/// The shapes, settings and variant that are asked for are those of the text.
#[test]
fn a_kernel_is_that_of_the_shape_asked_for() {
    let folder = tempdir().unwrap();
    let flags =
        ["--shape", "2x9x7x3,3x3x3x8", "--stride", "2,1", "--padding", "1", "--variant", "direct 2x1"];
    let text = done(&folder, &[&["kernels", "conv2d"][..], &flags].concat());
    for (constant, value) in
        [("BATCH", 2), ("LARGE_H", 9), ("SMALL_H", 5), ("SMALL_W", 7), ("STRIDE_W", 1), ("I", 3), ("O", 8)]
    {
        assert!(text.contains(&format!("const {constant}: u32 = {value}u;")), "{constant}: {text}");
    }
    assert!(text.starts_with("// conv/conv2d_direct, direct 2x1\n"), "{text}");
    assert!(text.contains("x [2, 9, 7, 3], w [3, 3, 3, 8], y [2, 5, 7, 8]"), "{text}");

    let wrong = |arguments: &[&str], parts: &[&str]| {
        let error = refused(&[&["kernels"][..], arguments].concat(), 1);
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    wrong(&["input"], &["input has no kernel"]);
    wrong(&["nothing"], &["no kernel or operation named nothing"]);
    wrong(&["conv2d", "--stride", "1,2,3"], &["--stride takes one number, or height,width"]);
    wrong(&["conv2d_tild"], &["conv2d_tild", "did you mean conv2d_tiled?"]);
    wrong(&["conv2d", "--shape", "4x4"], &["takes 2 shapes", "x, w"]);
    wrong(&["conv2d", "--shape", "1x8x8x3,4x4x5x8"], &["conv2d"]);
    wrong(&["conv2d", "--variant", "warp"], &["no variant", "warp", "tile 128x64"]);
    wrong(&["tanh", "--variant", "tile"], &["has no variants"]);
    wrong(&["normalize_whole", "--shape", "16x64x64x32"], &["norm/moments", "give other shapes"]);
    wrong(&["tanh", "--shape", "999999999x999999999"], &["numbers"]);
    wrong(&["upsample_nearest2d", "--shape", "64x64x64x256", "--scale", "4096"], &["more than", "smaller"]);
    wrong(&["batch_norm", "--out", "x.wgsl"], &["norm/moments, norm/normalize", "name one"]);
    assert!(refused(&["kernels", "tanh", "--shape", "4x0"], 2).contains("above 0"));
}

/// What is kept as SPIR-V is a module, and what is listed is its assembly.
#[test]
fn spirv_is_kept_as_a_module() {
    let folder = tempdir().unwrap();
    done(&folder, &["kernels", "adam", "--target", "spirv", "--out", "adam.spv"]);
    let bytes = fs::read(folder.path().join("adam.spv")).unwrap();
    assert_eq!(bytes[..4], 0x0723_0203_u32.to_le_bytes());
    let listing = done(&folder, &["kernels", "adam", "--target", "spirv"]);
    assert!(listing.starts_with("; optim/adam\n") && listing.contains("OpEntryPoint GLCompute"), "{listing}");
}

/// The same program, its constants filled into the texts.
fn standalone(program: &Program) -> Program {
    let shader = |(at, pipeline): (usize, &Pipeline)| Shader {
        kernel: program.shaders[pipeline.shader].kernel.clone(),
        source: program.standalone(at),
    };
    let shaders = program.pipelines.iter().enumerate().map(shader).collect();
    let pipelines =
        (0..program.pipelines.len()).map(|shader| Pipeline { shader, constants: vec![] }).collect();
    Program { shaders, pipelines, ..program.clone() }
}

/// What is printed is what runs: a step of texts with nothing left open gives the same numbers, bit for bit.
#[test]
fn the_printed_text_computes_the_same_numbers() {
    let (_, model) = networks::dcgans(16, 4, 3).remove(3);
    let (buffers, step) = (model.buffers(), model.generator_step(4).unwrap());
    let gpu = support::gpu();
    let program = lower(&step, &buffers, gpu.target()).unwrap();
    let run = |program: Program| {
        let mut executor = GpuExecutor::load(gpu.clone(), &buffers, vec![program]).unwrap();
        let mut rng = stream(1, "numbers", 0);
        for (index, buffer) in buffers.iter().enumerate() {
            let numbers: Vec<f32> = (0..buffer.len).map(|_| rng.random_range(0.1..1.0)).collect();
            executor.write_state(index, &numbers).unwrap();
        }
        for (_, name, shape) in step.inputs() {
            let numbers: Vec<f32> = (0..shape.len()).map(|_| rng.random_range(0.0..1.0)).collect();
            executor.write_input(0, name, &numbers).unwrap();
        }
        executor.run(&[0]).unwrap();
        let bits = |numbers: Vec<f32>| numbers.into_iter().map(f32::to_bits).collect::<Vec<u32>>();
        (0..buffers.len()).map(|buffer| bits(executor.read_state(buffer).unwrap())).collect::<Vec<_>>()
    };
    let (own, printed) = (run(program.clone()), run(standalone(&program)));
    assert!(own == printed);
    assert!(standalone(&program).pipelines.iter().all(|pipeline| pipeline.constants.is_empty()));
}

/// A dispatch tells the contraction it is, so that the variant that computes it can be named.
#[test]
fn dispatches_tell_their_contractions() {
    let (_, model) = networks::cyclegans(32, 8, 2).remove(2);
    let steps: Vec<Step> = model.steps(2).unwrap();
    for step in &steps {
        for choices in tables(step, &Target::GPU) {
            let target = Target { choices, ..Target::GPU };
            let program = lower(step, &model.buffers(), &target).unwrap();
            let mut told = Vec::new();
            for dispatch in program.dispatches.iter().filter(|dispatch| program.flops(dispatch) > 0) {
                let of = Contraction::of_dispatch(&program, dispatch).expect("a contraction");
                assert!(target.choices.get(&of).is_some(), "{of:?} is none of the step's");
                if !told.contains(&of) {
                    told.push(of);
                }
            }
            assert_eq!(told.len(), Contraction::all(std::slice::from_ref(step)).len());
        }
    }
}

const TINY: [&str; 10] = ["--size", "16", "--steps", "1", "--device", "cpu", "--batch", "2", "--out", "run"];

fn dcgan() -> TempDir {
    let folder = tempdir().unwrap();
    let own = [
        "train",
        "dcgan",
        "--data",
        "builtin:noto/animals",
        "--preset",
        "seed",
        "--g-width",
        "4",
        "--d-width",
        "4",
    ];
    let more = ["--r1", "1", "--r1-every", "4", "--d-norm", "none"];
    done(&folder, &[&own[..], &more, &TINY].concat());
    folder
}

fn cyclegan() -> TempDir {
    let folder = tempdir().unwrap();
    let own = [
        "train",
        "cyclegan",
        "--x",
        "builtin:noto/animals",
        "--y",
        "builtin:twemoji/animals",
        "--preset",
        "seed",
    ];
    done(&folder, &[&own[..], &["--g-width", "4", "--d-width", "4"], &TINY].concat());
    folder
}

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => drop(found.insert(path.display().to_string(), fs::read(&path).unwrap())),
        }
    }
    found
}

/// The listing and the trace of a run on a device; the run stays as it is.
fn explained(folder: &TempDir, device: &str) -> (Value, Value) {
    let before = files(&folder.path().join("run"));
    let trace = format!("{device}.json");
    let text = done(folder, &["explain", "run", "--device", device, "--json", "--trace", &trace]);
    assert!(files(&folder.path().join("run")) == before, "the run has changed");
    let trace = fs::read_to_string(folder.path().join(trace)).unwrap();
    (serde_json::from_str(&text).unwrap(), serde_json::from_str(&trace).unwrap())
}

fn rows(explanation: &Value) -> Vec<&Value> {
    let programs = explanation["programs"].as_array().unwrap();
    programs.iter().flat_map(|program| program["rows"].as_array().unwrap()).collect()
}

/// Complete events, one after another in each row; those of the first process are the rows of the listing.
fn check_trace(explanation: &Value, trace: &Value) {
    let number = |value: &Value| value.as_f64().unwrap();
    // The format counts microseconds; what is written are whole nanoseconds.
    let nanoseconds = |value: &Value| (number(value) * 1000.0).round() as u64;
    let events = trace["traceEvents"].as_array().unwrap();
    let mut ends: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    let mut sums = BTreeMap::new();
    let mut listed = rows(explanation).into_iter();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let row = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        let (start, taken) = (nanoseconds(&event["ts"]), nanoseconds(&event["dur"]));
        let end = ends.entry(row).or_default();
        assert!(start >= *end, "{event} overlaps the one before");
        *end = start + taken;
        *sums.entry(row).or_insert(0) += taken;
        if row.0 == 1 {
            let row = listed.next().expect("an event that is not listed");
            // Where a time ends on half a nanosecond, reading it back may round it the other way.
            assert!(
                taken.abs_diff((number(&row["seconds"]) * 1e9).round() as u64) <= 1,
                "{event} is not {row}"
            );
            for field in ["number", "op", "kernel", "flops", "bytes"] {
                assert_eq!(event["args"][field], row[field]);
            }
        }
    }
    assert!(listed.next().is_none(), "a row without its event");
    let seconds: f64 = rows(explanation).iter().map(|row| number(&row["seconds"])).sum();
    // Each event is rounded to a nanosecond.
    assert!((sums[&(1, 11)] as f64 - seconds * 1e9).abs() <= rows(explanation).len() as f64);
    assert!(trace["otherData"]["what"].as_str().unwrap().contains("not one that trained"));
    assert!(events.iter().any(|event| event["name"] == "process_name"));
}

/// On both devices the listing has all the work of the steps, and a time and a share for each row.
fn check_listing(explanation: &Value, steps: &[Step]) {
    let programs = explanation["programs"].as_array().unwrap();
    let names: Vec<&str> = programs.iter().map(|program| program["name"].as_str().unwrap()).collect();
    assert_eq!(names, steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>());
    for (program, step) in programs.iter().zip(steps) {
        let flops = |row: &Value| row["flops"].as_u64().unwrap();
        let listed: u64 = program["rows"].as_array().unwrap().iter().map(flops).sum();
        let meant: u64 = (0..step.nodes().len()).map(|id| step.flops(id)).sum();
        assert_eq!(listed, meant, "{}", step.name);
        assert!(program["seconds"].as_f64().unwrap() > 0.0);
    }
    for row in rows(explanation) {
        assert!(row["bytes"].as_u64().unwrap() > 0, "{row}");
        assert!(row["seconds"].as_f64().unwrap() >= 0.0 && row["share"].as_f64().unwrap() >= 0.0, "{row}");
    }
    assert!(rows(explanation).iter().any(|row| row["share"].as_f64().unwrap() > 0.0));
}

#[test]
fn a_dcgan_run_is_explained() {
    let folder = dcgan();
    let config = DcganConfig::from_file(&folder.path().join("run/config.toml"), Default::default()).unwrap();
    let model = config.dcgan().unwrap();
    let steps = [
        model.discriminator_step(config.common.batch).unwrap(),
        model.penalized_discriminator_step(config.common.batch).unwrap(),
        model.generator_step(config.common.batch).unwrap(),
    ];
    for device in ["cpu", "gpu"] {
        let (explanation, trace) = explained(&folder, device);
        check_listing(&explanation, &steps);
        check_trace(&explanation, &trace);
        let due: Vec<&str> = explanation["programs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|program| program["due"].as_str().unwrap())
            .collect();
        // The preset's discriminator is stepped every 2nd iteration, and every 4th of those with the penalty.
        assert_eq!(
            due,
            ["every 2nd iteration, but not every 8th iteration", "every 8th iteration", "every iteration"]
        );
        let kernels = rows(&explanation).iter().filter(|row| row["kernel"] != "").count();
        assert_eq!(kernels, if device == "gpu" { rows(&explanation).len() } else { 0 });
    }
    // The run was made on the CPU, so it is explained there.
    let text = done(&folder, &["explain", "run"]);
    for part in ["CPU", "discriminator_step", "conv2d_weight_grad", "GFLOP/s", "operation", "total: "] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_cyclegan_run_is_explained() {
    let folder = cyclegan();
    let config =
        CycleGanConfig::from_file(&folder.path().join("run/config.toml"), Default::default()).unwrap();
    let steps = config.cyclegan().unwrap().steps(config.common.batch).unwrap();
    for device in ["cpu", "gpu"] {
        let (explanation, trace) = explained(&folder, device);
        check_listing(&explanation, &steps);
        check_trace(&explanation, &trace);
    }
}

#[test]
fn what_cannot_be_explained_is_refused() {
    assert!(refused(&["explain", "nowhere"], 1).contains("no such folder"));
    assert!(refused(&["explain", "nowhere", "course"], 1).contains("leave out the preset"));
    assert!(refused(&["explain", "dcgan", "best"], 2).contains("course"));
    assert!(refused(&["explain", "dcgan", "--device", "abacus"], 1).contains("abacus"));
}
