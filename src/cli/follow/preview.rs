//! The newest samples in the terminal.

use crate::cli::warn;
use crate::report::terminal::{Colours, fitted, half_blocks};
use console::Term;
use image::RgbImage;
use std::path::PathBuf;

/// Lines that are left to the bar and its curves before there are any.
const BELOW: usize = 6;

/// The newest samples, where the ones before were if nothing has moved since.
pub struct Preview {
    terminal: Term,
    colours: Colours,
    /// The terminal's size when samples were shown, and the lines they take, if they are still right above the bar.
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

    /// Shows the sheets of `step`, as large as there is room over `below` lines; nothing where there is none. The cursor stands
    /// right below what was shown before.
    pub fn show(&mut self, step: u64, sheets: &[PathBuf], below: usize) {
        let read = |path: &PathBuf| Some(image::open(path).ok()?.into_rgb8());
        let Some(sheets) = sheets.iter().map(read).collect::<Option<Vec<RgbImage>>>() else { return };
        let size @ (height, width) = self.terminal.size();
        let room = usize::from(height).saturating_sub(below.max(BELOW) + 1);
        let Some(image) = fitted(&sheets, width.into(), room as u32) else { return };
        // Where the terminal has another size, or its upper edge is passed, nobody knows where the samples before are.
        let stands = |(then, lines): &((u16, u16), usize)| *then == size && lines + below <= height.into();
        let before = self.shown.filter(stands).map_or(0, |(_, lines)| lines);
        let mut text = String::new();
        for line in half_blocks(&image, self.colours).iter().chain([&format!("samples of step {step}")]) {
            text += &format!("{line}\x1b[K\n");
        }
        // One write: the terminal never shows half of it.
        let up = if before > 0 { format!("\x1b[{before}A\x1b[J") } else { String::new() };
        let _ = self.terminal.write_str(&(up + &text));
        self.shown = Some((size, text.lines().count()));
    }
}
