//! Spectral normalisation (Miyato 2018), as PyTorch's `torch.nn.utils.spectral_norm` has it.

use super::{Network, ParameterKind, Tensors};
use crate::Result;
use crate::graph::{Update, Var};
use crate::shape::Shape;

/// Added to squared lengths: a vector of zeros stays one, as under PyTorch's bound of 1e-12 on lengths.
const EPS: f64 = 1e-24;

impl Network {
    /// The tensors that the layers compute with: every spectrally normalised weight `W` divided by its largest singular
    /// value, estimated as `u^T W v`, where `v = normalize(W^T u)` and `u = normalize(W v)` are one step of the power
    /// iteration from the last step's `u`, constants to differentiation. Also the updates that keep `u` and `v`.
    ///
    /// To be called once a step, whatever the number of passes: PyTorch iterates once a call of the module.
    ///
    /// # Errors
    /// Never for this network's tensors.
    ///
    /// # Panics
    /// If `tensors` are not this network's.
    pub fn normalized<'g>(&self, tensors: &Tensors<'g>) -> Result<(Tensors<'g>, Vec<Update>)> {
        let mut normalized = tensors.clone();
        let (mut updates, mut trained, mut kept) = (Vec::new(), 0, 0);
        for parameter in self.all() {
            match parameter.kind {
                ParameterKind::SpectralU => {
                    let [(u, u_slot), (_, v_slot)] = tensors.running[kept..][..2] else { unreachable!() };
                    let (weight, [u, v]) = divided(tensors.parameters[trained - 1], u)?;
                    normalized.parameters[trained - 1] = weight;
                    let store = |(slot, value): (_, Var<'_>)| Update::Store { slot, value: value.id() };
                    updates.extend([(u_slot, u), (v_slot, v)].map(store));
                    kept += 1;
                }
                ParameterKind::SpectralV | ParameterKind::NormRunning => kept += 1,
                _ => trained += 1,
            }
        }
        Ok((normalized, updates))
    }
}

/// The weight `[kh, kw, i, o]` over its largest singular value, and the new `u` `[1, 1, 1, o]` and `v` `[kh, kw, i, 1]`.
fn divided<'g>(weight: Var<'g>, u: Var<'g>) -> Result<(Var<'g>, [Var<'g>; 2])> {
    let Shape([kh, kw, i, _]) = weight.shape();
    let back = weight.mul(u)?.sum_to(Shape([kh, kw, i, 1]))?;
    let v = back.mul(inverse_length(back))?.detach();
    let image = weight.mul(v)?.sum_to(u.shape())?;
    // With the new u in the direction of W v, u^T W v is its length; nor does the gradient know whether u is a constant.
    let inverse = inverse_length(image);
    Ok((weight.mul(inverse)?, [image.mul(inverse)?.detach(), v]))
}

/// 1 over the length of a vector.
fn inverse_length(x: Var<'_>) -> Var<'_> {
    x.square().sum().affine(1.0, EPS).rsqrt()
}
