//! One page that shows a run, or several side by side: a single HTML file without outside references.
//!
//! What is known stands in the page as one block of JSON; `page/*.js` makes tables, charts and images of it.

mod images;
mod series;

pub use images::{Frame, animation, frames};
pub use series::Series;

use crate::file;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

const STYLE: &str = include_str!("page.css");
/// In the order in which they need each other; together one script.
const SCRIPTS: [&str; 6] = [
    include_str!("elements.js"),
    include_str!("scale.js"),
    include_str!("chart.js"),
    include_str!("samples.js"),
    include_str!("tables.js"),
    include_str!("page.js"),
];
/// What the browser holds the page to: nothing is fetched, whatever a name in the data says.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// All that a page shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Page {
    /// Its heading.
    pub title: String,
    /// What is compared, in a sentence; may be empty.
    pub introduction: String,
    /// One run, or several that stand side by side.
    pub runs: Vec<Run>,
}

/// A run as a page shows it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Run {
    /// What it is called.
    pub name: String,
    /// Its last step so far.
    pub step: u64,
    /// Steps in all, where that is known.
    pub total: Option<u64>,
    /// What is worth knowing, by name.
    pub facts: Vec<(String, String)>,
    /// Its settings, by name.
    pub settings: Vec<(String, String)>,
    /// Steps after which it was gone on with, and on which device.
    pub resumed: Vec<(u64, String)>,
    /// What was measured, by chart.
    pub charts: Vec<Chart>,
    /// Its samples.
    pub sheets: Vec<Samples>,
    /// Its signs of trouble.
    pub findings: Vec<Diagnostic>,
    /// Figures of one of its checkpoints.
    pub evaluation: Option<Evaluation>,
    /// What can be done with it: in words, and the command.
    pub commands: Vec<(String, String)>,
}

/// Figures that belong together.
#[derive(Clone, Debug, Serialize)]
pub struct Chart {
    /// What they are.
    pub title: &'static str,
    /// Whether they are best seen on a logarithmic scale.
    pub log: bool,
    /// Each over the steps.
    pub series: Vec<Series>,
}

/// A sheet of samples through training.
#[derive(Clone, Debug, Serialize)]
pub struct Samples {
    /// What is on it.
    pub name: String,
    /// Some of its images, in the order of their steps.
    pub frames: Vec<Frame>,
    /// The animation as a data URI, where it is short enough to be in the page.
    pub animation: Option<String>,
}

/// A sign of trouble.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnostic {
    /// What it is.
    pub name: String,
    /// The first step that shows it.
    pub since: u64,
    /// The step at which it was over.
    pub until: Option<u64>,
    /// What shows it.
    pub evidence: String,
    /// What to try.
    pub advice: &'static str,
}

/// What `evaluation.json` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The step of the checkpoint.
    pub step: u64,
    /// Its figures.
    pub figures: Vec<Figure>,
}

/// A figure and what to hold it against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What is measured.
    pub name: String,
    /// The model's; none where it was not finite.
    pub value: Option<f64>,
    /// The yardstick, where there is one.
    #[serde(default)]
    pub yardstick: Option<f64>,
    /// What the yardstick is.
    #[serde(default)]
    pub of: String,
}

impl Page {
    /// Writes the page.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        file::write_atomic(path, self.html()?.as_bytes())
    }

    /// The page as HTML.
    ///
    /// # Errors
    /// If a number cannot be formatted.
    pub fn html(&self) -> Result<String> {
        let data =
            serde_json::to_string(self).map_err(|error| Error::Input(format!("the page's data: {error}")))?;
        // Nothing in a name can end the block of data.
        let data = data.replace('<', "\\u003c");
        let (title, scripts, version) = (escaped(&self.title), SCRIPTS.concat(), env!("CARGO_PKG_VERSION"));
        Ok(format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <link rel=\"icon\" href=\"data:,\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <header><h1>{title}</h1></header>\n<main></main>\n<footer>mewgan {version}</footer>\n\
             <noscript><p>This page draws its charts and tables by a script of its own; allow it to run.</p></noscript>\n\
             <svg id=\"svg\"></svg>\n\
             <script type=\"application/json\" id=\"data\">{data}</script>\n\
             <script type=\"module\">\n{scripts}</script>\n</body>\n</html>\n"
        ))
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
