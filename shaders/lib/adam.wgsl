// What Adam and AdamW share: the moments, and the step that follows from them.
#import lib/optimizer

override BETA1: f32;
override BETA2: f32;
override REST1: f32;
override REST2: f32;
override EPS: f32;

@group(0) @binding(3) var<storage, read_write> first: array<real4>;
@group(0) @binding(4) var<storage, read_write> second: array<real4>;

fn adam_step(i: u32) -> real4 {
    let g = gradients[i];
    let m = real(BETA1) * first[i] + real(REST1) * g;
    let v = real(BETA2) * second[i] + real(REST2) * g * g;
    first[i] = m;
    second[i] = v;
    return rates[0] * m / (sqrt(v) * rates[1] + real4(real(EPS)));
}
