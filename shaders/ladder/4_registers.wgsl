// Rung 4, a tile in registers.
// Equation: y[n,y,x,o] = sum over ky,kx,i of x[n, y*s+ky-p, x*s+kx-p, i] * w[ky,kx,i,o]
// Reference: reference/contraction/mod.rs `conv2d`.
// Layout: x NHWC, w HWIO, y NHWC.
// One invocation: TM pixels x TN lanes of channels.
// Text: XVEC (x as vec4: I divides by 4), VEC4 (w and y as vec4: O does), TM, TN.
// Constants: lib/conv.wgsl.
//
// What changed: an invocation computes TM pixels x TN lanes of channels. What it loads of w serves TM pixels, what it loads of x TN
// lanes: for 8 x 2 as vec4, 256 multiply-adds wait for 16 loads, where rung 3 made 80. The price is registers, and TM * TN times fewer
// invocations, which a small problem may not have to give. All pixels of the tile go through the same loop, so that a pixel whose
// tap is outside the image adds zeros in place of skipping it. conv/conv2d_direct.wgsl is this with a choice of tiles and an epilogue.
#import lib/input
#import lib/lane
#import lib/grid
#import lib/conv

@group(0) @binding(0) var<storage, read> x: array<input>;
@group(0) @binding(1) var<storage, read> w: array<lane>;
@group(0) @binding(2) var<storage, read_write> y: array<lane>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let lanes = O / LANE;
    let blocks = (lanes + ${TN}u - 1u) / ${TN}u;
    let pixels = BATCH * SMALL_H * SMALL_W;
    let index = invocation(id, workgroups);
    let first = index / blocks * ${TM}u;
    let channel = index % blocks * ${TN}u;
    if first >= pixels {
        return;
    }
    // What lies outside the result repeats its last pixel and lane, and is not stored.
#for m in TM
    let pixel${m} = min(first + ${m}u, pixels - 1u);
    let rows${m} = pixel${m} / (SMALL_H * SMALL_W) * LARGE_H;
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
            let inside${m} = (top${m} + ky < LARGE_H) & (left${m} + kx < LARGE_W);
            let at${m} = select(0u, ((rows${m} + top${m} + ky) * LARGE_W + left${m} + kx) * (I / STEP), inside${m});
#end
            let tap = (ky * KERNEL_W + kx) * I * lanes;
            for (var c = 0u; c < I / STEP; c += 1u) {
#for m in TM
                let x${m} = select(input(0), x[at${m} + c], inside${m});
#end
                let k = tap + c * STEP * lanes;
#if XVEC
#for j in 4
#for n in TN
                let w${j}_${n} = w[k + ${j}u * lanes + o${n}];
#for m in TM
                sum${m}_${n} += x${m}[${j}] * w${j}_${n};
#end
#end
#end
#else
#for n in TN
                let w${n} = w[k + o${n}];
#for m in TM
                sum${m}_${n} += x${m} * w${n};
#end
#end
#end
            }
        }
    }
#for m in TM
#for n in TN
    if first + ${m}u < pixels && channel + ${n}u < lanes {
        y[pixel${m} * lanes + o${n}] = sum${m}_${n};
    }
#end
#end
}
