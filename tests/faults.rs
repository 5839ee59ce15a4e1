//! Death at any moment: a run that is killed again and again, and resumed each time, leaves the files of one that was not, byte
//! for byte. `MEWGAN_KILLS=1000 cargo test --release --test suite faults:: -- --nocapture` kills more often and says where.

use mewgan::report::{Row, metrics, tensorboard};
use mewgan::train::checkpoint::Checkpoint;
use mewgan::train::run_folder::RunFolder;
use mewgan::train::starts;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::{TempDir, tempdir};

/// The kinds of run, and what makes them small.
const DCGAN: [&str; 7] = ["dcgan", "--data", "images", "--noise-size", "4", "--average", "0.9"];
const CYCLEGAN: [&str; 9] = ["cyclegan", "--x", "images", "--y", "images", "--blocks", "1", "--pool", "5"];
#[rustfmt::skip]
const TINY: [&str; 23] = [
    "--preset", "course", "--size", "16", "--batch", "3", "--g-width", "4", "--d-width", "4", "--steps", "40",
    "--log-every", "1", "--checkpoint-every", "8", "--sample-every", "30", "--keep", "2", "--out", "run", "--device",
];

/// The folders of a run.
const FOLDERS: [&str; 3] = ["", "samples", CHECKPOINTS];
const CHECKPOINTS: &str = "checkpoints";

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// When its time is over.
    Time,
    /// When its folder is made.
    Folder,
    /// When it begins to write its so-many-th file that is replaced as a whole: settings, a sample, a curve.
    Replacing(u32),
    /// So long after it begins to write its so-many-th checkpoint.
    Checkpoint(u32, Duration),
    /// When it has written so many log lines.
    Logging(u32),
}

impl Moment {
    /// Any.
    fn draw(random: &mut StdRng) -> Self {
        let nth = random.random_range(1..6);
        match random.random_range(0..10) {
            0..3 => Self::Time,
            3 => Self::Folder,
            4..6 => Self::Replacing(2 * nth),
            6..9 => Self::Checkpoint(nth.div_ceil(2), Duration::from_millis(random.random_range(0..8))),
            _ => Self::Logging(2 * nth),
        }
    }
}

/// A folder with a few images in it.
fn images() -> TempDir {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("images")).unwrap();
    for index in 0..7_u8 {
        let pixel = |x: u32, y: u32| image::Rgb([x as u8 * 9, y as u8 * 7, index * 30]);
        let image = image::RgbImage::from_fn(18, 18, pixel);
        image.save(folder.path().join(format!("images/{index}.png"))).unwrap();
    }
    folder
}

fn mewgan(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mewgan"));
    command.current_dir(folder.path()).args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Files of `folders` that are being written.
fn partial(run: &Path, folders: &[&str]) -> BTreeSet<PathBuf> {
    let paths = folders.iter().flat_map(|folder| fs::read_dir(run.join(folder))).flatten().flatten();
    paths
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|of| of == "partial"))
        .collect()
}

/// Runs `command` and kills it at `moment`, or after `most`. Returns its output if it came to its end before.
fn killed(mut command: Command, run: &Path, moment: Moment, most: Duration) -> Option<Output> {
    let (folders, wanted) = match moment {
        Moment::Replacing(wanted) => (&FOLDERS[..], wanted),
        Moment::Checkpoint(wanted, _) => (&FOLDERS[2..], wanted),
        Moment::Logging(wanted) => (&[][..], wanted),
        Moment::Time | Moment::Folder => (&[][..], 0),
    };
    let look =
        || (partial(run, folders), fs::metadata(run.join("metrics.jsonl")).map_or(0, |file| file.len()));
    let (mut child, start, mut seen, mut before) = (command.spawn().unwrap(), Instant::now(), 0, look());
    while start.elapsed() < most {
        if child.try_wait().unwrap().is_some() {
            return Some(child.wait_with_output().unwrap());
        }
        match moment {
            Moment::Time => std::thread::sleep(Duration::from_micros(100)),
            Moment::Folder if run.exists() => break,
            Moment::Folder => {}
            Moment::Replacing(_) | Moment::Checkpoint(..) | Moment::Logging(_) => {
                let now = look();
                let written = if folders.is_empty() { now.1 > before.1 } else { !now.0.is_subset(&before.0) };
                seen += u32::from(written);
                before = now;
                if seen >= wanted {
                    break;
                }
            }
        }
    }
    if let Moment::Checkpoint(_, delay) = moment {
        std::thread::sleep(delay);
    }
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    output.status.success().then_some(output)
}

/// Where the process in `run` was when it died, by what it left.
fn fell(run: &Path, moment: Moment) -> &'static str {
    let any = |folders| !partial(run, folders).is_empty();
    match moment {
        _ if any(&[CHECKPOINTS]) => "in a checkpoint's write",
        _ if any(&FOLDERS) => "in another file's write",
        _ if !run.join("config.toml").is_file() => "before its settings were written",
        _ if newest(run) == 0 => "before its first checkpoint",
        Moment::Logging(_) => "at a log line",
        Moment::Checkpoint(..) => "around a checkpoint's new name",
        _ => "elsewhere",
    }
}

fn newest(run: &Path) -> u64 {
    let checkpoints = RunFolder::open(run).and_then(|folder| folder.checkpoints());
    checkpoints.ok().and_then(|all| Some(all.last()?.0)).unwrap_or(0)
}

/// What holds after every death: whole checkpoints, no more than are kept, and whole log lines. Returns the newest step.
fn check(run: &Path, before: u64) -> u64 {
    let Ok(folder) = RunFolder::open(run) else { return before };
    let checkpoints = folder.checkpoints().unwrap();
    for (step, path) in &checkpoints {
        assert_eq!(Checkpoint::open(path).unwrap().step(), *step);
    }
    assert!(checkpoints.len() <= 2, "{checkpoints:?}");
    if folder.metrics_path().is_file() {
        metrics::read(folder.metrics_path()).unwrap();
    }
    assert!(newest(run) >= before, "a checkpoint is lost");
    newest(run)
}

/// Tears the last log line, as a power cut may; those up to the newest checkpoint were on the disk before it.
fn tear(run: &Path, random: &mut StdRng) -> bool {
    let path = run.join("metrics.jsonl");
    let text = fs::read(&path).unwrap_or_default();
    let last = text.split_inclusive(|&byte| byte == b'\n').next_back().unwrap_or_default();
    let row = path.is_file().then(|| metrics::read(&path).unwrap().pop()).flatten();
    if !last.ends_with(b"\n") || row.is_none_or(|row| row.step <= newest(run)) {
        return false;
    }
    let cut = random.random_range(1..last.len()) as u64;
    File::options().write(true).open(&path).unwrap().set_len(text.len() as u64 - cut).unwrap();
    true
}

/// All files of a run with their bytes, but the events, one file for each process that died; of the metrics, which tell times,
/// the rest; of the page and the starts, which tell times and where a run was resumed, that they are whole.
fn files(run: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let path = run.join("metrics.jsonl");
    let timeless = |row: Row| {
        let values = row.values.into_iter().filter(|(name, _)| !name.starts_with("s"));
        (row.step, values.collect::<Vec<_>>())
    };
    let rows: Vec<_> = metrics::read(&path).unwrap().into_iter().map(timeless).collect();
    let all = walkdir::WalkDir::new(run).into_iter().map(|entry| entry.unwrap().into_path());
    let events = tensorboard::files(run).unwrap();
    let is_events = |path: &PathBuf| events.contains(path);
    let bytes = |path: PathBuf| (path.strip_prefix(run).unwrap().to_owned(), fs::read(&path).unwrap());
    let mut files: BTreeMap<_, _> =
        all.filter(|path| path.is_file() && !is_events(path)).map(bytes).collect();
    files.insert("metrics.jsonl".into(), format!("{rows:?}").into());
    assert!(files[Path::new("report.html")].ends_with(b"</html>\n"));
    assert_eq!(starts::read(&RunFolder::open(run).unwrap()).unwrap()[0].after, 0);
    for told in ["report.html", "starts.json"] {
        files.insert(told.into(), Vec::new());
    }
    files
}

/// Kills runs of one kind on one device until `kills` processes have died.
fn survives(kind: &[&str], device: &str, kills: usize) {
    let folder = images();
    let run = folder.path().join("run");
    let train = [&["train"], kind, &TINY, &[device]].concat();
    let life = Instant::now();
    let output = mewgan(&folder, &train).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (life, undisturbed) = (life.elapsed(), files(&run));

    let mut random = StdRng::seed_from_u64(11);
    let mut deaths: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut died, mut runs, mut torn, started) = (0, 0, 0, Instant::now());
    while died < kills {
        fs::remove_dir_all(&run).unwrap();
        let mut step = 0;
        runs += 1;
        loop {
            let begun = run.join("config.toml").is_file();
            let arguments = if begun { &["resume", "run"][..] } else { &train };
            let (moment, most) = match died < kills {
                true => (Moment::draw(&mut random), life.mul_f64(random.random_range(0.0..0.8))),
                false => (Moment::Time, Duration::MAX),
            };
            if let Some(output) = killed(mewgan(&folder, arguments), &run, moment, most) {
                // A process may die after its last checkpoint: nothing is left to do then.
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(
                    output.status.success() || said.contains("finished at step 40"),
                    "death {died}: {said}"
                );
                break;
            }
            died += 1;
            *deaths.entry(fell(&run, moment)).or_default() += 1;
            step = check(&run, step);
            torn += usize::from(random.random_range(0..2) == 0 && tear(&run, &mut random));
        }
        let left = files(&run);
        let names = |files: &BTreeMap<PathBuf, _>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&left), names(&undisturbed), "after death {died}");
        for (name, bytes) in &left {
            assert!(*bytes == undisturbed[name], "{} differs after death {died}", name.display());
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{} on {device}: {died} deaths in {runs} runs and {seconds:.1} s, {torn} log lines torn: {deaths:?}",
        kind[0]
    );
}

/// So many deaths, or as many for each 100 of `MEWGAN_KILLS`.
fn kills(usual: usize) -> usize {
    let wanted = std::env::var("MEWGAN_KILLS")
        .ok()
        .map(|kills| kills.parse::<usize>().expect("MEWGAN_KILLS: a number"));
    wanted.map_or(usual, |wanted| (wanted * usual).div_ceil(100))
}

#[test]
fn runs_survive_death_at_any_moment() {
    for (kind, device, usual) in
        [(&DCGAN[..], "cpu", 60), (&CYCLEGAN, "cpu", 32), (&DCGAN, "gpu", 5), (&CYCLEGAN, "gpu", 3)]
    {
        survives(kind, device, kills(usual));
    }
}
