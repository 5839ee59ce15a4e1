//! Promise: `mewgan bench` measures what it says: every figure is a positive number, every share is of a peak measured in the
//! same run, and whole iterations say where their time goes.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::tempdir;

fn bench(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mewgan"));
    command.current_dir(folder).arg("bench").args(arguments).output().unwrap()
}

/// The report of a quick run, and what it prints.
fn report(device: &str, filter: &str, more: &[&str]) -> (Value, String) {
    let folder = tempdir().unwrap();
    let arguments = ["--device", device, "--quick", "--filter", filter, "--json", "report.json"];
    // However busy the machine is, nothing takes that long.
    let patience = if more.contains(&"--longest") { &[][..] } else { &["--longest", "1000"] };
    let output = bench(folder.path(), &[&arguments[..], patience, more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json = fs::read_to_string(folder.path().join("report.json")).unwrap();
    (serde_json::from_str(&json).unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn rows<'r>(report: &'r Value, group: &str) -> Vec<&'r Value> {
    report["rows"].as_array().unwrap().iter().filter(|row| row["group"] == group).collect()
}

fn positive(value: &Value) -> f64 {
    let number = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert!(number > 0.0 && number.is_finite(), "{number}");
    number
}

fn near(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-9
}

fn check_times(report: &Value) {
    for row in report["rows"].as_array().unwrap() {
        let spread = &row["seconds"];
        let figures = ["min", "lower", "median", "upper", "max"].map(|name| positive(&spread[name]));
        assert!(figures.is_sorted(), "{row}");
        assert!(spread["samples"].as_u64().unwrap() >= 1);
    }
    assert_eq!(rows(report, "control").len(), 2);
    positive(&report["control"]["median"]);
}

/// Peaks are those of the peaks' rows, and shares are shares of them.
fn check_shares(report: &Value) {
    let peak = |rate: &str| positive(&report["peaks"][rate]);
    for count in ["flops", "bytes"] {
        let rate = |row: &Value| row[count].as_f64().unwrap() / positive(&row["seconds"]["min"]);
        let best = rows(report, "peaks").into_iter().map(rate).fold(0.0, f64::max);
        assert!(near(best, peak(&format!("{count}_per_second"))));
    }
    let flops =
        ["contractions", "ladder", "steps", "control"].into_iter().flat_map(|group| rows(report, group));
    let bytes = rows(report, "norms").into_iter().chain(rows(report, "pointwise"));
    let counted = flops.map(|row| ("flops", row)).chain(bytes.map(|row| ("bytes", row)));
    for (count, row) in counted {
        let rate = format!("{count}_per_second");
        assert!(
            near(positive(&row[&rate]), positive(&row[count]) / positive(&row["seconds"]["median"])),
            "{row}"
        );
        assert!(near(positive(&row["share"]), positive(&row[&rate]) / peak(&rate)), "{row}");
    }
}

fn check_iteration(row: &Value) {
    let iteration = &row["iteration"];
    for part in ["contractions", "norms", "rest", "memory"] {
        positive(&iteration[part]);
    }
    let steps = iteration["dispatches"].as_array().unwrap();
    assert_eq!(
        steps.iter().map(|step| &step[0]).collect::<Vec<_>>(),
        ["discriminator_step", "generator_step"]
    );
    assert!(steps.iter().all(|step| step[1].as_u64().unwrap() > 20));
    let (host, waiting) = (iteration["host"].as_f64().unwrap(), iteration["waiting"].as_f64().unwrap());
    assert!(host >= 0.0 && waiting >= 0.0);
}

const FILTER: &str =
    "contractions/conv2d 16x8x8x64 4x4x64x128,norms/normalize,pointwise/add,steps/dcgan seed";

#[test]
fn the_cpu_is_measured() {
    let (report, text) = report("cpu", FILTER, &[]);
    check_times(&report);
    check_shares(&report);
    assert_eq!(rows(&report, "steps").len(), 1);
    check_iteration(rows(&report, "steps")[0]);
    let contraction = rows(&report, "contractions")[0];
    // 16 images of 4x4 pixels, each 4*4*64 products for each of 128 channels.
    assert_eq!(contraction["flops"], 2 * 16 * 4 * 4 * 4 * 4 * 64 * 128);
    assert_eq!(contraction["bytes"], 4 * (16 * 8 * 8 * 64 + 4 * 4 * 64 * 128 + 16 * 4 * 4 * 128));
    assert!(contraction["used_by"].as_array().unwrap().contains(&"dcgan seed".into()));
    for part in ["CPU reference", "multiply-add", "of peak", "GB/s", "dcgan seed", "control: the same twice"]
    {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

/// In mixed precision an iteration has more dispatches: those of the loss scale.
#[test]
fn mixed_precision_is_measured() {
    for device in ["cpu", "gpu"] {
        let dispatches = |more: &[&str]| {
            let (report, text) = report(device, "steps/dcgan seed", more);
            check_times(&report);
            let count = |step: &Value| step[1].as_u64().unwrap();
            let steps = rows(&report, "steps")[0]["iteration"]["dispatches"].as_array().unwrap().clone();
            (report["precision"].clone(), text, steps.iter().map(count).sum::<u64>())
        };
        let (single, mixed) = (dispatches(&[]), dispatches(&["--precision", "mixed"]));
        assert_eq!((&single.0, &mixed.0), (&"f32".into(), &"mixed".into()));
        assert!(!single.1.contains("mixed precision") && mixed.1.contains("mixed precision"));
        assert!(mixed.2 > single.2, "{} dispatches, in f32 {}", mixed.2, single.2);
    }
}

#[test]
fn a_gpu_is_measured_by_every_kernel() {
    let (report, _) = report("gpu", FILTER, &[]);
    check_times(&report);
    check_shares(&report);
    check_iteration(rows(&report, "steps")[0]);
    let peaks: Vec<&str> = rows(&report, "peaks").iter().map(|row| row["name"].as_str().unwrap()).collect();
    for name in ["multiply-add", "copy", "dispatch", "submit"] {
        assert!(peaks.contains(&name), "{peaks:?}");
    }
    let contractions = rows(&report, "contractions");
    let chosen = contractions.iter().filter(|row| row["chosen"] == true).count();
    assert_eq!(chosen, 1);
    assert!(contractions.len() > chosen, "only one kernel for {}", contractions[0]["name"]);
    assert!(positive(&rows(&report, "steps")[0]["iteration"]["host"]) > 0.0);
    // By the kernel that training takes for so many rows, which reads sums of others, and does not make them.
    let by = |start: &str| {
        let mut norms = rows(&report, "norms").into_iter();
        norms.find(|row| row["name"].as_str().unwrap().starts_with(start)).unwrap()["variant"].clone()
    };
    assert!(by("normalize_grad 64x32x32x64").as_str().unwrap().starts_with("grad x"));
}

#[test]
fn the_ladder_is_climbed_on_a_gpu_alone() {
    let (report, text) = report("gpu", "ladder/1 naive/dcgan,ladder/7 prefetch/dcgan,ladder/8", &[]);
    check_times(&report);
    check_shares(&report);
    let rungs = rows(&report, "ladder");
    let count =
        |start: &str| rungs.iter().filter(|row| row["name"].as_str().unwrap().starts_with(start)).count();
    assert_eq!((count("1 naive"), count("7 prefetch")), (1, 1));
    assert!(count("8 production, ") >= 2, "{text}");
    // 16 images of 16x16 pixels, each 4*4*32 products for each of 64 channels.
    assert_eq!(rungs[0]["flops"], 2 * 16 * 16 * 16 * 4 * 4 * 32 * 64);
    assert!(text.contains("\nladder\n"), "{text}");
    let folder = tempdir().unwrap();
    let output = bench(folder.path(), &["--device", "cpu", "--filter", "ladder"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("on a GPU ladder"), "{output:?}");
}

#[test]
fn a_folder_gets_a_file_named_after_the_device() {
    let folder = tempdir().unwrap();
    let output = bench(
        folder.path(),
        &["--device", "cpu", "--quick", "--filter", "norms/normalize_grad_sums", "--json", "."],
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(folder.path().join("cpu.json").is_file());
}

#[test]
fn what_cannot_be_measured_is_refused_and_what_takes_too_long_is_left_out() {
    let folder = tempdir().unwrap();
    for (arguments, expected) in
        [(["--filter", "contractions/conv5d"], "no such row"), (["--seconds", "0"], "must be more than 0")]
    {
        let output = bench(folder.path(), &[&["--device", "cpu"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(expected), "{text}");
    }
    let (report, text) = report("cpu", "steps/cyclegan paper", &["--longest", "0.000001"]);
    assert!(rows(&report, "steps").is_empty());
    assert_eq!(report["left_out"][0]["name"], "cyclegan paper");
    assert!(text.contains("left out: cyclegan paper: an iteration would take"), "{text}");
}
