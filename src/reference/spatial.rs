//! Operations that move pixels: padding, repetition, blur, shifts.

use super::Real;
use crate::shape::Shape;
use rayon::prelude::*;

/// The pixel a padded position mirrors, along one axis of `len` pixels.
fn mirror(position: usize, before: usize, len: usize) -> usize {
    let at = position as isize - before as isize;
    let last = len as isize - 1;
    (if at < 0 {
        -at
    } else if at > last {
        2 * last - at
    } else {
        at
    }) as usize
}

/// Calls `visit(image's numbers, start of a pixel in a, start of the pixel of b it comes from)` for every pixel of an
/// image of shape `a`, images of `out` side by side; starts count from the image's first number.
fn pixels<T: Real>(
    out: &mut [T],
    a: Shape,
    b: Shape,
    from: impl Fn(usize, usize) -> (usize, usize) + Sync,
    visit: impl Fn(usize, &mut [T], usize, usize) + Sync,
) {
    let [n, h, w, c] = a.0;
    out.par_chunks_exact_mut(out.len() / n).enumerate().for_each(|(image, out)| {
        for y in 0..h {
            for x in 0..w {
                let (fy, fx) = from(y, x);
                visit(image, out, (y * w + x) * c, (fy * b.0[2] + fx) * c);
            }
        }
    });
}

fn copy<T: Real>(x: &[T], xs: Shape) -> impl Fn(usize, &mut [T], usize, usize) {
    let (channels, len) = (xs.channels(), xs.len() / xs.0[0]);
    move |image, out, to, from| {
        out[to..to + channels].copy_from_slice(&x[image * len + from..][..channels]);
    }
}

fn add<T: Real>(x: &[T], xs: Shape) -> impl Fn(usize, &mut [T], usize, usize) {
    let (channels, len) = (xs.channels(), xs.len() / xs.0[0]);
    move |image, out, from, to| {
        let x = &x[image * len + from..][..channels];
        out[to..to + channels].iter_mut().zip(x).for_each(|(out, x)| *out += *x);
    }
}

/// See [`crate::graph::Op::ReflectionPad`].
pub fn reflection_pad<T: Real>([top, _, left, _]: [usize; 4], x: &[T], xs: Shape, y: &mut [T], ys: Shape) {
    let [_, h, w, _] = xs.0;
    pixels(y, ys, xs, |y, x| (mirror(y, top, h), mirror(x, left, w)), copy(x, xs));
}

/// See [`crate::graph::Op::ReflectionPadGrad`].
pub fn reflection_pad_grad<T: Real>(
    [top, _, left, _]: [usize; 4],
    gy: &[T],
    gs: Shape,
    dx: &mut [T],
    xs: Shape,
) {
    let [_, h, w, _] = xs.0;
    dx.fill(T::from_f64(0.0));
    pixels(dx, gs, xs, |y, x| (mirror(y, top, h), mirror(x, left, w)), add(gy, gs));
}

/// See [`crate::graph::Op::UpsampleNearest`].
pub fn upsample<T: Real>([fy, fx]: [usize; 2], x: &[T], xs: Shape, y: &mut [T], ys: Shape) {
    pixels(y, ys, xs, |y, x| (y / fy, x / fx), copy(x, xs));
}

/// See [`crate::graph::Op::UpsampleNearestGrad`].
pub fn upsample_grad<T: Real>([fy, fx]: [usize; 2], gy: &[T], gs: Shape, dx: &mut [T], xs: Shape) {
    dx.fill(T::from_f64(0.0));
    pixels(dx, gs, xs, |y, x| (y / fy, x / fx), add(gy, gs));
}

/// See [`crate::graph::Op::Blur`].
pub fn blur<T: Real>(x: &[T], shape: Shape, out: &mut [T]) {
    let [_, h, w, c] = shape.0;
    let near = |at: usize, by: isize, len: usize| at.saturating_add_signed(by).min(len - 1);
    let taps = [(-1, 0.25), (0, 0.5), (1, 0.25)];
    out.fill(T::from_f64(0.0));
    for (dy, down) in taps {
        for (dx, along) in taps {
            let share = T::from_f64(down * along);
            let from = |y, x| (near(y, dy, h), near(x, dx, w));
            pixels(out, shape, shape, from, |image, out, to, from| {
                let x = &x[image * h * w * c + from..][..c];
                out[to..to + c].iter_mut().zip(x).for_each(|(out, x)| *out += share * *x);
            });
        }
    }
}

/// See [`crate::graph::Op::Translate`].
pub fn translate<T: Real>(back: bool, x: &[T], offsets: &[T], out: &mut [T], shape: Shape) {
    let [_, h, w, c] = shape.0;
    // At most out of the image, where NaN goes too.
    let moved = |offset: T, extent: usize| {
        let limit = extent as f64;
        let pixels = if offset.is_nan() { limit } else { offset.as_f64().clamp(-limit, limit) };
        pixels.round_ties_even() as isize * if back { -1 } else { 1 }
    };
    for (image, out) in out.chunks_exact_mut(h * w * c).enumerate() {
        let (dy, dx) = (moved(offsets[image * 2], h), moved(offsets[image * 2 + 1], w));
        for (pixel, out) in out.chunks_exact_mut(c).enumerate() {
            let (fy, fx) = ((pixel / w) as isize - dy, (pixel % w) as isize - dx);
            if (0..h as isize).contains(&fy) && (0..w as isize).contains(&fx) {
                let at = ((image * h + fy as usize) * w + fx as usize) * c;
                out.copy_from_slice(&x[at..at + c]);
            } else {
                out.fill(T::from_f64(0.0));
            }
        }
    }
}

/// See [`crate::graph::Op::GatherRows`].
pub fn gather_rows<T: Real>(a: &[T], b: &[T], rows: &[T], out: &mut [T]) {
    let len = out.len() / rows.len();
    let last = (a.len() + b.len()) / len - 1;
    for (out, row) in out.chunks_exact_mut(len).zip(rows) {
        // NaN and what is negative become 0.
        let at = (row.as_f64() as usize).min(last) * len;
        out.copy_from_slice(if at < a.len() { &a[at..at + len] } else { &b[at - a.len()..][..len] });
    }
}
