//! Normalisations.

use super::call::{Call, Calls, Memory};
use super::fuse::Epilogue;
use super::pointwise::{lanes, parts, sum_parts};
use crate::graph::{NodeId, Per};
use crate::shape::Shape;

/// A tensor seen as groups of rows of channels (in lanes).
struct Rows {
    groups: usize,
    rows: usize,
    channels: usize,
    vec4: bool,
    parts: usize,
}

impl Rows {
    fn of(shape: Shape, per: Per, invocations: usize) -> Self {
        let [n, h, w, c] = shape.0;
        let (groups, rows) = match per {
            Per::Batch => (1, n * h * w),
            Per::Instance => (n, h * w),
        };
        let (channels, vec4) = lanes(c);
        Self { groups, rows, channels, vec4, parts: parts(rows, groups * channels, invocations) }
    }

    fn call(&self, kernel: &'static str) -> Call {
        Call::new(kernel).flag("VEC4", self.vec4).constant("ROWS", self.rows).constant("C", self.channels)
    }

    fn reduction(&self, kernel: &'static str) -> Call {
        self.call(kernel)
            .constant("GROUPS", self.groups)
            .constant("PARTS", self.parts)
            .threads(self.groups * self.parts * self.channels)
    }

    fn numbers(&self) -> usize {
        self.groups * 2 * self.channels * if self.vec4 { 4 } else { 1 }
    }

    fn count(&self) -> usize {
        self.groups * self.rows * self.channels
    }
}

pub fn moments(calls: &mut Calls<'_>, per: Per, id: NodeId) {
    let x = calls.operand(id, 0);
    let rows = Rows::of(calls.shape(x), per, calls.target.invocations);
    let partial = calls.scratch(rows.parts * rows.numbers());
    calls.push(rows.reduction("norm/moments").read(Memory::Node(x)).write(partial));
    calls.push(
        rows.reduction("norm/combine")
            .read(partial)
            .write(Memory::Node(id))
            .threads(rows.groups * rows.channels),
    );
}

pub fn normalize(calls: &mut Calls<'_>, per: Per, eps: f64, id: NodeId, epilogue: &Epilogue) {
    let x = calls.operand(id, 0);
    let rows = Rows::of(calls.shape(x), per, calls.target.invocations);
    let affine = calls.step.nodes[id].operands.get(2).map(|&affine| Memory::Node(affine));
    let call = rows
        .call("norm/normalize")
        .flag("AFFINE", affine.is_some())
        .constant("COUNT", rows.count())
        .number("EPS", eps)
        .read(Memory::Node(x))
        .read(Memory::Node(calls.operand(id, 1)))
        .read_if(affine)
        .write(Memory::Node(epilogue.result))
        .threads(rows.count());
    calls.push(epilogue.activate(call));
}

pub fn grad_sums(calls: &mut Calls<'_>, per: Per, eps: f64, id: NodeId) {
    let [x, moments, gy] = [0, 1, 2].map(|index| calls.operand(id, index));
    let rows = Rows::of(calls.shape(x), per, calls.target.invocations);
    let result = Memory::Node(id);
    let partial = if rows.parts == 1 { result } else { calls.scratch(rows.parts * rows.numbers()) };
    calls.push(
        rows.reduction("norm/grad_sums")
            .number("EPS", eps)
            .read(Memory::Node(x))
            .read(Memory::Node(moments))
            .read(Memory::Node(gy))
            .write(partial),
    );
    if rows.parts > 1 {
        sum_parts(calls, partial, rows.parts, result, rows.numbers());
    }
}

pub fn grad(calls: &mut Calls<'_>, per: Per, eps: f64, fixed: bool, id: NodeId) {
    let [x, moments, gy, sums] = [0, 1, 2, 3].map(|index| Memory::Node(calls.operand(id, index)));
    let rows = Rows::of(calls.shape(id), per, calls.target.invocations);
    let affine = calls.step.nodes[id].operands.get(4).map(|&affine| Memory::Node(affine));
    calls.push(
        rows.call("norm/grad")
            .flag("AFFINE", affine.is_some())
            .constant("COUNT", rows.count())
            .number("EPS", eps)
            .number("SHARE", if fixed { 0.0 } else { 1.0 / rows.rows as f64 })
            .read(x)
            .read(moments)
            .read(gy)
            .read(sums)
            .read_if(affine)
            .write(Memory::Node(id))
            .threads(rows.count()),
    );
}
