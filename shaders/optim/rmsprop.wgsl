// RMSProp (Tieleman and Hinton 2012) for all parameters of an optimizer: one dispatch.
// Equation: g = gradients + weight_decay * parameters, square = alpha * square + (1 - alpha) * g^2,
//     step = g / (sqrt(square) + eps), with momentum step = buffer = momentum * buffer + step;
//     parameters -= rates[0] * step; rates = (lr)
// Reference: reference/optimizer.rs `optimize`.
// Layout: gradients, parameters, square and (HAS_MOMENTUM) buffer vectors as vec4, rates [1].
// One invocation: four numbers.
// Constants: COUNT (vec4), ALPHA and its complement REST, rounded once from double precision, EPS, MOMENTUM, WEIGHT_DECAY.
#import lib/optimizer

override ALPHA: f32;
override REST: f32;
override EPS: f32;
override WEIGHT_DECAY: f32;

@group(0) @binding(3) var<storage, read_write> square: array<real4>;
#if HAS_MOMENTUM
override MOMENTUM: f32;
@group(0) @binding(4) var<storage, read_write> buffer: array<real4>;
#end

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT || is_left_out() {
        return;
    }
    let p = parameters[i];
    let g = gradients[i] + real(WEIGHT_DECAY) * p;
    let s = real(ALPHA) * square[i] + real(REST) * g * g;
    square[i] = s;
    var step = g / (sqrt(s) + real4(real(EPS)));
#if HAS_MOMENTUM
    step += real(MOMENTUM) * buffer[i];
    buffer[i] = step;
#end
    parameters[i] = p - rates[0] * step;
}
