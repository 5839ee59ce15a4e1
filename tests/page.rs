//! Promise: a run leaves one page that holds all of it and nothing from elsewhere, small however long the run; runs can be compared
//! on one, and their figures taken elsewhere.

use mewgan::report::page::{Page, Run, Series, frames};
use mewgan::report::{Metrics, Row, csv};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::{TempDir, tempdir};

const TINY: &str = "--size 16 --g-width 4 --d-width 4 --batch 4 --steps 6 --log-every 1 --sample-every 2 --checkpoint-every 3 \
                    --device cpu";
const DCGAN: &str = "train dcgan --data builtin:noto/animals";
const CYCLEGAN: &str = "train cyclegan --x builtin:noto/animals --y builtin:twemoji/animals";

fn mewgan(folder: &Path, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mewgan"));
    command.current_dir(folder).args(arguments.split_whitespace()).output().unwrap()
}

fn done(folder: &Path, arguments: &str) -> String {
    let output = mewgan(folder, arguments);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn refused(folder: &Path, arguments: &str) -> String {
    let output = mewgan(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments}");
    String::from_utf8(output.stderr).unwrap()
}

fn trained(command: &str) -> TempDir {
    let folder = tempdir().unwrap();
    done(folder.path(), &format!("{command} {TINY} --out run"));
    folder
}

/// The block of data in a page.
fn data(page: &str) -> Value {
    let start = page.split_once("id=\"data\">").expect("a block of data").1;
    serde_json::from_str(start.split_once("</script>").unwrap().0).unwrap()
}

fn run_of(path: &Path) -> Value {
    data(&fs::read_to_string(path).unwrap())["runs"][0].clone()
}

fn fact(run: &Value, name: &str) -> String {
    let pairs = run["facts"].as_array().unwrap();
    let found = pairs.iter().find(|pair| pair[0] == name);
    found.unwrap_or_else(|| panic!("no {name} in {pairs:?}"))[1].as_str().unwrap().to_owned()
}

#[test]
fn a_page_is_one_file_and_holds_the_whole_run() {
    for (command, sheets, curve) in
        [(DCGAN, &["samples"][..], "D_real"), (CYCLEGAN, &["XtoY", "YtoX"], "cycle_X")]
    {
        let folder = trained(command);
        let page = fs::read_to_string(folder.path().join("run/report.html")).unwrap();
        for outside in ["http://", "https://", "src=", "@import", "url(http"] {
            assert!(!page.contains(outside), "{outside}");
        }
        let run = &data(&page)["runs"][0];
        assert_eq!((run["step"].as_u64(), run["total"].as_u64()), (Some(6), Some(6)));
        assert!(fact(run, "device").contains("CPU reference"));
        assert!(fact(run, "memory").contains("MiB planned"));
        assert!(fact(run, "speed").contains("steps a second"));
        assert!(fact(run, "images").contains("130 images"));
        let setting = |name: &str| {
            run["settings"].as_array().unwrap().iter().find(|pair| pair[0] == name).unwrap()[1].clone()
        };
        assert_eq!(
            (setting("size"), setting("batch"), setting("device")),
            ("16".into(), "4".into(), "cpu".into())
        );
        let shown = run["sheets"].as_array().unwrap();
        assert_eq!(shown.iter().map(|sheet| sheet["name"].as_str().unwrap()).collect::<Vec<_>>(), sheets);
        for sheet in shown {
            let steps: Vec<_> = sheet["frames"]
                .as_array()
                .unwrap()
                .iter()
                .map(|frame| frame["step"].as_u64().unwrap())
                .collect();
            assert_eq!(steps, [0, 2, 4, 6]);
            assert!(sheet["animation"].as_str().unwrap().starts_with("data:image/gif;base64,"));
        }
        let losses = &run["charts"][0];
        assert_eq!(losses["title"], "Losses");
        let series =
            losses["series"].as_array().unwrap().iter().find(|series| series["name"] == curve).unwrap();
        assert!(series["steps"].as_array().unwrap().len() >= 3, "{series}");
    }
}

#[test]
fn report_makes_again_what_is_gone_and_shows_what_came_since() {
    let folder = trained(DCGAN);
    let run = folder.path().join("run");
    let files = ["losses.svg", "progress.gif", "report.html"];
    let before = files.map(|file| fs::read(run.join(file)).unwrap());
    files.iter().for_each(|file| fs::remove_file(run.join(file)).unwrap());
    assert!(done(folder.path(), "report run").contains("run/report.html"));
    assert!(
        files.map(|file| fs::read(run.join(file)).unwrap()) == before,
        "from the same run the same files"
    );

    assert!(run_of(&run.join("report.html"))["evaluation"].is_null());
    done(folder.path(), "evaluate run --count 16 --device cpu");
    done(folder.path(), "report run");
    let evaluation = &run_of(&run.join("report.html"))["evaluation"];
    assert_eq!(evaluation["step"], 6);
    let names: Vec<_> = evaluation["figures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|figure| figure["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"diversity (mean pairwise distance)"), "{names:?}");

    fs::write(run.join("evaluation.json"), "{}").unwrap();
    assert!(refused(folder.path(), "report run").contains("evaluation.json: no figures of an evaluation"));
    assert!(refused(folder.path(), "report elsewhere").contains("elsewhere: no such folder"));
}

/// What went before step 3 when a run went back to it is no part of the run.
#[test]
fn where_a_run_went_on_is_kept() {
    let folder = trained(DCGAN);
    let run = folder.path().join("run");
    let starts = || -> Vec<(u64, String)> {
        let starts: Value = serde_json::from_slice(&fs::read(run.join("starts.json")).unwrap()).unwrap();
        let start =
            |start: &Value| (start["after"].as_u64().unwrap(), start["device"].as_str().unwrap().to_owned());
        starts.as_array().unwrap().iter().map(start).collect()
    };
    assert!(matches!(&starts()[..], [(0, device)] if device.contains("CPU reference")));
    done(folder.path(), "resume run --steps 8");
    done(folder.path(), "resume run --steps 9 --device gpu");
    assert!(
        matches!(&starts()[..], [(0, _), (6, _), (8, device)] if device.contains("GPU")),
        "{:?}",
        starts()
    );
    let page = run_of(&run.join("report.html"));
    assert_eq!(
        page["resumed"]
            .as_array()
            .unwrap()
            .iter()
            .map(|start| start[0].as_u64().unwrap())
            .collect::<Vec<_>>(),
        [6, 8]
    );
    assert!(fact(&page, "device").contains("GPU"));

    for step in ["000008", "000009"] {
        fs::remove_file(run.join(format!("checkpoints/{step}.safetensors"))).unwrap();
    }
    done(folder.path(), "resume run --steps 9");
    assert_eq!(starts().iter().map(|(after, _)| *after).collect::<Vec<_>>(), [0, 6]);

    fs::write(run.join("starts.json"), "{").unwrap();
    assert!(refused(folder.path(), "report run").contains("starts.json: not what a run writes"));
}

#[test]
fn a_long_run_makes_a_small_page() {
    let folder = trained(DCGAN);
    let run = folder.path().join("run");
    // 100,000 steps: a log every 10, and 500 samples as large as those of 64 pixels; noise, so that nothing packs them.
    let (mut metrics, _) = Metrics::open(run.join("metrics.jsonl"), 0).unwrap();
    for step in (10..=100_000_u64).step_by(10) {
        let value = |curve: f64| (step as f64 * curve).sin();
        let peak = if step == 70_000 { 1e6 } else { value(0.3) };
        metrics
            .write(step, &[("D", peak), ("G", value(0.7)), ("D_real", value(1.1)), ("steps_per_second", 9.0)])
            .unwrap();
    }
    let noise = image::RgbImage::from_fn(266, 266, |x, y| {
        image::Rgb([0, 1, 2].map(|channel| (((x * 31 + y * 17 + channel) * 2_654_435_761) >> 13) as u8))
    });
    let image = folder.path().join("noise.png");
    noise.save(&image).unwrap();
    assert!(fs::metadata(&image).unwrap().len() > 100_000);
    for step in (200..=100_000).step_by(200) {
        let link = run.join(format!("samples/{step:06}.png"));
        fs::hard_link(&image, link).unwrap();
    }
    done(folder.path(), "report run");
    let page = run.join("report.html");
    let bytes = fs::metadata(&page).unwrap().len();
    assert!(bytes < 6 << 20, "{bytes} bytes");
    let shown = run_of(&page);
    let frames = shown["sheets"][0]["frames"].as_array().unwrap();
    assert!((10..=40).contains(&frames.len()), "{}", frames.len());
    assert_eq!((&frames[0]["step"], &frames[frames.len() - 1]["step"]), (&0.into(), &100_000.into()));
    let losses = &shown["charts"][0]["series"][0];
    assert_eq!(losses["name"], "D");
    assert_eq!(losses["means"].as_array().unwrap().len(), 1000);
    assert!(losses["highs"].as_array().unwrap().iter().any(|high| high == 1e6), "a peak stays");
}

fn rows(values: &[f64]) -> Vec<Row> {
    let row = |(step, &value)| Row { step, values: [("D".to_owned(), value)].into() };
    (1..).zip(values).map(row).collect()
}

#[test]
fn series_keep_what_was_measured_or_its_range() {
    let few = Series::new(&rows(&[0.1, f64::NAN, 1.0 / 3.0]), "D");
    assert_eq!((few.steps, few.means), (vec![1, 3], vec![0.1, 0.33333]));
    assert!(few.lows.is_empty() && few.highs.is_empty());
    assert_eq!(Series::new(&rows(&[0.1]), "G").steps, Vec::<u64>::new());

    let many: Vec<f64> = (0..2500).map(|index| f64::from(index % 3)).collect();
    let many = Series::new(&rows(&many), "D");
    assert_eq!((many.steps.len(), many.steps[0], *many.steps.last().unwrap()), (834, 3, 2500));
    assert_eq!((many.means[0], many.lows[0], many.highs[0]), (1.0, 0.0, 2.0));
    let largest = Series::new(&rows(&[f64::MAX; 2500]), "D");
    assert!(largest.means.iter().all(|mean| mean.is_finite()));
}

#[test]
fn frames_are_as_they_were_where_they_fit_and_packed_where_not() {
    let folder = tempdir().unwrap();
    let save = |step: u8| {
        let path = folder.path().join(format!("{step}.png"));
        image::RgbImage::from_fn(900, 300, |x, y| image::Rgb([(x * y % 251) as u8, step, (x + y) as u8]))
            .save(&path)
            .unwrap();
        (u64::from(step), path)
    };
    let samples: Vec<_> = (0..6).map(save).collect();
    let steps = |budget| {
        let found = frames(&samples, budget).unwrap();
        let kind = found[0].image.split(';').next().unwrap().to_owned();
        (kind, found.iter().map(|frame| frame.step).collect::<Vec<_>>())
    };
    assert_eq!(steps(100 << 20), ("data:image/png".into(), vec![0, 1, 2, 3, 4, 5]));
    let (kind, all) = steps(1 << 20);
    assert_eq!((kind, all), ("data:image/jpeg".into(), vec![0, 1, 2, 3, 4, 5]));
    assert_eq!(
        steps(1),
        ("data:image/jpeg".into(), vec![0, 5]),
        "the first and the last, whatever they take"
    );
    assert!(frames(&[], 100).unwrap().is_empty());

    fs::write(&samples[3].1, "no image").unwrap();
    let problem = frames(&samples, 1 << 20).unwrap_err().to_string();
    assert!(
        problem.contains("3.png: not a readable sample image") && problem.contains("remove it"),
        "{problem}"
    );
}

#[test]
fn names_cannot_become_part_of_the_page() {
    let name = "</script><script>alert(1)</script> & \"<b>\"";
    let run = Run { name: name.into(), ..Run::default() };
    let page = Page { title: name.into(), introduction: String::new(), runs: vec![run] }.html().unwrap();
    assert!(!page.contains("<script>") && !page.contains("<b>"));
    assert_eq!(page.matches("</script>").count(), 2, "the data's and the script's own");
    assert_eq!(data(&page)["runs"][0]["name"], name);
}

#[test]
fn compare_takes_two_runs_or_more_of_any_kind() {
    let folder = trained(DCGAN);
    done(folder.path(), &format!("{CYCLEGAN} {TINY} --out other"));
    done(folder.path(), "compare run other");
    let page = data(&fs::read_to_string(folder.path().join("compare.html")).unwrap());
    let names: Vec<_> =
        page["runs"].as_array().unwrap().iter().map(|run| run["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["run", "other"]);
    done(folder.path(), "compare run other --out page.html");
    assert!(folder.path().join("page.html").is_file());

    assert!(refused(folder.path(), "compare run").contains("one run alone; name two or more"));
    assert!(refused(folder.path(), "compare run other run/").contains("named twice"));
    assert!(refused(folder.path(), "compare run elsewhere").contains("elsewhere: no such folder"));
    assert!(refused(folder.path(), "compare run run/samples").contains("not a run's folder"));
}

#[test]
fn csv_has_a_row_a_step_and_a_column_a_figure() {
    let row = |step, values: &[(&str, f64)]| Row {
        step,
        values: values.iter().map(|&(name, value)| (name.to_owned(), value)).collect(),
    };
    let rows = [
        row(10, &[("G", 0.75), ("D", 0.25)]),
        row(20, &[("D", f64::NAN)]),
        row(20, &[("diversity", 1.0 / 3.0)]),
        row(30, &[("a, \"b\"", 1e-30)]),
    ];
    let text = String::from_utf8(csv::bytes(&rows).unwrap()).unwrap();
    assert_eq!(
        text,
        "step,D,G,\"a, \"\"b\"\"\",diversity\n10,0.25,0.75,,\n20,NaN,,,0.3333333333333333\n30,,,1e-30,\n"
    );
    assert_eq!(csv::bytes(&[]).unwrap(), b"step\n");
}

#[test]
fn csv_goes_to_the_terminal_or_a_file() {
    let folder = trained(DCGAN);
    let said = done(folder.path(), "export csv run");
    assert!(said.starts_with("step,D,") && said.lines().count() == 7, "{said}");
    assert!(done(folder.path(), "export csv run --out metrics.csv").contains("metrics.csv"));
    assert_eq!(fs::read_to_string(folder.path().join("metrics.csv")).unwrap(), said);
    fs::remove_file(folder.path().join("run/metrics.jsonl")).unwrap();
    assert!(refused(folder.path(), "export csv run").contains("nothing is measured yet"));
    assert!(refused(folder.path(), "export csv elsewhere").contains("no such folder"));
}
