//! What `mewgan::report` promises: sheets, metrics, curves and animations, written whole.

use std::fs;
use std::path::{Path, PathBuf};

use mewgan::report::sheet::{grid, pairs};
use mewgan::report::{Events, Images, Layout, Metrics, Row, losses_svg, metrics, progress_gif, tensorboard};
use tempfile::tempdir;

/// Gray images of one value each.
fn flat(values: &[f32], side: usize) -> Vec<f32> {
    values.iter().flat_map(|&value| vec![value; side * side]).collect()
}

fn gray(values: &[f32], side: usize) -> Images<'_> {
    Images { values, size: side.into(), channels: 1 }
}

fn message<T: std::fmt::Debug>(result: mewgan::Result<T>) -> String {
    result.expect_err("wrong input must be an error").to_string()
}

#[test]
fn grid_places_images_row_by_row_between_white_lines() {
    let values = flat(&[-1.0, 0.0, 0.5], 2);
    let sheet = grid(gray(&values, 2), Layout { columns: 2, padding: 1, scale: 1 }).unwrap();
    assert_eq!((sheet.width, sheet.height, sheet.channels), (7, 7, 1));
    #[rustfmt::skip]
    assert_eq!(sheet.bytes, [
        255, 255, 255, 255, 255, 255, 255,
        255,   0,   0, 255, 128, 128, 255,
        255,   0,   0, 255, 128, 128, 255,
        255, 255, 255, 255, 255, 255, 255,
        255, 191, 191, 255, 255, 255, 255,
        255, 191, 191, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255,
    ]);
}

#[test]
fn grid_keeps_channels_together_and_enlarges_whole_pixels() {
    let red_then_blue_over_black = [1.0, -1.0, -1.0, -1.0, -1.0, 1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0];
    let images = Images { values: &red_then_blue_over_black, size: 2.into(), channels: 3 };
    let sheet = grid(images, Layout { columns: 4, padding: 0, scale: 2 }).unwrap();
    assert_eq!((sheet.width, sheet.height), (4, 4));
    let row = [[255, 0, 0], [255, 0, 0], [0, 0, 255], [0, 0, 255]].concat();
    assert_eq!(sheet.bytes, [row.clone(), row, vec![0; 24]].concat());
}

#[test]
fn grid_clamps_values_out_of_range() {
    let values = [-7.0, 7.0, f32::NAN, f32::INFINITY];
    let sheet = grid(gray(&values, 2), Layout { columns: 1, padding: 0, scale: 1 }).unwrap();
    assert_eq!(sheet.bytes, [0, 255, 0, 255]);
}

#[test]
fn pairs_alternate_source_and_translation() {
    let layout = Layout { columns: 4, padding: 0, scale: 1 };
    let sheet = pairs(gray(&[-1.0, -0.5], 1), gray(&[0.0, 0.5], 1), layout).unwrap();
    assert_eq!(sheet.bytes, [0, 128, 64, 191]);
    let problem = message(pairs(gray(&[0.0, 0.0], 1), gray(&[0.0], 1), layout));
    assert!(problem.contains("left and right"), "{problem}");
}

#[test]
fn sheets_refuse_what_is_no_image() {
    let layout = Layout::new(4, 64);
    assert!(
        message(grid(gray(&[0.0; 5], 2), layout))
            .contains("whole images of size 2 with 1 channels, 4 values each")
    );
    assert!(message(grid(gray(&[], 2), layout)).contains("whole images"));
    assert!(message(grid(gray(&[], 0), layout)).contains("sides of 1 or more"));
    assert!(
        message(grid(Images { channels: 2, ..gray(&[0.0; 8], 2) }, layout)).contains("1, 3 or 4 channels")
    );
    assert!(message(grid(gray(&[0.0; 4], 2), Layout { columns: 0, ..layout })).contains("0 columns"));
    assert!(message(grid(gray(&[0.0; 4], 2), Layout { scale: 65, ..layout })).contains("scale 65"));
    assert!(message(grid(gray(&[0.0; 4], usize::MAX), layout)).contains("whole images"));
}

#[test]
fn a_saved_png_is_the_sheet_and_leaves_nothing_else() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("000200.png");
    let values = flat(&[-1.0, 0.0, 1.0, 0.25], 8);
    let sheet = grid(gray(&values, 8), Layout::new(2, 8)).unwrap();
    sheet.save_png(&path).unwrap();
    sheet.save_png(&path).unwrap();
    let read = image::open(&path).unwrap().into_luma8();
    assert_eq!((read.width() as usize, read.height() as usize), (sheet.width, sheet.height));
    assert_eq!(read.into_raw(), sheet.bytes);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);

    let missing = folder.path().join("missing/000200.png");
    assert!(message(sheet.save_png(&missing)).contains("missing"));
}

#[test]
fn metrics_come_back_as_written() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let mut metrics = Metrics::open(&path, u64::MAX).unwrap().0;
    metrics.write(10, &[("D", 0.25), ("G", 1.0 / 3.0)]).unwrap();
    metrics.write(20, &[("D", f64::NAN)]).unwrap();
    drop(metrics);
    Metrics::open(&path, u64::MAX)
        .unwrap()
        .0
        .write(30, &[("D", 1.5973261594772339), ("seconds", 1.23)])
        .unwrap();

    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().next(), Some(r#"{"step":10,"D":0.25,"G":0.3333333333333333}"#));
    let rows = metrics::read(&path).unwrap();
    assert_eq!(rows.iter().map(|row| row.step).collect::<Vec<_>>(), [10, 20, 30]);
    assert_eq!(rows[0].values["G"], 1.0 / 3.0);
    assert!(rows[1].values["D"].is_nan());
    // Read a little wrong by parsers that do not care for the last bit.
    assert_eq!((rows[2].values["D"], rows[2].values["seconds"]), (1.5973261594772339, 1.23));

    let problem = message(Metrics::open(&path, u64::MAX).unwrap().0.write(40, &[("step", 1.0)]));
    assert!(problem.contains("step"), "{problem}");
}

#[test]
fn a_torn_last_line_is_ignored_and_cut_off() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    fs::write(&path, "{\"step\":1,\"D\":0.5}\n{\"step\":2,\"D\":0.").unwrap();
    assert_eq!(metrics::read(&path).unwrap().len(), 1);

    Metrics::open(&path, 2).unwrap().0.write(2, &[("D", 0.75)]).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "{\"step\":1,\"D\":0.5}\n{\"step\":2,\"D\":0.75}\n");
}

#[test]
fn a_bad_line_elsewhere_is_an_error_with_its_number() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    for bad in ["{\"step\":2,", "{\"D\":0.5}", "{\"step\":2,\"D\":\"low\"}", ""] {
        fs::write(&path, format!("{{\"step\":1,\"D\":0.5}}\n{bad}\n{{\"step\":3,\"D\":0.5}}\n")).unwrap();
        let problem = message(metrics::read(&path));
        assert!(problem.contains("metrics.jsonl: line 2 "), "{problem}");
    }
    assert!(message(metrics::read(folder.path().join("none.jsonl"))).contains("none.jsonl"));
}

#[test]
fn opened_after_a_step_later_lines_go() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let (mut metrics, rows) = Metrics::open(&path, 20).unwrap();
    assert!(rows.is_empty());
    for step in [10, 20, 20, 30, 40] {
        metrics.write(step, &[("D", step as f64)]).unwrap();
    }
    drop(metrics);
    let text = fs::read_to_string(&path).unwrap();
    let kept: String = text.split_inclusive('\n').take(3).collect();
    for _ in 0..2 {
        let (_, rows) = Metrics::open(&path, 20).unwrap();
        assert_eq!(rows.iter().map(|row| row.step).collect::<Vec<_>>(), [10, 20, 20]);
        assert_eq!(fs::read_to_string(&path).unwrap(), kept);
    }
}

fn rows(steps: u64, names: &[&str]) -> Vec<Row> {
    let value = |step: u64, curve: usize| 0.5 + 0.1 * curve as f64 + 0.2 * (step as f64 * 1.7).sin();
    let values =
        |step| names.iter().enumerate().map(|(curve, name)| (name.to_string(), value(step, curve))).collect();
    (1..=steps).map(|step| Row { step: 10 * step, values: values(step) }).collect()
}

#[test]
fn every_name_gets_its_curves_and_its_legend() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("losses.svg");
    let names = ["D", "G", "a < b & c"];
    losses_svg(&rows(100, &names), &names, "DCGAN", &path).unwrap();
    let svg = fs::read_to_string(&path).unwrap();
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    // A raw and an averaged curve of 100 points each; the legend's strokes and the axes have two.
    let curves = svg
        .split("<polyline")
        .skip(1)
        .filter(|line| line.split("/>").next().unwrap().matches(',').count() == 100);
    assert_eq!(curves.count(), 2 * names.len());
    for text in ["DCGAN", "step", "loss", "D", "G", "a &lt; b &amp; c"] {
        assert!(svg.lines().any(|line| line == text), "no text {text:?}");
    }
}

#[test]
fn long_and_diverging_runs_still_make_a_small_plot() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("losses.svg");
    let mut rows = rows(50_000, &["D"]);
    rows[40_000].values.insert("D".into(), f64::NAN);
    rows[20_000].values.insert("D".into(), 1e30);
    losses_svg(&rows, &["D"], "long", &path).unwrap();
    let svg = fs::read_to_string(&path).unwrap();
    assert!(svg.len() < 100_000, "{} bytes", svg.len());
    assert!(!svg.contains("NaN") && !svg.contains("inf"));

    losses_svg(&rows[..1], &["D"], "one row", &path).unwrap();
    for extreme in [0.0, 1e-320, -1.0, 3e38, -3e38] {
        rows[0].values.insert("D".into(), extreme);
        losses_svg(&rows[..2], &["D"], "extreme", &path).unwrap();
        rows[1].values.insert("D".into(), extreme);
        losses_svg(&rows[..2], &["D"], "extreme", &path).unwrap();
    }
    rows[1].step = u64::MAX;
    losses_svg(&rows[..2], &["D"], "last step of all", &path).unwrap();

    let problem = message(losses_svg(&rows, &["E"], "", &path));
    assert!(problem.contains("\"E\"") && problem.contains("\"D\""), "{problem}");
    assert!(message(losses_svg(&[], &["D"], "", &path)).contains("0 rows"));
    assert!(message(losses_svg(&rows, &[], "", &path)).contains("no curve"));
}

/// Sample sheets of one gray level each, the level being the index.
fn samples(folder: &Path, count: u8, width: u32, height: u32) -> Vec<PathBuf> {
    let save = |level| {
        let path = folder.join(format!("{level:06}.png"));
        image::GrayImage::from_pixel(width, height, image::Luma([level])).save(&path).unwrap();
        path
    };
    (0..count).map(save).collect()
}

/// Level of the first pixel, delay in hundredths of a second, and size.
type ShownFrame = (u8, u16, (u16, u16));

/// Every frame, and how often they are shown.
fn decode(path: &Path) -> (Vec<ShownFrame>, gif::Repeat) {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(fs::File::open(path).unwrap()).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        frames.push((frame.buffer[0], frame.delay, (frame.width, frame.height)));
    }
    (frames, decoder.repeat())
}

#[test]
fn an_animation_chooses_evenly_holds_the_last_frame_and_loops() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("progress.gif");
    let samples = samples(folder.path(), 101, 20, 10);
    progress_gif(&samples, &path, 5).unwrap();
    let (frames, repeat) = decode(&path);
    assert_eq!(repeat, gif::Repeat::Infinite);
    assert_eq!(frames.iter().map(|frame| frame.0).collect::<Vec<_>>(), [0, 25, 50, 75, 100]);
    assert!(frames.iter().all(|frame| frame.2 == (20, 10)));
    assert!(frames[..4].iter().all(|frame| frame.1 == frames[0].1) && frames[4].1 > 5 * frames[0].1);

    progress_gif(&samples[..3], &path, 60).unwrap();
    assert_eq!(decode(&path).0.len(), 3);
    progress_gif(&samples, &path, 1).unwrap();
    assert_eq!(decode(&path).0.iter().map(|frame| frame.0).collect::<Vec<_>>(), [100]);
}

#[test]
fn wide_frames_are_scaled_down_in_proportion() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("progress.gif");
    progress_gif(&samples(folder.path(), 1, 1024, 300), &path, 10).unwrap();
    assert_eq!(decode(&path).0[0].2, (512, 150));
}

#[test]
fn animations_refuse_what_they_cannot_show() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("progress.gif");
    assert!(message(progress_gif(&[], &path, 10)).contains("0 sample images"));
    let mut frames = samples(folder.path(), 2, 20, 10);
    assert!(message(progress_gif(&frames, &path, 0)).contains("at most 0"));

    let other = folder.path().join("other.png");
    image::GrayImage::new(10, 10).save(&other).unwrap();
    frames.push(other.clone());
    progress_gif(&frames, &path, 10).unwrap();
    assert_eq!(decode(&path).0.len(), 1, "only frames of the newest one's size");
    fs::remove_file(&path).unwrap();

    fs::write(&other, "no image").unwrap();
    let problem = message(progress_gif(&frames, &path, 10));
    assert!(problem.contains("other.png: not a readable sample image"), "{problem}");
    assert!(!path.exists());
}

/// CRC-32C (Castagnoli), bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 })
    })
}

/// The events of a file of TFRecords, whose frames have to be whole.
fn records(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let (mut rest, mut records) = (&bytes[..], Vec::new());
    let masked = |bytes| (crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)).to_le_bytes();
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        assert_eq!(rest[8..12], masked(&rest[..8]));
        assert_eq!(rest[12 + length..][..4], masked(&rest[12..][..length]));
        records.push(rest[12..][..length].to_vec());
        rest = &rest[16 + length..];
    }
    records
}

#[test]
fn events_are_whole_records_in_files_that_follow_each_other() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283, "as the catalogue of checksums has it");
    let folder = tempdir().unwrap();
    let has = |record: &[u8], part: &[u8]| record.windows(part.len()).any(|window| window == part);
    let mut events = Events::create(folder.path(), 0).unwrap();
    events.figures(3, &[("accuracy_real", 0.5)]).unwrap();
    events.figures(4, &[("D", 1.0), ("steps_per_second", 2.0)]).unwrap();
    // In the same second.
    Events::create(folder.path(), 3).unwrap();
    let [first, second] = &tensorboard::files(folder.path()).unwrap()[..] else { panic!("two files") };
    let [version, real, losses] = &records(first)[..] else { panic!("three events") };
    assert!(has(version, b"brain.Event:2"));
    // Field 2, the step; then what a figure is called and, as field 2, its 32-bit float.
    assert!(has(real, &[0x10, 3]) && has(real, &[b"accuracy/real\x15", &0.5_f32.to_le_bytes()[..]].concat()));
    assert!(has(losses, b"loss/D\x15") && has(losses, b"speed/steps_per_second\x15"));
    let [version, start] = &records(second)[..] else { panic!("two events") };
    assert!(has(version, b"brain.Event:2"));
    assert!(has(start, &[0x10, 4]) && start.ends_with(&[0x3a, 2, 0x08, 1]), "a start at step 4: {start:?}");
}

#[test]
fn a_sheet_of_events_is_a_png() {
    let folder = tempdir().unwrap();
    let mut events = Events::create(folder.path(), 0).unwrap();
    let refused = message(events.sheet(1, "samples", b"no image".to_vec()));
    assert!(refused.contains("samples") && refused.contains("PNG"), "{refused}");
    let png = folder.path().join("sheet.png");
    let (values, layout) = (flat(&[0.0], 2), Layout { columns: 1, padding: 0, scale: 1 });
    grid(gray(&values, 2), layout).unwrap().save_png(&png).unwrap();
    events.sheet(1, "samples", fs::read(&png).unwrap()).unwrap();
    let [_, sheet] = &records(&tensorboard::files(folder.path()).unwrap()[0])[..] else {
        panic!("two events")
    };
    // Height, width, channels; then the bytes.
    assert!(sheet.windows(6).any(|part| part == [0x08, 2, 0x10, 2, 0x18, 1]));
    assert!(sheet.ends_with(&fs::read(png).unwrap()));
}
