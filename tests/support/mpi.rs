//! Runs by mpirun, and what two of them have in common.

use safetensors::SafeTensors;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The learning rate of the preset `course` is 3e-4, that of `paper` 2e-4: less than this a step and weight.
const RATE: f64 = 2e-4;

/// mpirun for as many ranks as are asked for, whoever asks and however few cores there are.
pub fn mpirun() -> Command {
    let mut command = Command::new("mpirun");
    command
        .envs([("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")])
        .envs([("OMPI_MCA_rmaps_base_oversubscribe", "1"), ("OMPI_MCA_hwloc_base_binding_policy", "none")])
        .envs([("OMPI_MCA_mpi_yield_when_idle", "1"), ("OMPI_MCA_btl_vader_single_copy_mechanism", "none")])
        .env("RAYON_NUM_THREADS", "1");
    command
}

/// All that a program printed.
pub fn text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}

/// A run in a folder of its own, and what it printed beside it.
pub struct Run {
    folder: tempfile::TempDir,
    ranks: usize,
    flags: Vec<String>,
    /// Seconds that mpirun waits for ranks it has told to end before it kills them.
    patience: u32,
}

impl Run {
    pub fn new(ranks: usize, flags: &str) -> Self {
        let flags = flags.split_whitespace().map(str::to_owned).collect();
        Self { folder: tempfile::tempdir().unwrap(), ranks, flags, patience: 1 }
    }

    /// With time for ranks to finish a step and write a checkpoint once mpirun is told to end.
    pub fn patient(self) -> Self {
        Self { patience: 5, ..self }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("said")
    }

    fn command(&self, ranks: usize) -> Command {
        let program = env!("CARGO_BIN_EXE_mewgan");
        let mut command = if ranks == 1 { Command::new(program) } else { mpirun() };
        if ranks > 1 {
            command.args(["-n", &ranks.to_string(), program]);
        }
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        command.env("OMPI_MCA_odls_base_sigkill_timeout", self.patience.to_string());
        command.env("RAYON_NUM_THREADS", "1").stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        command
    }

    /// Starts it.
    pub fn start(&self) -> Child {
        self.command(self.ranks).args(&self.flags).arg("--out").arg(self.path()).spawn().unwrap()
    }

    /// Runs it to its end.
    pub fn finish(self) -> Self {
        let status = self.start().wait().unwrap();
        assert!(status.success(), "{status}\n{}", self.said());
        self
    }

    /// Goes on with it.
    pub fn resume(&self, ranks: usize, flags: &str) {
        let mut command = self.command(ranks);
        command.arg("resume").arg(self.path()).args(flags.split(' '));
        let status = command.status().unwrap();
        assert!(status.success(), "{status}\n{}", self.said());
    }

    pub fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap()
    }

    pub fn config(&self) -> String {
        fs::read_to_string(self.path().join("config.toml")).unwrap()
    }

    fn checkpoints(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path().join("checkpoints")).into_iter().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
        paths.sort();
        paths
    }

    /// The step of its last checkpoint.
    pub fn last_step(&self) -> u64 {
        let last = self.checkpoints().pop().unwrap();
        last.file_stem().unwrap().to_str().unwrap().parse().unwrap()
    }

    pub fn wait_for_checkpoint(&self) {
        let start = Instant::now();
        while self.checkpoints().is_empty() {
            assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint\n{}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The process that is a rank of this run.
    pub fn pid_of_rank(&self, rank: usize) -> u32 {
        let variable = format!("OMPI_COMM_WORLD_RANK={rank}");
        let own = self.path().display().to_string();
        let is_it = |pid: &u32| {
            let read = |what: &str| fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
            let has = |bytes: Vec<u8>, word: &str| {
                bytes.split(|&byte| byte == 0).any(|part| part == word.as_bytes())
            };
            has(read("environ"), &variable) && has(read("cmdline"), &own)
        };
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.find(is_it).expect("the rank runs")
    }

    /// The rows of its metrics, by step.
    fn metrics(&self) -> Vec<BTreeMap<String, f64>> {
        let rows = mewgan::report::metrics::read(self.path().join("metrics.jsonl")).unwrap();
        rows.into_iter().map(|row| row.values).collect()
    }

    /// Checks that both logged the same losses, those of the whole batch.
    pub fn check_losses(&self, other: &Self) {
        let (own, others) = (self.metrics(), other.metrics());
        assert_eq!(own.len(), others.len());
        for (own, other) in own.iter().zip(&others) {
            let mut compared = 0;
            for (name, value) in own.iter().filter(|(name, _)| !name.contains("second")) {
                let apart = (value - other[name]).abs() / value.abs().max(0.1);
                assert!(apart < 1e-3, "{name}: {value} and {}", other[name]);
                compared += 1;
            }
            assert!(compared > 2);
        }
    }

    fn tensors(&self) -> BTreeMap<String, Vec<f64>> {
        read(&self.checkpoints().pop().unwrap())
    }
}

fn read(path: &Path) -> BTreeMap<String, Vec<f64>> {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |bytes: &[u8]| {
        bytes.chunks_exact(4).map(|four| f64::from(f32::from_le_bytes(four.try_into().unwrap()))).collect()
    };
    file.tensors().into_iter().map(|(name, tensor)| (name, numbers(tensor.data()))).collect()
}

/// How far the last checkpoints of two runs are apart: Adam's first moments, which are means of gradients, as a share of their size;
/// and weights as a share of what `steps` steps of Adam move them.
pub fn apart(a: &Run, b: &Run, steps: usize) -> [f64; 2] {
    let (a, b) = (a.tensors(), b.tensors());
    assert!(a.keys().eq(b.keys()), "the same tensors");
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let of = |kind: fn(&str) -> bool| {
        let named = a.iter().filter(|(name, _)| kind(name));
        let pairs: Vec<(f64, f64)> =
            named.flat_map(|(name, a)| a.iter().copied().zip(b[name].iter().copied())).collect();
        assert!(!pairs.is_empty());
        let apart = length(&mut pairs.iter().map(|(a, b)| a - b));
        (apart, length(&mut pairs.iter().map(|(a, _)| *a)), pairs.len())
    };
    let (apart, size, _) = of(|name| name.starts_with("optimizer.first."));
    let (moved, _, count) = of(|name| name.ends_with(".weight") && !name.starts_with("optimizer."));
    [apart / size, moved / (RATE * steps as f64 * (count as f64).sqrt())]
}
