// Convolution, straight from storage, without workgroup memory: best on software drivers and for few channels.
// Equation: y[n,y,x,o] = sum over ky,kx,i of x[n, y*s+ky-p, x*s+kx-p, i] * w[ky,kx,i,o]
// Reference: reference/contraction/mod.rs `conv2d`.
// Layout: x NHWC, w HWIO, y NHWC.
// One invocation: TM pixels x TN lanes of channels, in registers.
// Text: XVEC (x as vec4: I divides by 4), VEC4 (w and y as vec4: O does), TM, TN, lib/operand.wgsl, lib/store.wgsl,
//     MIRRORED (x continued by mirroring it about its border pixels).
// Constants: lib/conv.wgsl.
#import lib/operand
#import lib/grid
#import lib/conv
#import lib/store

@group(0) @binding(0) var<storage, read> x: array<stored_input>;
@group(0) @binding(1) var<storage, read> w: array<stored_lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let lanes = O / LANE;
    let blocks = (lanes + ${TN}u - 1u) / ${TN}u;
    let pixels = BATCH * SMALL_H * SMALL_W;
    let i = invocation(id, workgroups);
    let first = i / blocks * ${TM}u;
    let channel = i % blocks * ${TN}u;
    if first >= pixels {
        return;
    }
#for m in TM
    let pixel${m} = min(first + ${m}u, pixels - 1u);
#if MIRRORED
    let row${m} = pixel${m} / (SMALL_H * SMALL_W) * SOURCE_H;
#else
    let row${m} = pixel${m} / (SMALL_H * SMALL_W) * LARGE_H;
#end
    let top${m} = pixel${m} / SMALL_W % SMALL_H * STRIDE_H - PAD_H;
    let left${m} = pixel${m} % SMALL_W * STRIDE_W - PAD_W;
#for n in TN
    var sum${m}_${n} = lane(0);
#end
#end
#for n in TN
    let o${n} = min(channel + ${n}u, lanes - 1u);
#end
    for (var ky = 0u; ky < KERNEL_H; ky += 1u) {
        for (var kx = 0u; kx < KERNEL_W; kx += 1u) {
#for m in TM
            // A row above or left of the image wraps round to a number larger than any extent.
            let inside${m} = (top${m} + ky < LARGE_H) & (left${m} + kx < LARGE_W);
#if MIRRORED
            let line${m} = row${m} + mirror(top${m} + ky, TOP, SOURCE_H);
            let pixel_at${m} = line${m} * SOURCE_W + mirror(left${m} + kx, LEFT, SOURCE_W);
            let at${m} = select(0u, pixel_at${m} * (I / STEP), inside${m});
#else
            let at${m} = select(0u, ((row${m} + top${m} + ky) * LARGE_W + left${m} + kx) * (I / STEP), inside${m});
#end
#end
            let tap = (ky * KERNEL_W + kx) * I;
            for (var c = 0u; c < I / STEP; c += 1u) {
#for m in TM
                let x${m} = select(input(0), to_input(x[at${m} + c]), inside${m});
#end
                let k = (tap + c * STEP) * lanes;
#if XVEC
#for j in 4
#for n in TN
                let w${j}_${n} = to_lane(w[k + ${j}u * lanes + o${n}]);
#for m in TM
                sum${m}_${n} += x${m}[${j}] * w${j}_${n};
#end
#end
#end
#else
#for n in TN
                let w${n} = to_lane(w[k + o${n}]);
#for m in TM
                sum${m}_${n} += x${m} * w${n};
#end
#end
#end
            }
        }
    }
#for m in TM
    if first + ${m}u < pixels {
#for n in TN
        if channel + ${n}u < lanes {
            store(pixel${m} * lanes + o${n}, sum${m}_${n});
        }
#end
    }
#end
}
