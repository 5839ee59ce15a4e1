//! Operations, each of random operands.

use super::buffers::Kind;
use super::numbers::Purpose;
use super::pool::{CHANNELS, Pool};
use crate::custom::{PRODUCT, Product};
use mewgan::Result;
use mewgan::graph::{Per, Unary, Var};
use mewgan::shape::{ConvGeometry, ConvOptions, Shape};

/// Adds one operation, or a few that go together.
pub fn operation<'g>(pool: &mut Pool<'g, '_>) -> Result<()> {
    let (x, size) = pool.pick();
    let y = match pool.below(36) {
        0..=7 => unary(pool, x, size),
        8..=12 => binary(pool, x, size)?,
        13..=15 => shapes(pool, x, size)?,
        16..=20 => contraction(pool, x, size)?,
        21..=25 => norm(pool, x, size)?,
        26..=32 => pixels(pool, x, size)?,
        33 => rows(pool, x)?,
        34 => ranks(pool, x, size),
        _ => {
            let (factor, other) = (pool.among(&[-0.7, 3.0]), pool.of_shape(x.shape()));
            let y = pool.graph.custom(Product { factor, ..PRODUCT }, &[x, other])?;
            pool.push(y, 6.0 * size)
        }
    };
    // So that every rule of gradients is met.
    if pool.chance(0.5) {
        for gradient in pool.gradients(y.square().sum(), &[x])? {
            pool.push(gradient, 1.0);
        }
    }
    Ok(())
}

fn unary<'g>(pool: &mut Pool<'g, '_>, x: Var<'g>, size: f64) -> Var<'g> {
    let function = match pool.below(12) {
        0 => Unary::Affine { scale: pool.among(&[-1.5, 0.3, 1.0]), offset: pool.among(&[0.0, 0.4]) },
        1 => Unary::LeakyRelu { slope: 0.0 },
        2 => Unary::Tanh,
        3 => Unary::Sigmoid,
        _ => pool.among(Unary::ALL),
    };
    match function {
        Unary::Rsqrt | Unary::Log => {
            let positive = match pool.chance(0.5) {
                true => x.square().affine(1.0, 0.5),
                false => pool.state(Kind::Positive, x.shape()),
            };
            pool.push(positive.unary(function), 3.0)
        }
        Unary::Tanh | Unary::Sigmoid => pool.push(x.unary(function), 1.0),
        Unary::Square => pool.push(x.square(), size * size),
        Unary::Exp => pool.push(x.exp(), size.exp()),
        // None grows faster than 1.5 x + 0.7.
        _ => pool.push(x.unary(function), 1.5 * size + 0.7),
    }
}

fn binary<'g>(pool: &mut Pool<'g, '_>, x: Var<'g>, size: f64) -> Result<Var<'g>> {
    let (other, other_size) = pool.partner(x.shape());
    let (a, b) = if pool.chance(0.5) { (x, other) } else { (other, x) };
    Ok(match pool.below(4) {
        0 => pool.push(a.add(b)?, size + other_size),
        1 => pool.push(a.sub(b)?, size + other_size),
        2 => pool.push(a.div(b.square().affine(1.0, 0.5))?, 2.0 * size.max(other_size)),
        _ => pool.push(a.mul(b)?, size * other_size),
    })
}

/// Sums, repetitions, and the same numbers in another shape or as constants.
fn shapes<'g>(pool: &mut Pool<'g, '_>, x: Var<'g>, size: f64) -> Result<Var<'g>> {
    let [n, h, w, c] = x.shape().0;
    let len = x.shape().len();
    Ok(match pool.below(6) {
        0 | 1 => {
            let to = pool.shrunk(x.shape(), 0.5);
            pool.push(x.sum_to(to)?, size * (len as f64 / to.len() as f64).sqrt())
        }
        2 => {
            let to = x.shape().0.map(|extent| if extent == 1 { pool.below(4) + 1 } else { extent });
            pool.push(x.broadcast_to(Shape(to))?, size)
        }
        3 | 4 => {
            let to = [[1, 1, 1, len], [n * h, 1, w, c], [n, w, h, c], [n, 1, h * w, c], [1, n * c, h, w]];
            let to = pool.among(&to);
            pool.push(x.reshape(Shape(to))?, size)
        }
        _ => pool.push(x.detach(), size),
    })
}

fn contraction<'g>(pool: &mut Pool<'g, '_>, x: Var<'g>, size: f64) -> Result<Var<'g>> {
    // Now and then of an image that is continued by mirroring it.
    let x = match pool.chance(0.3) {
        true => {
            let [_, h, w, _] = x.shape().0;
            let [down, across] = [h, w].map(|extent| [0; 2].map(|_| pool.below(extent.min(3))));
            x.reflection_pad2d([down[0], down[1], across[0], across[1]])?
        }
        false => x,
    };
    let y = contraction_of(pool, x, size)?;
    // And one that a norm follows.
    if pool.chance(0.3) { norm(pool, y, 4.0) } else { Ok(y) }
}

fn contraction_of<'g>(pool: &mut Pool<'g, '_>, x: Var<'g>, size: f64) -> Result<Var<'g>> {
    let [n, h, w, c] = x.shape().0;
    let other = pool.among(&CHANNELS);
    let kind = pool.below(3);
    let stride = [pool.below(2) + 1, pool.below(2) + 1];
    // Now and then a kernel as large as the image, which is a matrix product.
    let covers = pool.chance(0.2) && h * w <= 16;
    if kind == 1 {
        let kernel = [0; 2].map(|_| pool.below(4) + 1);
        let padding = kernel.map(|taps| pool.below(taps.div_ceil(2)));
        let output_padding = stride.map(|stride| pool.below(stride));
        let weight = pool.of_shape(Shape([kernel[0], kernel[1], other, c]));
        let y = x.conv_transpose2d(weight, ConvOptions { stride, padding, output_padding })?;
        return Ok(pool.push(y, size * 2.0 * ((kernel[0] * kernel[1] * c) as f64).sqrt()));
    }
    let padding = if covers { [0, 0] } else { [pool.below(2), pool.below(2)] };
    let fitting = [h + 2 * padding[0], w + 2 * padding[1]];
    let kernel = if covers { [h, w] } else { fitting.map(|most| pool.below(most.min(4)) + 1) };
    let options = ConvOptions { stride, padding, output_padding: [0, 0] };
    if kind == 0 {
        let weight = pool.of_shape(Shape([kernel[0], kernel[1], c, other]));
        let y = x.conv2d(weight, options)?;
        return Ok(pool.push(y, size * 2.0 * ((kernel[0] * kernel[1] * c) as f64).sqrt()));
    }
    let geometry = ConvGeometry::conv2d([h, w], kernel, options)?;
    let [small_h, small_w] = geometry.small;
    let gy = pool.of_shape(Shape([n, small_h, small_w, other]));
    let dw = x.conv2d_weight_grad(gy, geometry)?;
    Ok(pool.push(dw, size * 2.0 * ((n * small_h * small_w) as f64).sqrt()))
}

fn norm<'g>(pool: &mut Pool<'g, '_>, x: Var<'g>, size: f64) -> Result<Var<'g>> {
    let rows = Shape([1, 1, 2, x.shape().channels()]);
    let affine = if pool.chance(0.5) { Some(pool.of_shape(rows)) } else { None };
    let eps = pool.among(&[1e-5, 1e-2]);
    let per = pool.among(&[Per::Batch, Per::Instance]);
    if pool.chance(0.15) {
        let channels = x.shape().channels();
        let groups: Vec<usize> = (1..=channels).filter(|groups| channels.is_multiple_of(*groups)).collect();
        let y = x.group_norm(pool.among(&groups), affine, eps)?;
        return Ok(pool.push(y, 4.0));
    }
    let kind = pool.below(6);
    let (y, moments) = match kind {
        0..=2 => x.norm(per, affine, eps)?,
        3 => x.sync_batch_norm(1.0, affine, eps)?,
        4 => {
            let running = match pool.moments.iter().find(|of| of.shape() == rows).copied() {
                Some(moments) if pool.chance(0.5) => moments,
                _ => pool.state(Kind::Running, rows),
            };
            let y = x.batch_norm_eval(running, affine, eps)?;
            return Ok(pool.push(y, 4.0 * size + 1.0));
        }
        _ => (x, x.moments(per)),
    };
    if moments.shape() == rows {
        pool.moments.push(moments);
    }
    // Moments can only be differentiated as constants.
    let constant = if pool.chance(0.7) { moments.detach() } else { moments };
    pool.push(constant, size.max(size * size));
    if kind >= 4 {
        return Ok(y);
    }
    // A norm's kernel makes the moments and may compute what its value goes on to: read beside each other, nothing else live.
    match pool.below(6) {
        0 => {
            let beside = pool.push(constant.scale(2.0), size.max(size * size));
            pool.outputs.push(beside);
            let last = unary(pool, y, 4.0);
            pool.outputs.push(last);
            return Ok(last);
        }
        1 => {
            let gradient = pool.gradients(y.mul(x)?.sum(), &[x])?;
            pool.outputs.extend(gradient);
        }
        _ => {}
    }
    Ok(pool.push(y, 4.0))
}

fn pixels<'g>(pool: &mut Pool<'g, '_>, x: Var<'g>, size: f64) -> Result<Var<'g>> {
    let [n, h, w, c] = x.shape().0;
    let y = match pool.below(9) {
        0 => {
            let [down, across] = [h, w].map(|extent| [0; 2].map(|_| pool.below(extent.min(3))));
            x.reflection_pad2d([down[0], down[1], across[0], across[1]])?
        }
        1 => x.upsample_nearest2d([pool.below(2) + 1, pool.below(3) + 1])?,
        2 => {
            let block = [h, w].map(|extent| if extent.is_multiple_of(2) { 2 } else { extent });
            x.avg_pool2d(block)?
        }
        3 => x.upsample_bilinear2d(),
        4 => x.blur(),
        7 => {
            let kernel = [h, w].map(|most| pool.below(most.min(3)) + 1);
            let stride = [0; 2].map(|_| pool.below(3) + 1);
            let padding = kernel.map(|taps| pool.below(taps / 2 + 1));
            x.max_pool2d(kernel, ConvOptions { stride, padding, output_padding: [0; 2] })?
        }
        5 => {
            let others: Vec<_> = (0..pool.below(3)).map(|_| pool.among(&CHANNELS)).collect();
            let others = others.into_iter().map(|c| pool.of_shape(Shape([n, h, w, c])));
            Var::concat_channels(&[x].into_iter().chain(others).collect::<Vec<_>>())?
        }
        6 => {
            let from = pool.below(c);
            let count = pool.below(c - from) + 1;
            x.slice_channels(from..from + count)?
        }
        _ => x.translate(pool.input(Purpose::Offsets, Shape([n, 1, 1, 2])))?,
    };
    Ok(pool.push(y, size.max(2.0)))
}

fn rows<'g>(pool: &mut Pool<'g, '_>, x: Var<'g>) -> Result<Var<'g>> {
    let [n, h, w, c] = x.shape().0;
    let (count, others) = (pool.below(4) + 1, pool.below(3) + 1);
    let other = pool.of_shape(Shape([others, h, w, c]));
    let rows = pool.input(Purpose::Taken(n + others), Shape([count, 1, 1, 1]));
    let y = x.gather_rows(other, rows)?;
    Ok(pool.push(y, 2.0))
}

/// As one rank of one.
fn ranks<'g>(pool: &mut Pool<'g, '_>, x: Var<'g>, size: f64) -> Var<'g> {
    let y = match pool.chance(0.5) {
        true => x.all_reduce_mean(pool.among(&[0.75, 1.0])),
        false => x.all_gather(x.shape().0[0]),
    };
    pool.push(y, size)
}
