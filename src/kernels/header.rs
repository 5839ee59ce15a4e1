//! What a kernel says of itself, at the top of its file: the one place where it stands.
//!
//! A title; then fields, `Label: text`, whose further lines are indented; then, behind an empty line, notes.

use serde::Serialize;

/// The header of a kernel's file. A field that is not there is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Header {
    /// What it is, in a sentence or two.
    pub title: String,
    /// What it computes, in the names of its bindings.
    pub equation: String,
    /// The functions under `src/` that say what it means: `reference/norm.rs` and so on.
    pub reference: String,
    /// How each of its bindings lies in memory.
    pub layout: String,
    /// What one invocation computes.
    pub one_invocation: String,
    /// What one workgroup computes, where its invocations work together.
    pub one_workgroup: String,
    /// The definitions that give its text its form.
    pub text: String,
    /// The numbers that are filled in.
    pub constants: String,
    /// What else is worth knowing.
    pub notes: String,
}

/// The labels of the fields between the title and the notes.
const LABELS: [&str; 7] =
    ["Equation", "Reference", "Layout", "One invocation", "One workgroup", "Text", "Constants"];

impl Header {
    /// Reads it from the source of a kernel: the comment that its file opens with.
    pub fn of(source: &str) -> Self {
        let mut fields: [String; LABELS.len() + 2] = Default::default();
        let mut field = 0;
        for line in source.lines().map_while(|line| line.strip_prefix("//")) {
            let mut text = line.trim();
            if text.is_empty() {
                field = fields.len() - 1;
            } else if let Some((label, rest)) = text.split_once(':')
                && let Some(label) = LABELS.iter().position(|known| *known == label)
            {
                (field, text) = (label + 1, rest.trim());
            }
            if !(fields[field].is_empty() || text.is_empty()) {
                fields[field].push(' ');
            }
            fields[field].push_str(text);
        }
        let [title, equation, reference, layout, one_invocation, one_workgroup, text, constants, notes] =
            fields;
        Self { title, equation, reference, layout, one_invocation, one_workgroup, text, constants, notes }
    }
}

#[cfg(test)]
mod tests {
    use super::Header;

    #[test]
    fn fields_end_where_the_next_begins() {
        let text = "// A kernel.\n// Equation: y = x,\n//     for all i\n// Layout: x: [n].\n//\n// Note: one.\n// Two.\n#import x\n";
        let header = Header::of(text);
        assert_eq!(header.title, "A kernel.");
        assert_eq!(header.equation, "y = x, for all i");
        assert_eq!(header.layout, "x: [n].");
        assert_eq!(header.notes, "Note: one. Two.");
        assert_eq!(header.reference, "");
    }
}
