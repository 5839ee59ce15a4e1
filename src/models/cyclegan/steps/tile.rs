//! Translation of an image tile by tile.

use super::{CycleGan, Domain};
use crate::Result;
use crate::graph::{Graph, Step, Var};
use crate::nn::{NORM_EPS, NormMode};
use crate::shape::Shape;

impl CycleGan {
    /// The steps that translate windows of `size` of a larger image to `to`: a step for each norm that normalises by its image, which
    /// measures what that norm reads, then the step that translates.
    ///
    /// Inputs: `images` `[1, h, w, channels]`; of each norm before, in order, `norm.0`, `norm.1`, .. `[1, 1, 2, channels]`, the
    /// mean and the variance of the whole image. A step that measures also has `own` `[1, h', w', 1]`, 1 where what the norm reads
    /// counts and 0 elsewhere, and `share`, 1 over how many count. Its outputs are `mean` and `variance` of each
    /// channel there; that of the last step is `translation`.
    ///
    /// # Errors
    /// If the network does not fit the size.
    pub fn tile_steps(&self, to: Domain, size: [usize; 2], statistics: NormMode) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        loop {
            let measured = steps.len();
            let graph = Graph::new();
            let tensors = self.translating(&graph);
            let (there, _) = to.generators();
            let images =
                graph.input("images", Shape([1, size[0], size[1], self.channels[to.other() as usize]]));
            let (mut norms, mut outputs) = (0, None);
            let generator = &self.generators[there];
            let translation =
                generator.forward_with(images, &tensors[there], statistics, &mut |x, affine| {
                    let at = norms;
                    norms += 1;
                    if at == measured {
                        outputs = Some(moments(x)?);
                    }
                    // What comes after a norm that is measured is not computed: nothing reads it.
                    let rows = Shape([1, 1, 2, x.shape().channels()]);
                    x.batch_norm_eval(graph.input(&format!("norm.{at}"), rows), affine, NORM_EPS)
                })?;
            match outputs {
                Some(outputs) => steps.push(Step::new("measure", &graph, &outputs, vec![])?),
                None => {
                    steps.push(Step::new("translate", &graph, &[("translation", translation)], vec![])?);
                    return Ok(steps);
                }
            }
        }
    }
}

/// Mean and variance of each channel of `x`, about that mean, where `own` is 1.
fn moments(x: Var<'_>) -> Result<[(&'static str, Var<'_>); 2]> {
    let [_, height, width, channels] = x.shape().0;
    let own = x.graph().input("own", Shape([1, height, width, 1]));
    let share = x.graph().input("share", Shape::SCALAR);
    let row = Shape([1, 1, 1, channels]);
    let mean = x.mul(own)?.sum_to(row)?.mul(share)?;
    let variance = x.sub(mean)?.mul(own)?.square().sum_to(row)?.mul(share)?;
    Ok([("mean", mean), ("variance", variance)])
}
