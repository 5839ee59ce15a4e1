//! The same kernels in double precision: to check what they compute to more digits than training needs.

use super::program::Program;

impl Program {
    /// The same in double precision: `f64` wherever the texts say `f32`, and twice the room for every number.
    pub fn in_double(mut self) -> Self {
        for shader in &mut self.shaders {
            shader.source = shader.source.replace("f32", "f64");
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
