// Transposed convolution, also a convolution's gradient to its input; straight from storage, without workgroup memory: best on
// software drivers and for few channels.
// Equation: y[n, a*s+ky-p, b*s+kx-p, i] += x[n,a,b,o] * w[ky,kx,i,o], over all a,b,ky,kx,o
// Reference: reference/contraction/mod.rs `conv_transpose2d`.
// Layout: x NHWC (O channels), w HWIO, y NHWC (I channels).
// One invocation: TM pixels of one phase (lib/phase.wgsl) x TN blocks of BLOCK channels, in registers.
// Text: XVEC (x and w as vec4: O divides by 4), VEC4 (y as vec4: I does; BLOCK is 4, else 1), TM, TN, lib/operand.wgsl, lib/store.wgsl.
// Constants: lib/conv.wgsl, PIXELS.
#import lib/operand
#import lib/grid
#import lib/conv
#import lib/phase
#import lib/store

// Pixels of the largest phase.
override PIXELS: u32;

@group(0) @binding(0) var<storage, read> x: array<stored_input>;
@group(0) @binding(1) var<storage, read> w: array<stored_input>;

fn product(a: input, b: input) -> real {
#if XVEC
    return dot(a, b);
#else
    return a * b;
#end
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let width = ${TN}u * ${BLOCK}u;
    let blocks = (I + width - 1u) / width;
    let in_phase = (PIXELS + ${TM}u - 1u) / ${TM}u * blocks;
    let index = invocation(id, workgroups);
    let number = index / in_phase;
    if number >= STRIDE_H * STRIDE_W {
        return;
    }
    let rows = phase(number / STRIDE_W, STRIDE_H, PAD_H, KERNEL_H, LARGE_H);
    let columns = phase(number % STRIDE_W, STRIDE_W, PAD_W, KERNEL_W, LARGE_W);
    let pixels = BATCH * rows.count * columns.count;
    let i = index % in_phase;
    let first = i / blocks * ${TM}u;
    let channel = i % blocks * width;
    if first >= pixels {
        return;
    }
#for m in TM
    let pixel${m} = min(first + ${m}u, pixels - 1u);
    let image${m} = pixel${m} / (rows.count * columns.count);
    let qy${m} = pixel${m} / columns.count % rows.count;
    let qx${m} = pixel${m} % columns.count;
#for n in TN
#for j in BLOCK
    var sum${m}_${n}_${j} = real(0);
#end
#end
#end
#for n in TN
#for j in BLOCK
    let i${n}_${j} = min(channel + ${n}u * ${BLOCK}u + ${j}u, I - 1u) * (O / STEP);
#end
#end
    for (var ty = 0u; ty < rows.taps; ty += 1u) {
        for (var tx = 0u; tx < columns.taps; tx += 1u) {
#for m in TM
            // A row above or left of the image wraps round to a number larger than any extent.
            let a${m} = rows.start + qy${m} - ty;
            let b${m} = columns.start + qx${m} - tx;
            let inside${m} = (a${m} < SMALL_H) & (b${m} < SMALL_W);
            let at${m} = select(0u, ((image${m} * SMALL_H + a${m}) * SMALL_W + b${m}) * (O / STEP), inside${m});
#end
            let ky = rows.residue + ty * STRIDE_H;
            let kx = columns.residue + tx * STRIDE_W;
            let tap = (ky * KERNEL_W + kx) * I * (O / STEP);
            for (var c = 0u; c < O / STEP; c += 1u) {
#for m in TM
                let x${m} = select(input(0), to_input(x[at${m} + c]), inside${m});
#end
#for n in TN
#for j in BLOCK
                let w${n}_${j} = to_input(w[tap + i${n}_${j} + c]);
#for m in TM
                sum${m}_${n}_${j} += product(x${m}, w${n}_${j});
#end
#end
#end
            }
        }
    }
#for m in TM
    if first + ${m}u < pixels {
        let row${m} = image${m} * LARGE_H + rows.first + qy${m} * STRIDE_H;
        let target${m} = (row${m} * LARGE_W + columns.first + qx${m} * STRIDE_W) * I + channel;
#for n in TN
        if channel + ${n}u * ${BLOCK}u < I {
#if VEC4
            store(target${m} / 4u + ${n}u, real4(sum${m}_${n}_0, sum${m}_${n}_1, sum${m}_${n}_2, sum${m}_${n}_3));
#else
            store(target${m} + ${n}u, sum${m}_${n}_0);
#end
        }
#end
    }
#end
}
