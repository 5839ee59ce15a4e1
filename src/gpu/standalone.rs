//! A pipeline as one WGSL text that needs nothing from outside.

use super::program::Program;

impl Program {
    /// The text of a pipeline with its constants filled in: what a driver is given, as far as it can be read.
    pub fn standalone(&self, pipeline: usize) -> String {
        let pipeline = &self.pipelines[pipeline];
        let filled = |line: &str| {
            let (name, kind) = line.strip_prefix("override ")?.strip_suffix(';')?.split_once(": ")?;
            let (_, value) = pipeline.constants.iter().find(|(constant, _)| constant == name)?;
            let value = match kind {
                "f32" => format!("{:?}f", *value as f32),
                _ => format!("{value}u"),
            };
            Some(format!("const {name}: {kind} = {value};"))
        };
        let lines = self.shaders[pipeline.shader].source.lines();
        lines.map(|line| filled(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
    }
}
