// A convolution's gradient to its weights, where its result has few channels: an image's three, or a discriminator's one.
// Equation: y[ky,kx,i,o] = sum over n,a,b of x[n, a*s+ky-p, b*s+kx-p, i] * gy[n,a,b,o]
// Reference: reference/contraction/weight_grad.rs `conv2d_weight_grad`.
// Layout: x NHWC, gy NHWC, y [SPLIT_K] x HWIO; reduce/parts.wgsl adds the parts in order; I divides by 4.
// One invocation: one ky, TAPS of kx, four channels i, all o, one part: every SPLIT_K-th row of gy. Of a row it takes P pixels of gy at a
//     time, and SPAN fours of x, each of which meets several of them.
// Text: VEC4 (gy and y as vec4: O divides by 4), N (O), N_FOURS (O / 4), P (divides SMALL_W), SPAN, TAPS,
//     XVEC (set), MIRRORED (x continued by mirroring it about its border pixels), lib/operand.wgsl, lib/store.wgsl.
// Constants: lib/conv.wgsl, SPLIT_K, PART_LEN.
#import lib/operand
#import lib/grid
#import lib/conv
#import lib/large
#import lib/store

override SPLIT_K: u32;
// Numbers from one part to the next.
override PART_LEN: u32;

@group(0) @binding(0) var<storage, read> x: array<stored4>;
@group(0) @binding(1) var<storage, read> gy: array<stored_lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let fours = I / 4u;
    let runs = (KERNEL_W + ${TAPS}u - 1u) / ${TAPS}u;
    let index = invocation(id, workgroups);
    let c = index % fours;
    let first_tap = index / fours % runs * ${TAPS}u;
    let ky = index / (fours * runs) % KERNEL_H;
    let part = index / (fours * runs * KERNEL_H);
    if part >= SPLIT_K {
        return;
    }
    // Of tap u, channel j and o: number (u * 4 + j) * N + o.
    var sum: array<real, ${TAPS}u * 4u * ${N}u>;
#for u in TAPS
#for j in 4
#for n in N
    sum[(${u}u * 4u + ${j}u) * ${N}u + ${n}u] = real(0);
#end
#end
#end
    for (var row = part; row < BATCH * SMALL_H; row += SPLIT_K) {
        // A row above or left of the image wraps round to a number larger than any extent.
        let line = row % SMALL_H * STRIDE_H + ky - PAD_H;
        if line >= LARGE_H {
            continue;
        }
        let x_row = large_line(row / SMALL_H, line);
        for (var column = 0u; column < SMALL_W; column += ${P}u) {
            let left = column * STRIDE_W + first_tap - PAD_W;
            var near: array<real4, ${SPAN}>;
#for s in SPAN
            {
                let inside = left + ${s}u < LARGE_W;
                let pixel = large_pixel(x_row, left + ${s}u);
                near[${s}] = select(real4(0), to_input(x[select(0u, pixel * fours + c, inside)]), inside);
            }
#end
#for p in P
            {
                let at = (row * SMALL_W + column + ${p}u) * (${N}u / LANE);
                var g: array<real, ${N}>;
#if VEC4
#for l in N_FOURS
                let g${l} = to_lane(gy[at + ${l}u]);
#for j in 4
                g[${l}u * 4u + ${j}u] = g${l}[${j}];
#end
#end
#else
#for n in N
                g[${n}] = to_lane(gy[at + ${n}u]);
#end
#end
#for u in TAPS
#for j in 4
#for n in N
                sum[(${u}u * 4u + ${j}u) * ${N}u + ${n}u] += near[${p}u * STRIDE_W + ${u}u][${j}] * g[${n}];
#end
#end
#end
            }
#end
        }
    }
#for u in TAPS
    if first_tap + ${u}u < KERNEL_W {
        let at = (part * PART_LEN + ((ky * KERNEL_W + first_tap + ${u}u) * I + c * 4u) * ${N}u) / LANE;
#for j in 4
#if VEC4
#for l in N_FOURS
        {
            let from_n = (${u}u * 4u + ${j}u) * ${N}u + ${l}u * 4u;
            store(at + ${j}u * ${N_FOURS}u + ${l}u, real4(sum[from_n], sum[from_n + 1u], sum[from_n + 2u], sum[from_n + 3u]));
        }
#end
#else
#for n in N
        store(at + ${j}u * ${N}u + ${n}u, sum[(${u}u * 4u + ${j}u) * ${N}u + ${n}u]);
#end
#end
#end
    }
#end
}
