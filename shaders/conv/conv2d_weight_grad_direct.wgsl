// A convolution's gradient to its weights, straight from storage, without workgroup memory: best on software drivers and for
// few channels.
// Equation: y[ky,kx,i,o] = sum over n,a,b of x[n, a*s+ky-p, b*s+kx-p, i] * gy[n,a,b,o]
// Reference: reference/contraction/weight_grad.rs `conv2d_weight_grad`.
// Layout: x NHWC, gy NHWC, y [SPLIT_K] x HWIO; reduce/parts.wgsl adds the parts in order.
// One invocation: one tap, TM lanes of i x TN lanes of o, one part: every SPLIT_K-th row of gy.
// Text: XVEC (x as vec4: I divides by 4), VEC4 (gy and y as vec4: O does), TM, TN, lib/operand.wgsl, lib/store.wgsl,
//     MIRRORED (x continued by mirroring it about its border pixels).
// Constants: lib/conv.wgsl, SPLIT_K, PART_LEN.
#import lib/operand
#import lib/grid
#import lib/conv
#import lib/large
#import lib/store

override SPLIT_K: u32;
// Numbers from one part to the next.
override PART_LEN: u32;

@group(0) @binding(0) var<storage, read> x: array<stored_input>;
@group(0) @binding(1) var<storage, read> gy: array<stored_lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let inputs = I / STEP;
    let lanes = O / LANE;
    let i_blocks = (inputs + ${TM}u - 1u) / ${TM}u;
    let o_blocks = (lanes + ${TN}u - 1u) / ${TN}u;
    let index = invocation(id, workgroups);
    let o_first = index % o_blocks * ${TN}u;
    let i_first = index / o_blocks % i_blocks * ${TM}u;
    let tap = index / (o_blocks * i_blocks) % (KERNEL_H * KERNEL_W);
    let part = index / (o_blocks * i_blocks * KERNEL_H * KERNEL_W);
    if part >= SPLIT_K {
        return;
    }
    let ky = tap / KERNEL_W;
    let kx = tap % KERNEL_W;
    // The columns of gy whose tap kx falls inside the image: from .. to.
    let from_x = (max(PAD_W, kx) - kx + STRIDE_W - 1u) / STRIDE_W;
    let to_x = min(SMALL_W, (max(LARGE_W + PAD_W, kx) - kx + STRIDE_W - 1u) / STRIDE_W);
#for m in TM
    let i${m} = min(i_first + ${m}u, inputs - 1u);
#for n in TN
#if XVEC
#for j in 4
    var sum${m}_${j}_${n} = lane(0);
#end
#else
    var sum${m}_0_${n} = lane(0);
#end
#end
#end
#for n in TN
    let o${n} = min(o_first + ${n}u, lanes - 1u);
#end
    for (var row = part; row < BATCH * SMALL_H; row += SPLIT_K) {
        let line = row % SMALL_H * STRIDE_H + ky - PAD_H;
        if line >= LARGE_H {
            continue;
        }
        let x_row = large_line(row / SMALL_H, line);
        for (var column = from_x; column < to_x; column += 1u) {
            let at = large_pixel(x_row, column * STRIDE_W + kx - PAD_W) * inputs;
            let gy_at = (row * SMALL_W + column) * lanes;
#for n in TN
            let g${n} = to_lane(gy[gy_at + o${n}]);
#end
#for m in TM
            let x${m} = to_input(x[at + i${m}]);
#for n in TN
#if XVEC
#for j in 4
            sum${m}_${j}_${n} += x${m}[${j}] * g${n};
#end
#else
            sum${m}_0_${n} += x${m} * g${n};
#end
#end
#end
        }
    }
    let target_at = part * (PART_LEN / LANE) + tap * I * lanes;
#for m in TM
    if i_first + ${m}u < inputs {
#for n in TN
        if o_first + ${n}u < lanes {
#if XVEC
#for j in 4
            store(target_at + (i${m} * 4u + ${j}u) * lanes + o${n}, sum${m}_${j}_${n});
#end
#else
            store(target_at + i${m} * lanes + o${n}, sum${m}_0_${n});
#end
        }
#end
    }
#end
}
