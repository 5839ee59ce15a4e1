// AdamW (Loshchilov and Hutter 2019) for all parameters of an optimizer: one dispatch.
// Equation: first = beta1 * first + (1 - beta1) * g, second = beta2 * second + (1 - beta2) * g^2,
//     parameters = rates[2] * parameters - rates[0] * first / (sqrt(second) * rates[1] + eps);
//     rates = (lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t), 1 - lr * weight_decay)
// Reference: reference/optimizer.rs `optimize`.
// Layout: gradients (g), parameters, first and second vectors as vec4, rates [3].
// One invocation: four numbers.
// Constants: COUNT (vec4), BETA1 BETA2 EPS and their complements REST1 REST2, rounded once from double precision.
#import lib/adam

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i < COUNT && !is_left_out() {
        parameters[i] = rates[2] * parameters[i] - adam_step(i);
    }
}
