//! Figures as text, in columns.

/// A column: its heading, and whether it stands to the right.
pub(crate) type Column = (&'static str, bool);

/// Rows of cells under the headings of their columns.
pub(crate) fn aligned(columns: &[Column], cells: &[Vec<String>]) -> String {
    let width = |at: usize| {
        let heading = columns[at].0.chars().count();
        cells.iter().map(|row| row[at].chars().count()).chain([heading]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: &[&str]| {
        let padded = cells.iter().zip(columns).zip(&widths).map(|((cell, (_, right)), &width)| {
            if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let headings: Vec<&str> = columns.iter().map(|(heading, _)| *heading).collect();
    let rows = cells.iter().map(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
    [line(&headings)].into_iter().chain(rows).collect()
}

/// Three figures of a number.
pub(crate) fn number(value: f64) -> String {
    let digits = (2 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 3);
    format!("{value:.*}", digits as usize)
}

/// A time in a unit that suits it.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{} s", number(s)),
        s if s >= 1e-3 => format!("{} ms", number(s * 1e3)),
        s => format!("{} us", number(s * 1e6)),
    }
}

#[cfg(test)]
mod tests {
    use super::{number, time};

    #[test]
    fn numbers_have_three_figures() {
        let texts = [0.01234, 1.234, 12.34, 123.4, 1234.0].map(number);
        assert_eq!(texts, ["0.012", "1.23", "12.3", "123", "1234"]);
        assert_eq!([2.5, 0.0025, 0.000_002_5].map(time), ["2.50 s", "2.50 ms", "2.50 us"]);
        assert_eq!(time(0.0), "0.000 us");
    }
}
