//! Normalisations. Where a workgroup can do a whole group of rows it does, in one dispatch; else the first of two
//! reduces parts of the rows and the second joins the parts and applies them.

use super::call::{Call, Calls, Memory, Split};
use super::expression::Fused;
use super::fuse::{Fusion, MAX_LEAVES};
use super::lanes::{cooperative, lanes};
use super::pointwise::add_parts;
use crate::graph::{Collective, NodeId, Op, Per};
use crate::shape::Shape;

/// Most rows a thread adds up where one workgroup does a whole group.
const WHOLE: usize = 16;
/// Fewest rows a thread adds up before another part is worth it, and most parts of a group.
const LEAST: usize = 16;
const MAX_PARTS: usize = 64;

/// Most numbers a thread adds up where one workgroup does a whole group, each element of which is a sum of parts.
const MOST_SPLIT: usize = 128;

/// A tensor seen as groups of rows of channels (in lanes), and how it is dealt out.
struct Rows {
    groups: usize,
    rows: usize,
    channels: usize,
    vec4: bool,
    lanes: usize,
    threads: usize,
    parts: usize,
    whole: bool,
}

impl Rows {
    fn of(calls: &Calls<'_>, shape: Shape, per: Per) -> Self {
        let [n, h, w, c] = shape.0;
        let (groups, rows) = match per {
            Per::Batch => (1, n * h * w),
            Per::Instance => (n, h * w),
        };
        let (channels, vec4) = lanes(c);
        let target = calls.target;
        let (lanes, threads) = if target.software {
            // Barriers are dear there: every invocation works alone.
            (channels.min(64), 1)
        } else {
            cooperative(channels)
        };
        let workgroups = groups * channels.div_ceil(lanes);
        let wanted = target.invocations.div_ceil(workgroups * lanes * threads);
        let parts = wanted.min(rows / (threads * LEAST)).clamp(1, MAX_PARTS);
        let whole = if target.software { parts == 1 } else { rows <= threads * WHOLE };
        Self { groups, rows, channels, vec4, lanes, threads, parts: if whole { 1 } else { parts }, whole }
    }

    /// As many parts as make up for each element being the sum of `parts` others.
    fn finer(mut self, calls: &Calls<'_>, parts: usize) -> Self {
        let workgroups = self.groups * self.channels.div_ceil(self.lanes) * self.lanes * self.threads;
        let least = (LEAST / parts).max(1);
        let most = self.rows.div_ceil(self.threads * least).min(MAX_PARTS);
        self.parts = calls.target.invocations.div_ceil(workgroups).clamp(self.parts, most.max(self.parts));
        self
    }

    /// Whether one workgroup may do a whole group where each element is the sum of `parts`.
    fn is_whole_of(&self, parts: usize) -> bool {
        self.rows.div_ceil(self.threads) * parts <= MOST_SPLIT
    }

    /// A call of one workgroup for every block of lanes of every part.
    fn reduction(&self, kernel: &'static str) -> Call {
        self.call(kernel)
            .define("LANES", self.lanes)
            .flag("COOPERATIVE", self.threads > 1)
            .workgroups(self.groups * self.parts * self.channels.div_ceil(self.lanes))
    }

    /// A call of one invocation for one lane of some rows, so many that joining the parts is no work beside them.
    fn map(&self, kernel: &'static str, parts: usize) -> Call {
        let blocks = self.rows.div_ceil(parts.min(self.rows));
        self.call(kernel).constant("BLOCKS", blocks).threads(self.groups * blocks * self.channels)
    }

    fn call(&self, kernel: &'static str) -> Call {
        Call::new(kernel)
            .flag("VEC4", self.vec4)
            .define("THREADS", self.threads)
            .constant("GROUPS", self.groups)
            .constant("ROWS", self.rows)
            .constant("C", self.channels)
    }

    fn numbers(&self) -> usize {
        self.groups * 2 * self.channels * if self.vec4 { 4 } else { 1 }
    }
}

impl Calls<'_> {
    /// Has `call` read the parts of a tensor of `shape` that it joins, called `name` (lib/joined.wgsl).
    fn split(&self, call: Call, name: &str, split: &Split, shape: Shape, vec4: bool) -> Call {
        let at = call.reads.len();
        let call = call
            .define("JOINED", name)
            .define("SPLIT_AT", at)
            .constant("SPLIT", split.parts)
            .constant("LEN", shape.len() / if vec4 { 4 } else { 1 })
            .read(split.from);
        self.fuse(call, "JOIN", &split.epilogue, shape, vec4)
    }
}

impl Call {
    /// Has it store in `whole` what it joins.
    fn joined(self, whole: Memory) -> Self {
        let at = self.reads.len() + self.writes.len();
        self.define("JOINED_AT", at).write(whole)
    }
}

/// The first node that reads the value of `id`.
fn first_reader(calls: &Calls<'_>, id: NodeId) -> Option<NodeId> {
    (id..calls.step.nodes.len()).find(|&reader| calls.step.nodes[reader].operands.contains(&id))
}

/// The norm whose kernel also makes these moments: it is the first that needs them.
fn norm_of_moments(calls: &Calls<'_>, id: NodeId) -> Option<NodeId> {
    let Op::Moments(per) = calls.step.nodes[id].op else { return None };
    first_reader(calls, id).filter(|&reader| {
        matches!(calls.step.nodes[reader].op, Op::Normalize { per: of, fixed: false, .. } if of == per)
            && calls.step.nodes[reader].operands[..2] == [calls.operand(id, 0), id]
    })
}

/// The norm's gradient whose kernel also makes these sums: it is the first that needs them.
fn gradient_of_sums(calls: &Calls<'_>, id: NodeId) -> Option<NodeId> {
    first_reader(calls, id).filter(|&reader| {
        let node = &calls.step.nodes[reader];
        matches!(node.op, Op::NormalizeGrad { .. }) && node.operands[3] == id
    })
}

/// Parts where a normalisation follows that joins them, else the whole.
pub fn moments(calls: &mut Calls<'_>, per: Per, id: NodeId) {
    let x = calls.operand(id, 0);
    let mut rows = Rows::of(calls, calls.shape(x), per);
    let followed = norm_of_moments(calls, id).is_some();
    if followed && rows.whole {
        return;
    }
    if !followed {
        rows.parts = 1;
    }
    let split = calls.take_split(x, |_| followed);
    if let Some(split) = &split {
        rows = rows.finer(calls, split.parts);
    }
    let to = if followed { calls.scratch(rows.parts * rows.numbers()) } else { Memory::Node(id) };
    if followed {
        calls.parts.insert(id, (to, rows.parts));
    }
    let call = rows.reduction("norm/moments").constant("PARTS", rows.parts).flag("WHOLE", !followed);
    calls.push(match split {
        Some(split) => {
            let call = calls.split(call, "x", &split, calls.shape(x), rows.vec4).write(to);
            call.joined(Memory::Node(x))
        }
        None => call.read(Memory::Node(x)).write(to),
    });
}

pub fn normalize(calls: &mut Calls<'_>, per: Per, eps: f64, id: NodeId, result: NodeId, epilogue: &Fused) {
    let (x, moments) = (calls.operand(id, 0), calls.operand(id, 1));
    let shape = calls.shape(x);
    let rows = Rows::of(calls, shape, per);
    let affine = calls.step.nodes[id].operands.get(2).map(|&affine| Memory::Node(affine));
    let makes_moments = norm_of_moments(calls, moments) == Some(id);
    let partial = calls.parts.get(&moments).copied().filter(|_| makes_moments);
    let is_whole = makes_moments && rows.whole;
    let small = |split: &Split| {
        is_whole
            && rows.is_whole_of(split.parts)
            && split.epilogue.leaves.len() + epilogue.leaves.len() <= MAX_LEAVES
    };
    let split = calls.take_split(x, small);
    let call = match partial {
        _ if is_whole => {
            let call = rows.reduction("norm/normalize_whole");
            match &split {
                Some(split) => calls.split(call, "x", split, shape, rows.vec4),
                None => call.read(Memory::Node(x)),
            }
        }
        Some((partial, parts)) => rows
            .map("norm/normalize", parts)
            .flag("PARTIAL", true)
            .constant("PARTS", parts)
            .read(Memory::Node(x))
            .read(partial),
        None => rows.map("norm/normalize", 1).read(Memory::Node(x)).read(Memory::Node(moments)),
    };
    let affine_at = call.reads.len();
    let call = call.flag("AFFINE", affine.is_some()).define("AFFINE_AT", affine_at);
    let call = call.number("EPS", eps).read_if(affine);
    let mut call = calls.fuse(call, "EPILOGUE", epilogue, shape, rows.vec4).write(Memory::Node(result));
    if makes_moments {
        call = call.write(Memory::Node(moments));
    }
    calls.push(if split.is_some() { call.joined(Memory::Node(x)) } else { call });
}

pub fn grad_sums(calls: &mut Calls<'_>, fusion: &Fusion, per: Per, eps: f64, id: NodeId) {
    let [x, moments, gy] = [0, 1, 2].map(|index| calls.operand(id, index));
    let shape = calls.shape(x);
    let mut rows = Rows::of(calls, shape, per);
    let followed = gradient_of_sums(calls, id).is_some();
    if followed && rows.whole {
        return;
    }
    let load = fusion.load(gy);
    let split = if fusion.absorbed(gy) { None } else { calls.take_split(gy, |_| true) };
    if let Some(split) = &split {
        rows = rows.finer(calls, split.parts);
    }
    let result = Memory::Node(id);
    let partial = if rows.parts == 1 { result } else { calls.scratch(rows.parts * rows.numbers()) };
    let call = rows
        .reduction("norm/grad_sums")
        .constant("PARTS", rows.parts)
        .number("EPS", eps)
        .read(Memory::Node(x))
        .read(Memory::Node(moments));
    calls.push(match split {
        Some(split) => {
            let call = calls.split(call, "gy", &split, shape, rows.vec4).write(partial);
            call.joined(Memory::Node(gy))
        }
        None => calls.fuse(call, "LOAD", &load, shape, rows.vec4).write(partial),
    });
    if followed {
        calls.parts.insert(id, (partial, rows.parts));
    } else if rows.parts > 1 {
        add_parts(calls, &[partial], rows.parts, result, calls.shape(id), &Fused::value(id));
    }
}

pub fn grad(calls: &mut Calls<'_>, fusion: &Fusion, per: Per, eps: f64, fixed: bool, id: NodeId) {
    let [x, moments, gy, sums] = [0, 1, 2, 3].map(|index| calls.operand(id, index));
    let shape = calls.shape(id);
    let rows = Rows::of(calls, shape, per);
    let affine = calls.step.nodes[id].operands.get(4).map(|&affine| Memory::Node(affine));
    // Whoever else reads the sums needs them whole.
    let keep = gradient_of_sums(calls, sums) == Some(id) && calls.is_read_beside(sums, id);
    // Sums that no kernel made here are one part.
    let given = (!rows.whole).then_some((Memory::Node(sums), 1));
    let partial = calls.parts.get(&sums).copied().or(given);
    let small = |split: &Split| rows.is_whole_of(split.parts) && split.epilogue.leaves.len() <= 1;
    let alone = partial.is_some() || fusion.absorbed(gy);
    let split = if alone { None } else { calls.take_split(gy, small) };
    let (call, keep) = match partial {
        None => (rows.reduction("norm/grad_whole").read(Memory::Node(x)).read(Memory::Node(moments)), keep),
        Some((partial, parts)) => (
            rows.map("norm/grad", parts)
                .constant("PARTS", parts)
                .read(Memory::Node(x))
                .read(Memory::Node(moments))
                .read(partial),
            keep && parts > 1,
        ),
    };
    let call = call
        .flag("AFFINE", affine.is_some())
        .flag("KEEP", keep)
        .number("EPS", eps)
        .number("SHARE", if fixed { 0.0 } else { 1.0 / rows.rows as f64 })
        .read_if(affine);
    let mut call = match &split {
        Some(split) => calls.split(call, "gy", split, shape, rows.vec4),
        None => calls.fuse(call, "LOAD", &fusion.load(gy), shape, rows.vec4),
    };
    call = call.write(Memory::Node(id));
    if keep {
        call = call.write(Memory::Node(sums));
    }
    calls.push(if split.is_some() { call.joined(Memory::Node(gy)) } else { call });
}

/// What ranks exchange. Sums that a norm's gradient reads are whole by then.
pub fn exchange(calls: &mut Calls<'_>, exchange: Collective, id: NodeId) {
    calls.parts.insert(id, (Memory::Node(id), 1));
    let x = calls.operand(id, 0);
    calls.push(Call::exchange(exchange).read(Memory::Node(x)).write(Memory::Node(id)));
}
