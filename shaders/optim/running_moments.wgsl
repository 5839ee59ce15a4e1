// Running statistics of a batch norm.
// Equation: running = KEEP * running + (MEAN_SHARE or VARIANCE_SHARE) * moments; KEEP = 1 - momentum, MEAN_SHARE = momentum,
//     VARIANCE_SHARE = momentum * n / (n - 1)
// Reference: reference/update.rs `apply`.
// Layout: moments and running [2, C].
// One invocation: one number.
// Constants: C, KEEP, MEAN_SHARE, VARIANCE_SHARE.
#import lib/real
#import lib/grid

override C: u32;
override KEEP: f32;
override MEAN_SHARE: f32;
override VARIANCE_SHARE: f32;

@group(0) @binding(0) var<storage, read> moments: array<real>;
@group(0) @binding(1) var<storage, read_write> running: array<real>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i < 2u * C {
        let share = select(real(VARIANCE_SHARE), real(MEAN_SHARE), i < C);
        running[i] = real(KEEP) * running[i] + share * moments[i];
    }
}
