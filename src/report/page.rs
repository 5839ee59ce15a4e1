//! One page that shows runs side by side, as a single HTML file without outside references.

use crate::file;
use crate::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A run as a column of the page.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// What it is.
    pub title: String,
    /// What is worth knowing, by name.
    pub facts: Vec<(String, String)>,
    /// Pictures (PNG or GIF) and plots (SVG), each with a caption.
    pub pictures: Vec<(String, PathBuf)>,
}

/// The longest picture, in bytes.
const LONGEST: u64 = 1 << 28;

const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 2rem; }
h1, h2 { font-weight: 600; line-height: 1.2; }
figure { margin: 0 0 1.5rem; }
img { max-width: 100%; height: auto; background: white; }
img.small { width: 100%; image-rendering: pixelated; }
figcaption, td:first-child { color: GrayText; }
td { padding: 0 1rem 0 0; vertical-align: top; }
td:last-child { font-variant-numeric: tabular-nums; }
";

/// Writes the page.
///
/// # Errors
/// If a picture cannot be read or the page not be written.
pub fn side_by_side(
    title: &str,
    introduction: &str,
    columns: &[Column],
    path: impl AsRef<Path>,
) -> Result<()> {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{0}</title>\n<style>{STYLE}</style>\n<h1>{0}</h1>\n<p>{1}</p>\n<main>\n",
        escaped(title),
        escaped(introduction)
    );
    for column in columns {
        let mut add = |text: std::fmt::Arguments<'_>| {
            html.write_fmt(text).map_err(|_| Error::Input("the page cannot be formatted".into()))
        };
        add(format_args!("<section>\n<h2>{}</h2>\n<table>\n", escaped(&column.title)))?;
        for (name, value) in &column.facts {
            add(format_args!("<tr><td>{}</td><td>{}</td></tr>\n", escaped(name), escaped(value)))?;
        }
        add(format_args!("</table>\n"))?;
        for (caption, picture) in &column.pictures {
            let bytes = file::bytes(picture, LONGEST)?;
            let (kind, class) = match picture.extension().and_then(|extension| extension.to_str()) {
                Some("svg") => ("svg+xml", "plot"),
                Some("gif") => ("gif", "small"),
                _ => ("png", "small"),
            };
            let (caption, data) = (escaped(caption), STANDARD.encode(bytes));
            add(format_args!(
                "<figure><img class=\"{class}\" alt=\"{caption}\" src=\"data:image/{kind};base64,{data}\">\
                 <figcaption>{caption}</figcaption></figure>\n"
            ))?;
        }
        add(format_args!("</section>\n"))?;
    }
    html.push_str("</main>\n</html>\n");
    file::replace(path.as_ref(), html.as_bytes())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
