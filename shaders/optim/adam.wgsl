// Adam (Kingma and Ba 2015) for all parameters of an optimizer: one dispatch.
// Equation: first = beta1 * first + (1 - beta1) * g, second = beta2 * second + (1 - beta2) * g^2,
//     parameters -= rates[0] * first / (sqrt(second) * rates[1] + eps); rates = (lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t))
// Reference: reference/update.rs `apply`.
// Layout: gradients (g), parameters, first and second vectors in fours, rates [2].
// One invocation: four numbers.
// Constants: COUNT (fours), BETA1 BETA2 EPS and their complements REST1 REST2, rounded once from double precision.
#import lib/real
#import lib/grid

override COUNT: u32;
override BETA1: f32;
override BETA2: f32;
override REST1: f32;
override REST2: f32;
override EPS: f32;

@group(0) @binding(0) var<storage, read> gradients: array<real4>;
@group(0) @binding(1) var<storage, read> rates: array<real>;
@group(0) @binding(2) var<storage, read_write> parameters: array<real4>;
@group(0) @binding(3) var<storage, read_write> first: array<real4>;
@group(0) @binding(4) var<storage, read_write> second: array<real4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let g = gradients[i];
    let m = real(BETA1) * first[i] + real(REST1) * g;
    let v = real(BETA2) * second[i] + real(REST2) * g * g;
    first[i] = m;
    second[i] = v;
    parameters[i] -= rates[0] * m / (sqrt(v) * rates[1] + real4(real(EPS)));
}
