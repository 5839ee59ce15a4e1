//! What else a user's files are: a run's kernels and metrics, and the tensors of `mewgan op`.

use super::{Row, assert_says, folder_with, refused, row};
use mewgan::gpu::tune::Table;
use mewgan::{report, tensor_file};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

/// A run of two steps.
fn run() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let tiny = "train dcgan --preset seed --data builtin:noto/animals --size 8 --noise-size 2 --g-width 1 --d-width 1 \
                --log-every 1 --steps 2 --device cpu --out run";
    let done =
        Command::new(super::program()).current_dir(folder.path()).args(tiny.split(' ')).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    folder
}

#[test]
fn kernels_are_refused() {
    let table = |kernels: Value| json!({"device": "a", "version": "b", "kernels": kernels}).to_string();
    let rows = [
        row("nothing", "", &["no table of kernels", "remove it"]),
        row("no JSON", "kernels", &["no table of kernels", "remove it"]),
        row("half a table", "{\"device\": \"a\",", &["no table of kernels", "remove it"]),
        row(
            "no kernels",
            "{\"device\": \"a\", \"version\": \"b\"}",
            &["missing field \"kernels\"", "remove it"],
        ),
        row("another type", table(json!(7)), &["no table of kernels", "remove it"]),
        row("an unknown kernel", table(json!([{"contraction": 1, "variant": 2}])), &["remove it"]),
        row("nested without end", "[".repeat(100_000), &["no table of kernels", "remove it"]),
        row("no text", [0xff; 64], &["not a text in UTF-8"]),
        row("text without end", " ".repeat((16 << 20) + 1), &["longer than 16 MiB"]),
    ];
    let folder = run();
    for row in rows {
        let path = folder.path().join("run/kernels.json");
        fs::write(&path, &row.content).unwrap();
        assert_says(&row, "kernels.json", &Table::read(&path).expect_err(row.what).to_string());
        assert_says(&row, "kernels.json", &refused(folder.path(), &["resume", "run", "--steps", "4"]));
    }
}

#[test]
fn metrics_are_refused() {
    let rows = [
        row(
            "no JSON",
            "{\"step\":1,\"D\":1.0}\nstep 2\n",
            &["line 2 is not a metrics line", "fix or remove"],
        ),
        row("no step", "{\"D\":1.0}\n", &["line 1", "missing field \"step\""]),
        row("a text for a number", "{\"step\":1,\"D\":\"low\"}\n", &["line 1", "expected f64"]),
        row("a step below 0", "{\"step\":-1}\n", &["line 1", "-1"]),
        row("an empty line", "{\"step\":1}\n\n", &["line 2"]),
        row("nested without end", format!("{}\n", "[".repeat(100_000)), &["line 1"]),
        row("no text", b"\xff\xfe\n".to_vec(), &["line 1"]),
        row("zeros", b"\0\0\0\n".to_vec(), &["line 1"]),
    ];
    let folder = run();
    for row in rows {
        let path = folder.path().join("run/metrics.jsonl");
        fs::write(&path, &row.content).unwrap();
        assert_says(&row, "metrics.jsonl", &report::metrics::read(&path).expect_err(row.what).to_string());
        assert_says(&row, "metrics.jsonl", &refused(folder.path(), &["resume", "run", "--steps", "4"]));
    }
}

/// A safetensors file of tensors of a type, each of `bytes` bytes a number, all 0.
fn tensors(dtype: &str, bytes: usize, shapes: &[(&str, &[usize])]) -> Vec<u8> {
    let (mut header, mut at) = (serde_json::Map::new(), 0);
    for (name, shape) in shapes {
        let end = at + bytes * shape.iter().product::<usize>();
        header.insert((*name).into(), json!({"dtype": dtype, "shape": shape, "data_offsets": [at, end]}));
        at = end;
    }
    let header = Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; at]].concat()
}

fn inputs() -> Vec<Row> {
    let f32 = |shapes: &[(&str, &[usize])]| tensors("F32", 4, shapes);
    let (x, w): ((_, &[usize]), (_, &[usize])) = (("x", &[1, 3, 4, 4]), ("w", &[2, 3, 2, 2]));
    let whole = f32(&[x, w]);
    vec![
        row("nothing", "", &["cut short"]),
        row("no safetensors", "x = 1, and w = 2", &["no safetensors file"]),
        row("a byte too few", whole[..whole.len() - 1].to_vec(), &["cut short"]),
        row("no tensors", f32(&[]), &["holds no tensors"]),
        row("half precision", tensors("F16", 2, &[x, w]), &["tensor w is F16", ".float()"]),
        row("a tensor less", f32(&[x]), &["conv2d: tensor w is missing"]),
        row("a tensor more", f32(&[x, w, ("z", &[1])]), &["takes no tensor named z", "gy"]),
        row("too few axes", f32(&[("x", &[4, 4]), w]), &["tensor x is [4, 4]", "4 axes"]),
        row("no numbers", f32(&[("x", &[0, 3, 4, 4]), w]), &["tensor x is [0, 3, 4, 4]", "at least 1"]),
        row("other channels", f32(&[("x", &[1, 5, 4, 4]), w]), &["conv2d", "[1, 4, 4, 5]"]),
        row("a kernel too large", f32(&[x, ("w", &[2, 3, 9, 9])]), &["conv2d", "9"]),
        row("another bias", f32(&[x, w, ("b", &[7])]), &["b has 7 numbers", "2 channels"]),
        row("another gradient", f32(&[x, w, ("gy", &[1, 2, 4, 4])]), &["gy is [1, 2, 4, 4]", "[1, 2, 3, 3]"]),
    ]
}

#[test]
fn inputs_of_operations_are_refused() {
    let command =
        ["op", "conv2d", "--inputs", "in.safetensors", "--out", "out.safetensors", "--device", "cpu"];
    for row in inputs() {
        let (folder, path) = folder_with("in.safetensors", &row.content);
        assert_says(&row, "", &refused(folder.path(), &command));
        assert!(!folder.path().join("out.safetensors").exists(), "{}", row.what);
        if let Err(error) = tensor_file::read(&path) {
            assert_says(&row, "in.safetensors", &error.to_string());
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn inputs_of_50_gb_are_not_read() {
    let length: u64 = 50 << 30;
    let header =
        json!({"x": {"dtype": "F32", "shape": [length / 4], "data_offsets": [0, length]}}).to_string();
    let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
    let (folder, path) = folder_with("in.safetensors", &bytes);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(8 + header.len() as u64 + length).unwrap();
    let command = ["op", "relu", "--inputs", "in.safetensors", "--out", "out.safetensors", "--device", "cpu"];
    let error = super::refused_within(256, folder.path(), &command);
    assert!(error.contains("in.safetensors: holds 13421772800 numbers, more than"), "{error}");
}
