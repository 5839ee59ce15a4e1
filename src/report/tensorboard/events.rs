//! Event files, written.

use super::event::{Event, Image, SessionLog, Status, Summary, Value, Values, What};
use super::{NAME, files, seconds};
use crate::file::Journal;
use crate::{Error, Result};
use image::ImageDecoder;
use image::codecs::png::PngDecoder;
use std::io::Cursor;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The version of the format in which a start makes TensorBoard forget later steps.
const VERSION: &str = "brain.Event:2";

/// An open event file that grows by a record at a time, each in one write.
#[derive(Debug)]
pub struct Events {
    journal: Journal,
}

impl Events {
    /// A new event file in `folder`, for a run that goes on after `step`. TensorBoard forgets what earlier files of the folder
    /// say of later steps; of all steps where the run begins.
    ///
    /// # Errors
    /// If the folder cannot be read or the file not be written.
    pub fn create(folder: &Path, step: u64) -> Result<Self> {
        let earlier = files(folder)?;
        // TensorBoard reads files in the order of their names and does not come back to one.
        let after = earlier.last().and_then(|path| seconds(path)).map_or(0, |newest| newest + 1);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut journal = Journal::open(folder.join(format!("{NAME}{:010}.mewgan", now.max(after))))?;
        let mut head = record(0, What::FileVersion(VERSION.into()));
        if !earlier.is_empty() {
            let start = What::SessionLog(SessionLog { status: Status::Start.into() });
            head.extend(record(if step == 0 { 0 } else { step + 1 }, start));
        }
        journal.append(&head)?;
        Ok(Self { journal })
    }

    /// Appends figures of `step` by their names in `metrics.jsonl`, each under its [`tag`].
    ///
    /// # Errors
    /// If they cannot be written; they wait then for the next record.
    pub fn figures(&mut self, step: u64, figures: &[(&str, f64)]) -> Result<()> {
        let value = |&(name, figure): &(&str, f64)| (tag(name), Value::Number(figure as f32));
        self.journal.append(&summary(step, figures.iter().map(value)))
    }

    /// Appends a sheet of `step`, as the bytes of its PNG. While figures wait that could not be written it is left out: images
    /// would fill the memory.
    ///
    /// # Errors
    /// If it is no PNG, or cannot be written; it waits then for the next record.
    pub fn sheet(&mut self, step: u64, tag: &str, png: Vec<u8>) -> Result<()> {
        if self.is_behind() {
            return Ok(());
        }
        let problem = |error| Error::Input(format!("TensorBoard, {tag}: not a PNG ({error})"));
        let decoder = PngDecoder::new(Cursor::new(&png)).map_err(problem)?;
        let ((width, height), colour) = (decoder.dimensions(), decoder.color_type());
        let colorspace = i32::from(colour.channel_count());
        let image = Image { height: height as i32, width: width as i32, colorspace, png };
        self.journal.append(&summary(step, [(tag.to_owned(), Value::Image(image))]))
    }

    /// Whether records wait that could not be written.
    pub fn is_behind(&self) -> bool {
        self.journal.is_behind()
    }

    /// Has all records written to the disk.
    ///
    /// # Errors
    /// If the system cannot.
    pub fn sync(&self) -> Result<()> {
        self.journal.sync()
    }
}

/// A figure's tag, whose first part groups the charts: `loss/D`, `accuracy/real`, `gradient/generator`, `quality/diversity`,
/// `speed/steps_per_second`.
pub fn tag(figure: &str) -> String {
    for group in ["accuracy", "gradient"] {
        if let Some(of) = figure.strip_prefix(group).and_then(|rest| rest.strip_prefix('_')) {
            return format!("{group}/{of}");
        }
    }
    let group = match figure {
        "seconds" | "steps_per_second" => "speed",
        _ if figure.starts_with("diversity") || figure.starts_with("nearest") => "quality",
        _ => "loss",
    };
    format!("{group}/{figure}")
}

/// The record of values of a step by tag.
fn summary(step: u64, values: impl IntoIterator<Item = (String, Value)>) -> Vec<u8> {
    let values = values.into_iter().map(|(tag, value)| Values { tag, value: Some(value) });
    record(step, What::Summary(Summary { values: values.collect() }))
}

/// An event in a TFRecord frame: its length, a checksum of that, the event, a checksum of that.
fn record(step: u64, what: What) -> Vec<u8> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let event = Event { wall_time: since.as_secs_f64(), step: step as i64, what: Some(what) };
    let event = prost::Message::encode_to_vec(&event);
    let length = (event.len() as u64).to_le_bytes();
    [&length[..], &checksum(&length), &event, &checksum(&event)].concat()
}

/// The masked CRC-32C of a TFRecord.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    static CASTAGNOLI: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);
    CASTAGNOLI.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}
