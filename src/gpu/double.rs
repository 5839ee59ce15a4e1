//! The same kernels in double precision: to check what they compute to more digits than training needs.

use super::program::Program;

/// What the kernels have of exp, log and tanh, and what stands for it in double precision.
const ELEMENTARY: &str = include_str!("../../shaders/lib/elementary.wgsl");
const ELEMENTARY_DOUBLE: &str = include_str!("../../shaders/lib/elementary_double.wgsl");

impl Program {
    /// The same in double precision: `f64` wherever the texts say `f32`, and twice the room for every number.
    pub fn in_double(mut self) -> Self {
        let elementary = ELEMENTARY.replace("f32", "f64");
        // A lane in single precision.
        let aliases = [("lane = real;", "single = f32;"), ("lane = real4;", "single = vec4<f32>;")];
        for shader in &mut self.shaders {
            let mut text = shader.source.replace("f32", "f64").replace(&elementary, ELEMENTARY_DOUBLE);
            for (lane, single) in aliases {
                text = text.replace(&format!("alias {lane}"), &format!("alias {lane} alias {single}"));
            }
            shader.source = text;
        }
        let sizes = self.pool.iter_mut().chain(&mut self.results).chain([&mut self.input_bytes]);
        let inputs = self.inputs.iter_mut().map(|(_, offset, _)| offset);
        let mut bindings = Vec::new();
        for dispatch in &mut self.dispatches {
            dispatch.offsets.iter_mut().flatten().for_each(|offset| *offset *= 2);
            bindings.extend(&mut dispatch.bindings);
        }
        let exchanged =
            self.exchanges.iter_mut().flat_map(|crossing| [&mut crossing.from.0, &mut crossing.to.0]);
        let outputs = self.outputs.iter_mut().map(|(_, region, _)| region);
        let regions = bindings.into_iter().chain(outputs).chain(exchanged);
        let extents = regions.flat_map(|region| [&mut region.offset, &mut region.size]);
        sizes.chain(inputs).chain(extents).for_each(|bytes| *bytes *= 2);
        self
    }
}
