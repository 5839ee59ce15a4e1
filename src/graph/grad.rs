//! Reverse-mode differentiation, graph to graph: one rule per operation, in one table.

use super::{Binary, Collective, Node, NodeId, Op, Unary, Var};
use crate::shape::Shape;
use crate::{Error, Result};
use std::collections::HashMap;

/// The gradients of the scalar `loss` to each of `wrt`, as new nodes of the same graph.
///
/// A tensor the loss does not depend on has a gradient of zeros.
///
/// # Errors
/// If `loss` is not a scalar, `wrt` has a tensor of another graph, or an operation between has no rule (the normalisations'
/// backward passes cannot be differentiated again), or a wrong one.
pub fn gradients<'g>(loss: Var<'g>, wrt: &[Var<'g>]) -> Result<Vec<Var<'g>>> {
    if loss.shape() != Shape::SCALAR {
        return Err(Error::Graph {
            op: "gradients",
            problem: format!("the loss must be a scalar, not {}; take its mean or sum", loss.shape()),
        });
    }
    let graph = loss.graph();
    graph.check()?;
    if !wrt.iter().all(|var| graph.owns(*var)) {
        return Err(Error::Graph {
            op: "gradients",
            problem: "the loss and what it is differentiated to are of two graphs; build both in one".into(),
        });
    }
    let depends = depends_on(loss, wrt);
    let mut gradient: HashMap<NodeId, Var<'g>> = HashMap::new();
    gradient.insert(loss.id(), graph.full(Shape::SCALAR, 1.0));
    for id in (0..=loss.id()).rev() {
        let Some(&gy) = gradient.get(&id) else { continue };
        let node = graph.node(id);
        if !node.operands.iter().any(|&operand| depends[operand]) {
            continue;
        }
        let contributions = rule(&node, graph.var(id), gy)?;
        for (&operand, contribution) in node.operands.iter().zip(contributions) {
            let Some(contribution) = contribution else { continue };
            if depends[operand] {
                let sum = match gradient.get(&operand) {
                    Some(&earlier) => earlier.add(contribution)?,
                    None => contribution,
                };
                gradient.insert(operand, sum);
            }
        }
    }
    Ok(wrt
        .iter()
        .map(|var| gradient.get(&var.id()).copied().unwrap_or_else(|| graph.full(var.shape(), 0.0)))
        .collect())
}

/// For every node up to `loss`: is it one of `wrt`, or computed from one, with no constant between?
fn depends_on(loss: Var<'_>, wrt: &[Var<'_>]) -> Vec<bool> {
    let nodes = loss.graph().nodes.borrow();
    let mut depends = vec![false; loss.id() + 1];
    for id in 0..=loss.id() {
        depends[id] = wrt.iter().any(|var| var.id() == id)
            || (!matches!(
                nodes[id].op,
                Op::Detach | Op::GatherRows | Op::Collective(Collective::AllGather { .. })
            ) && nodes[id].operands.iter().any(|&operand| depends[operand]));
    }
    depends
}

/// The table. Of a node, its value `y` and the gradient `gy` of `y`: the gradient to each operand, or none where
/// the operand is a constant to this operation.
fn rule<'g>(node: &Node, y: Var<'g>, gy: Var<'g>) -> Result<Vec<Option<Var<'g>>>> {
    let operand = |index: usize| gy.graph().var(node.operands[index]);
    let shape = |index: usize| operand(index).shape();
    Ok(match node.op {
        Op::Input(_) | Op::State(_) | Op::Full(_) => vec![],
        Op::Custom(ref op) => {
            let operands: Vec<Var<'g>> = (0..node.operands.len()).map(operand).collect();
            op.gradient(&operands, y, gy)?
        }
        Op::Detach | Op::Collective(Collective::AllGather { .. }) => vec![None],
        Op::GatherRows => vec![None, None, None],

        // The three contractions over one index set are each other's gradients.
        Op::Conv2d(g) => {
            let (x, w) = (operand(0), operand(1));
            vec![Some(gy.conv_transpose2d_with(w, g)?), Some(x.conv2d_weight_grad_with(gy, g)?)]
        }
        Op::ConvTranspose2d(g) => {
            let (x, w) = (operand(0), operand(1));
            vec![Some(gy.conv2d_with(w, g)?), Some(gy.conv2d_weight_grad_with(x, g)?)]
        }
        Op::Conv2dWeightGrad(g) => {
            let (x, small) = (operand(0), operand(1));
            vec![Some(small.conv_transpose2d_with(gy, g)?), Some(x.conv2d_with(gy, g)?)]
        }

        Op::Unary(unary) => vec![Some(match unary {
            Unary::Affine { scale, .. } => gy.scale(scale),
            Unary::LeakyRelu { slope } => y.binary(Binary::LeakyReluGrad { slope }, gy)?,
            Unary::Tanh => y.binary(Binary::TanhGrad, gy)?,
            Unary::Sigmoid => y.binary(Binary::SigmoidGrad, gy)?,
            Unary::Softplus => gy.mul(operand(0).sigmoid())?,
            Unary::Square => gy.mul(operand(0).scale(2.0))?,
            Unary::Abs => operand(0).binary(Binary::AbsGrad, gy)?,
            Unary::Rsqrt => gy.mul(y.square().mul(y)?.scale(-0.5))?,
            Unary::Exp => gy.mul(y)?,
            Unary::Log => gy.div(operand(0))?,
        })],
        Op::Binary(binary) => {
            let (a, b) = (operand(0), operand(1));
            let to = |gradient: Var<'g>, index: usize| gradient.sum_to(shape(index)).map(Some);
            match binary {
                Binary::Add => vec![to(gy, 0)?, to(gy, 1)?],
                Binary::Sub => vec![to(gy, 0)?, to(gy.scale(-1.0), 1)?],
                Binary::Mul => vec![to(gy.mul(b)?, 0)?, to(gy.mul(a)?, 1)?],
                Binary::Div => vec![to(gy.div(b)?, 0)?, to(gy.mul(y.div(b)?)?.scale(-1.0), 1)?],
                // Linear in the gradient b; flat in a wherever it is differentiable.
                Binary::LeakyReluGrad { .. } | Binary::AbsGrad => {
                    vec![None, to(a.binary(binary, gy)?, 1)?]
                }
                Binary::TanhGrad => {
                    vec![to(gy.mul(b)?.mul(a)?.scale(-2.0), 0)?, to(a.binary(binary, gy)?, 1)?]
                }
                Binary::SigmoidGrad => {
                    vec![to(gy.mul(b)?.mul(a.affine(-2.0, 1.0))?, 0)?, to(a.binary(binary, gy)?, 1)?]
                }
            }
        }

        Op::Sum => vec![Some(gy.broadcast_to(shape(0))?)],
        Op::Broadcast => vec![Some(gy.sum_to(shape(0))?)],
        Op::Reshape => vec![Some(gy.reshape(shape(0))?)],

        Op::Normalize { per, eps, fixed } => {
            let (x, moments) = (operand(0), operand(1));
            let own = gy.graph().push(
                Op::NormalizeGradSums { per, eps },
                &[x, moments, gy],
                Shape([moments.shape().0[0], 1, 2, x.shape().channels()]),
            )?;
            // Statistics of all ranks depend on the images of all.
            let sums = match gy.graph().node(moments.id()).op {
                Op::Collective(Collective::AllReduceMoments { share }) => {
                    own.exchange(Collective::AllReduceMean { share })
                }
                _ => own,
            };
            let affine = node.operands.get(2).map(|&id| gy.graph().var(id));
            let mut operands = vec![x, moments, gy, sums];
            operands.extend(affine);
            let dx = gy.graph().push(Op::NormalizeGrad { per, eps, fixed }, &operands, x.shape())?;
            let mut out = vec![Some(dx), None];
            if let Some(affine) = affine {
                out.push(Some(own.sum_to(affine.shape())?));
            }
            out
        }
        // A rank's gradient is that of its own loss; what enters the whole one is its share of it. So this is its own transpose.
        Op::Collective(mean @ Collective::AllReduceMean { .. }) => vec![Some(gy.exchange(mean))],
        Op::Moments(_)
        | Op::Collective(Collective::AllReduceMoments { .. })
        | Op::NormalizeGradSums { .. }
        | Op::NormalizeGrad { .. } => {
            return Err(Error::Graph {
                op: node.op.name(),
                problem: "has no gradient rule: a normalisation can be differentiated once; take gradients of gradients through networks without norm".into(),
            });
        }

        // Each of these is linear, and the other one's transpose or its own.
        Op::ReflectionPad(padding) => vec![Some(gy.reflection_pad2d_grad(padding))],
        Op::ReflectionPadGrad(padding) => vec![Some(gy.reflection_pad2d(padding)?)],
        Op::UpsampleNearest(factor) => vec![Some(gy.upsample_nearest2d_grad(factor))],
        Op::UpsampleNearestGrad(factor) => vec![Some(gy.upsample_nearest2d(factor)?)],
        Op::ConcatChannels => {
            let [a, whole] = [shape(0).channels(), y.shape().channels()];
            vec![Some(gy.slice_channels(0..a)?), Some(gy.slice_channels(a..whole)?)]
        }
        Op::SliceChannels { from } => vec![Some(gy.slice_channels_grad(from, shape(0).channels()))],
        Op::SliceChannelsGrad { from } => {
            vec![Some(gy.slice_channels(from..from + shape(0).channels())?)]
        }
        // Where the largest number stands does not change with the numbers.
        Op::MaxPool(g) => vec![None, Some(operand(0).max_pool2d_grad(gy, g)?)],
        Op::MaxPoolGrad(g) => vec![None, Some(operand(0).max_pool2d_of(gy, g)?)],
        Op::Blur => vec![Some(gy.blur())],
        Op::Translate { back } => vec![Some(gy.translate_with(operand(1), !back)?), None],
    })
}
