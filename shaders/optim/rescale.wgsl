// A loss scale after an update: halved if a gradient was not finite, doubled after INTERVAL updates without such.
// Equation: factor = 0 if state[FOUND] and scale > 1, else 1 / scale; scale and updates change as graph/loss_scale.rs tells
// Reference: reference/update.rs `rescale`.
// Layout: state that of a loss scale.
// One invocation: all of it; the others do nothing.
// Text: SCALE, UPDATES, FACTOR, FOUND. Constants: INTERVAL, LARGEST.
#import lib/real

override INTERVAL: f32;
override LARGEST: f32;

@group(0) @binding(0) var<storage, read_write> state: array<real>;

@compute @workgroup_size(1)
fn main() {
    let scale = state[${SCALE}];
    let updates = state[${UPDATES}] + 1.0;
    let left_out = bitcast<u32>(state[${FOUND}]) != 0u && scale > 1.0;
    let doubled = !left_out && updates >= INTERVAL;
    state[${FOUND}] = 0.0;
    state[${FACTOR}] = select(1.0 / scale, 0.0, left_out);
    state[${UPDATES}] = select(updates, 0.0, left_out || doubled);
    if left_out {
        state[${SCALE}] = 0.5 * scale;
    } else if doubled {
        state[${SCALE}] = min(2.0 * scale, LARGEST);
    }
}
