//! Operations that move whole pixels: padding, repetition, shifts.

use super::Real;
use crate::shape::Shape;

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

/// Calls `visit(start of a pixel in a, start of the pixel of b it comes from)` for every pixel of shape `a`.
fn pixels(
    a: Shape,
    b: Shape,
    from: impl Fn(usize, usize) -> (usize, usize),
    mut visit: impl FnMut(usize, usize),
) {
    let [n, h, w, c] = a.0;
    for picture in 0..n {
        for y in 0..h {
            for x in 0..w {
                let (fy, fx) = from(y, x);
                visit(((picture * h + y) * w + x) * c, ((picture * b.0[1] + fy) * b.0[2] + fx) * c);
            }
        }
    }
}

fn copy<T: Real>(out: &mut [T], x: &[T], channels: usize) -> impl FnMut(usize, usize) {
    move |to, from| out[to..to + channels].copy_from_slice(&x[from..from + channels])
}

fn add<T: Real>(out: &mut [T], x: &[T], channels: usize) -> impl FnMut(usize, usize) {
    move |from, to| {
        for c in 0..channels {
            out[to + c] += x[from + c];
        }
    }
}

/// See [`crate::graph::Op::ReflectionPad`].
pub fn reflection_pad<T: Real>([top, _, left, _]: [usize; 4], x: &[T], xs: Shape, y: &mut [T], ys: Shape) {
    let [_, h, w, c] = xs.0;
    pixels(ys, xs, |y, x| (mirror(y, top, h), mirror(x, left, w)), copy(y, x, c));
}

/// See [`crate::graph::Op::ReflectionPadGrad`].
pub fn reflection_pad_grad<T: Real>(
    [top, _, left, _]: [usize; 4],
    gy: &[T],
    gs: Shape,
    dx: &mut [T],
    xs: Shape,
) {
    let [_, h, w, c] = xs.0;
    dx.fill(T::of(0.0));
    pixels(gs, xs, |y, x| (mirror(y, top, h), mirror(x, left, w)), add(dx, gy, c));
}

/// See [`crate::graph::Op::UpsampleNearest`].
pub fn upsample<T: Real>([fy, fx]: [usize; 2], x: &[T], xs: Shape, y: &mut [T], ys: Shape) {
    pixels(ys, xs, |y, x| (y / fy, x / fx), copy(y, x, xs.channels()));
}

/// See [`crate::graph::Op::UpsampleNearestGrad`].
pub fn upsample_grad<T: Real>([fy, fx]: [usize; 2], gy: &[T], gs: Shape, dx: &mut [T], xs: Shape) {
    dx.fill(T::of(0.0));
    pixels(gs, xs, |y, x| (y / fy, x / fx), add(dx, gy, xs.channels()));
}

/// See [`crate::graph::Op::Shift`].
pub fn shift<T: Real>(back: bool, x: &[T], offsets: &[T], out: &mut [T], shape: Shape) {
    let [_, h, w, c] = shape.0;
    let sign = if back { -1.0 } else { 1.0 };
    for (picture, out) in out.chunks_exact_mut(h * w * c).enumerate() {
        let offset = |axis: usize| (sign * offsets[picture * 2 + axis].wide()).round() as isize;
        let (dy, dx) = (offset(0), offset(1));
        for (pixel, out) in out.chunks_exact_mut(c).enumerate() {
            let (fy, fx) = ((pixel / w) as isize - dy, (pixel % w) as isize - dx);
            if (0..h as isize).contains(&fy) && (0..w as isize).contains(&fx) {
                let at = ((picture * h + fy as usize) * w + fx as usize) * c;
                out.copy_from_slice(&x[at..at + c]);
            } else {
                out.fill(T::of(0.0));
            }
        }
    }
}

/// See [`crate::graph::Op::SelectRows`].
pub fn select_rows<T: Real>(a: &[T], b: &[T], rows: &[T], out: &mut [T]) {
    let len = out.len() / rows.len();
    for (out, row) in out.chunks_exact_mut(len).zip(rows) {
        let at = row.wide() as usize * len;
        out.copy_from_slice(if at < a.len() { &a[at..at + len] } else { &b[at - a.len()..][..len] });
    }
}
