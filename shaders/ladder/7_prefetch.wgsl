// Rung 7, the next slice on its way; the product as 5_tile.wgsl.
// Equation: y[n,y,x,o] = sum over ky,kx,i of x[n, y*s+ky-p, x*s+kx-p, i] * w[ky,kx,i,o]
// Reference: reference/contraction/mod.rs `conv2d`.
// Layout: x NHWC, w HWIO, y NHWC.
// One invocation: 4 x 4 numbers of y.
// One workgroup: 64 pixels x 64 channels.
// Text: XVEC (x as vec4: I divides by 4), VEC4 (w and y as vec4: O does).
// Constants: lib/conv.wgsl.
//
// What changed: the vec4s of the next slice are loaded from storage into registers before this slice is multiplied, and put
// into workgroup memory after. Storage takes hundreds of cycles to answer; 256 multiply-adds stand between question and answer
// now, where rung 6 waited in front of a barrier. For that the answer must not be looked at any earlier: what lies outside becomes
// zero when it is put away, not when it is loaded. The price is eight registers, and a bit for each load.
// conv/conv2d_tiled.wgsl, by lib/tile.wgsl, is this with a choice of tiles, up to 8 x 8 results an invocation, parts of the
// contraction and an epilogue.
#import lib/input
#import lib/lane
#import lib/conv

@group(0) @binding(0) var<storage, read> x: array<input>;
@group(0) @binding(1) var<storage, read> w: array<lane>;
@group(0) @binding(2) var<storage, read_write> y: array<lane>;

const TILE = 64u;
const SLICE = 16u;
const FOURS = TILE / 4u;
// Vec4s of A from one row to the next: an odd number, so that rows do not meet in one bank.
const PITCH = SLICE / 4u + 1u;

var<workgroup> a: array<real4, TILE * PITCH>;
var<workgroup> b: array<real4, SLICE * FOURS>;

// Row m of A: its image's first row among all, and its window's corner.
struct Pixel {
    base: u32,
    top: u32,
    left: u32,
    there: bool,
}

fn pixel_of(m: u32) -> Pixel {
    let image = m / (SMALL_H * SMALL_W);
    let top = m / SMALL_W % SMALL_H * STRIDE_H - PAD_H;
    return Pixel(image * LARGE_H, top, m % SMALL_W * STRIDE_W - PAD_W, image < BATCH);
}

// An element of an operand: its place, and whether it is inside the image and the product.
struct Element {
    at: u32,
    inside: bool,
}

// Four numbers as they come from storage, and which of them count.
struct Four {
    numbers: real4,
    inside: vec4<bool>,
}

// A's column k in a pixel's row.
fn element(pixel: Pixel, k: u32) -> Element {
    let tap = k / I;
    // A row above or left of the image wraps round to a number larger than any extent.
    let row = pixel.top + tap / KERNEL_W;
    let column = pixel.left + tap % KERNEL_W;
    let inside = pixel.there & (tap < KERNEL_H * KERNEL_W) & (row < LARGE_H) & (column < LARGE_W);
    let at = ((pixel.base + row) * LARGE_W + column) * I + k % I;
    return Element(select(0u, at / STEP, inside), inside);
}

fn a_four(pixel: Pixel, k: u32) -> Four {
#if XVEC
    let e = element(pixel, k);
    return Four(x[e.at], vec4(e.inside));
#else
#for j in 4
    let e${j} = element(pixel, k + ${j}u);
#end
    return Four(
        real4(x[e0.at], x[e1.at], x[e2.at], x[e3.at]),
        vec4(e0.inside, e1.inside, e2.inside, e3.inside),
    );
#end
}

fn weight(k: u32, n: u32) -> Element {
    let inside = (k < KERNEL_H * KERNEL_W * I) & (n < O);
    return Element(select(0u, (k * O + n) / LANE, inside), inside);
}

fn b_four(k: u32, n: u32) -> Four {
#if VEC4
    let e = weight(k, n);
    return Four(w[e.at], vec4(e.inside));
#else
#for j in 4
    let e${j} = weight(k, n + ${j}u);
#end
    return Four(
        real4(w[e0.at], w[e1.at], w[e2.at], w[e3.at]),
        vec4(e0.inside, e1.inside, e2.inside, e3.inside),
    );
#end
}

fn or_zero(four: Four) -> real4 {
    return select(real4(0), four.numbers, four.inside);
}

fn store(m: u32, n: u32, four: real4) {
    if m >= BATCH * SMALL_H * SMALL_W {
        return;
    }
#if VEC4
    if n < O {
        y[(m * O + n) / 4u] = four;
    }
#else
#for j in 4
    if n + ${j}u < O {
        y[m * O + n + ${j}u] = four[${j}];
    }
#end
#end
}

@compute @workgroup_size(FOURS * FOURS)
fn main(
    @builtin(workgroup_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) t: u32,
) {
    let across = (O + TILE - 1u) / TILE;
    let index = id.y * workgroups.x + id.x;
    let m0 = index / across * TILE;
    let n0 = index % across * TILE;
    let down = t / FOURS;
    let right = t % FOURS;
    // What this invocation stages: of A row t / 4, of w row `down`.
    let pixel = pixel_of(m0 + t / 4u);
#for i in 4
    var sum${i} = real4(0);
#end
    let depth = KERNEL_H * KERNEL_W * I;
    // In round 0 there is nothing to multiply yet, in the last nothing to load any more. Some compilers would move loads that stand
    // under no condition to where they are needed.
    for (var k = 0u; ; k += SLICE) {
        var next_a: Four;
        var next_b: Four;
        if k < depth {
            next_a = a_four(pixel, k + t % 4u * 4u);
            next_b = b_four(k + down, n0 + right * 4u);
        }
        if k > 0u {
            for (var s = 0u; s < SLICE / 4u; s += 1u) {
#for i in 4
                let a${i} = a[(down * 4u + ${i}u) * PITCH + s];
#end
#for j in 4
                let b${j} = b[(s * 4u + ${j}u) * FOURS + right];
#for i in 4
                sum${i} += a${i}[${j}] * b${j};
#end
#end
            }
        }
        if k >= depth {
            break;
        }
        workgroupBarrier();
        a[t / 4u * PITCH + t % 4u] = or_zero(next_a);
        b[t] = or_zero(next_b);
        workgroupBarrier();
    }
#for i in 4
    store(m0 + down * 4u + ${i}u, n0 + right * 4u, sum${i});
#end
}
