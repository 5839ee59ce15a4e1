//! The newest samples in the terminal.

use crate::cli::warn;
use crate::report::terminal::{Colours, fitted, half_blocks};
use console::Term;
use image::RgbImage;
use std::path::PathBuf;

/// Lines that the bar and its curves need.
const BELOW: u32 = 6;

/// The newest samples, where the ones before were if nothing has moved since.
pub struct Preview {
    terminal: Term,
    colours: Colours,
    /// The size of the terminal when samples were shown, and the lines they take, if they are still right above the bar.
    shown: Option<((u16, u16), usize)>,
}

impl Preview {
    /// A preview on stderr; a warning where it has no colours.
    pub fn new() -> Option<Self> {
        let terminal = Term::stderr();
        let features = terminal.features();
        if !features.colors_supported() {
            warn("no preview: NO_COLOR is set, or the terminal has no colours");
            return None;
        }
        let colours = if features.true_colors_supported() { Colours::Full } else { Colours::Indexed };
        Some(Self { terminal, colours, shown: None })
    }

    /// Something else stands below it now: the next one does not replace it.
    pub fn leave(&mut self) {
        self.shown = None;
    }

    /// Shows the sheets of `step`, as large as there is room; nothing where there is none. The cursor is below the samples before.
    pub fn show(&mut self, step: u64, sheets: &[PathBuf]) {
        let read = |path: &PathBuf| Some(image::open(path).ok()?.into_rgb8());
        let Some(sheets) = sheets.iter().map(read).collect::<Option<Vec<RgbImage>>>() else { return };
        let size @ (height, width) = self.terminal.size();
        let room = u32::from(height).saturating_sub(BELOW + 1);
        let Some(picture) = fitted(&sheets, width.into(), room) else { return };
        let before = self.shown.filter(|(then, _)| *then == size).map_or(0, |(_, lines)| lines);
        let mut text = String::new();
        for line in half_blocks(&picture, self.colours).iter().chain([&format!("samples of step {step}")]) {
            text += &format!("{line}\x1b[K\n");
        }
        // One write: the terminal never shows half of it.
        let up = if before > 0 { format!("\x1b[{before}A\x1b[J") } else { String::new() };
        let _ = self.terminal.write_str(&(up + &text));
        self.shown = Some((size, text.lines().count()));
    }
}
