//! Names: what a misspelt one was meant to be, and those in the words of other libraries.

use strsim::osa_distance;

/// Longer names are compared with no other.
pub const LONGEST: usize = 40;

/// The names of `known` that `name` was most likely meant to be.
pub fn near(name: &str, known: &[&str]) -> Option<String> {
    let name = name.to_lowercase().replace('-', "_");
    if name.len() > LONGEST {
        return None;
    }
    // A part of a name, such as `width` of `g_width`, is one more step away.
    let away = |known: &&str| {
        let parts = known.split('_').map(|part| osa_distance(&name, part) + 1);
        parts.chain([osa_distance(&name, known)]).min()
    };
    let nearest = known.iter().filter_map(away).min().filter(|nearest| *nearest <= 1 + name.len() / 4)?;
    let names: Vec<&str> = known.iter().filter(|known| away(known) == Some(nearest)).copied().collect();
    Some(names.join(" or "))
}

/// What another library says, with quotes for its backticks: in this one's errors those are for settings.
pub fn quoted(words: impl ToString) -> String {
    words.to_string().replace('`', "\"")
}
