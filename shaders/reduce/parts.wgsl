// The sum of TERMS x PARTS tensors, always added in the same order.
// Equation: y = sum over k,part of xk[part], and what is fused behind
// Reference: reference/reduce.rs `sum`.
// Layout: x0, x1, .. one for each of TERMS, [PARTS, COUNT], y [COUNT], in lanes.
// One invocation: one lane of y.
// One workgroup: where COOPERATIVE, for many parts of few lanes, LANES lanes of y (lib/cooperative.wgsl).
// Text: VEC4, TERMS, COOPERATIVE, LANES, THREADS, EPILOGUE.
// Constants: PARTS COUNT.
#import lib/lane
#import lib/epilogue
#if COOPERATIVE
#import lib/cooperative
#else
#import lib/grid
#end

override PARTS: u32;
override COUNT: u32;

#for k in TERMS
@group(0) @binding(${k}) var<storage, read> x${k}: array<lane>;
#end
@group(0) @binding(${RESULT}) var<storage, read_write> y: array<lane>;

// Every step-th part of lane i.
fn sum_from(i: u32, first: u32, step: u32) -> lane {
    var sum = lane(0);
#for k in TERMS
    for (var part = first; part < PARTS; part += step) {
        sum += x${k}[part * COUNT + i];
    }
#end
    return sum;
}

#if COOPERATIVE
alias Joined = lane;

fn join(a: lane, b: lane) -> lane {
    return a + b;
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let m = member(id, workgroups, t, COUNT, 1u);
    let i = min(m.lane, COUNT - 1u);
    let sum = of_all(t, sum_from(i, m.row, ${THREADS}u));
    if m.row == 0u && m.lane < COUNT && m.group == 0u {
        y[i] = epilogue(sum, i);
    }
}
#else
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i < COUNT {
        y[i] = epilogue(sum_from(i, 0u, 1u), i);
    }
}
#end
