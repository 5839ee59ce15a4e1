// Stochastic gradient descent, with or without momentum, for all parameters of an optimizer: one dispatch.
// Equation: g = gradients + weight_decay * parameters, step = g; with momentum step = buffer = momentum * buffer + rates[1] * g,
//     by Nesterov (1983) step = g + momentum * buffer; parameters -= rates[0] * step; rates = (lr, 1 - dampening, at first 1)
// Reference: reference/optimizer.rs `optimize`.
// Layout: gradients, parameters and (HAS_MOMENTUM) buffer vectors as vec4, rates [2].
// One invocation: four numbers.
// Constants: COUNT (vec4), MOMENTUM, WEIGHT_DECAY.
#import lib/optimizer

override WEIGHT_DECAY: f32;

#if HAS_MOMENTUM
override MOMENTUM: f32;
@group(0) @binding(3) var<storage, read_write> buffer: array<real4>;
#end

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT || is_left_out() {
        return;
    }
    let p = parameters[i];
    let g = gradients[i] + real(WEIGHT_DECAY) * p;
    var step = g;
#if HAS_MOMENTUM
    let sum = real(MOMENTUM) * buffer[i] + rates[1] * g;
    buffer[i] = sum;
    step = sum;
#if HAS_NESTEROV
    step = g + real(MOMENTUM) * sum;
#end
#end
    parameters[i] = p - rates[0] * step;
}
