// How a slice of both operands of lib/tile.wgsl comes from storage, in fours of neighbouring numbers: each of THREADS invocations loads
// the same fours of every slice, but for the contraction, into registers. `stage` (lib/tile.wgsl, lib/matrix.wgsl) puts them into
// workgroup memory later.
// Text: A_EACH, B_EACH: fours of A and of B that an invocation stages.

// Four neighbours in x: places of their taps, and which of them are inside the image.
#if XVEC
alias Taps = Place;
alias Inside = bool;
#else
alias Taps = array<Place, 4>;
alias Inside = vec4<bool>;
#end
#if B_VEC
alias InsideB = bool;
#else
alias InsideB = vec4<bool>;
#end

// What an invocation stages of every slice: where it begins.
struct Mine {
#if A_ALONG_K
#for l in A_EACH
    pixel${l}: Place,
#end
#else
    taps: Taps,
#end
    a_k: u32,
    b_k: u32,
    n: u32,
}

// What it will stage of the next slice, as it comes from storage.
struct Next {
#for l in A_EACH
    a${l}: stored4,
    a_inside${l}: Inside,
#end
#for l in B_EACH
    b${l}: stored4,
    b_inside${l}: InsideB,
#end
}

#if XVEC
fn taps(index: u32) -> Taps {
    return tap(index);
}

fn inside_x(pixel: Place, taps: Taps) -> Inside {
    return meets(pixel, taps);
}

fn load_x(pixel: Place, taps: Taps, inside: Inside) -> stored4 {
    return x[select(0u, place_in_x(pixel, taps) / 4u, inside)];
}
#else
fn taps(index: u32) -> Taps {
    return Taps(tap(index), tap(index + 1u), tap(index + 2u), tap(index + 3u));
}

fn inside_x(pixel: Place, taps: Taps) -> Inside {
    return vec4(meets(pixel, taps[0]), meets(pixel, taps[1]), meets(pixel, taps[2]), meets(pixel, taps[3]));
}

fn load_x(pixel: Place, taps: Taps, inside: Inside) -> stored4 {
#for j in 4
    let x${j} = x[select(0u, place_in_x(pixel, taps[${j}]), inside[${j}])];
#end
    return stored4(x0, x1, x2, x3);
}
#end

fn meets(pixel: Place, tap: Place) -> bool {
    return (pixel.y + tap.y < ${A_H}) & (pixel.x + tap.x < ${A_W});
}

fn place_in_x(pixel: Place, tap: Place) -> u32 {
#if MIRRORED
    let line = pixel.base + mirror(pixel.y + tap.y, TOP, SOURCE_H);
    return (line * SOURCE_W + mirror(pixel.x + tap.x, LEFT, SOURCE_W)) * ${A_C} + tap.base;
#else
    return ((pixel.base + pixel.y + tap.y) * ${A_W} + pixel.x + tap.x) * ${A_C} + tap.base;
#end
}

fn in_b(k: u32, n: u32) -> bool {
    return (k < depth()) & (n < columns());
}

// Four neighbours in B from row k and column n on.
#if B_VEC
fn inside_b(k: u32, n: u32) -> InsideB {
    return in_b(k, n);
}

fn load_b(k: u32, n: u32, inside: InsideB) -> stored4 {
    return ${B}[select(0u, b_at(k, n) / 4u, inside)];
}
#else
#if B_ALONG_K
#define B_NEXT_K 1u
#define B_NEXT_N 0u
#else
#define B_NEXT_K 0u
#define B_NEXT_N 1u
#end
fn inside_b(k: u32, n: u32) -> InsideB {
    return vec4(
#for j in 4
        in_b(k + ${j}u * ${B_NEXT_K}, n + ${j}u * ${B_NEXT_N}),
#end
    );
}

fn load_b(k: u32, n: u32, inside: InsideB) -> stored4 {
#for j in 4
    let b${j} = ${B}[select(0u, b_at(k + ${j}u * ${B_NEXT_K}, n + ${j}u * ${B_NEXT_N}), inside[${j}])];
#end
    return stored4(b0, b1, b2, b3);
}
#end

// What the invocation with index t of the tile at m0, n0 stages.
fn mine_of(t: u32, m0: u32, n0: u32) -> Mine {
    var mine: Mine;
#if A_ALONG_K
#for l in A_EACH
    mine.pixel${l} = pixel(m0 + t / K_FOURS + ${l}u * (THREADS / K_FOURS));
#end
    mine.a_k = t % K_FOURS * 4u;
#else
    mine.taps = taps(m0 + t % A_FOURS * 4u);
    mine.a_k = t / A_FOURS;
#end
#if B_ALONG_K
    mine.n = n0 + t / K_FOURS;
    mine.b_k = t % K_FOURS * 4u;
#else
    mine.n = n0 + t % B_FOURS * 4u;
    mine.b_k = t / B_FOURS;
#end
    return mine;
}

fn load(mine: Mine, k: u32) -> Next {
    var next: Next;
#if A_ALONG_K
    let at_k = taps(k + mine.a_k);
#end
#for l in A_EACH
#if A_ALONG_K
    next.a_inside${l} = inside_x(mine.pixel${l}, at_k);
    next.a${l} = load_x(mine.pixel${l}, at_k, next.a_inside${l});
#else
    let pixel${l} = pixel(k + mine.a_k + ${l}u * (THREADS / A_FOURS));
    next.a_inside${l} = inside_x(pixel${l}, mine.taps);
    next.a${l} = load_x(pixel${l}, mine.taps, next.a_inside${l});
#end
#end
#for l in B_EACH
#if B_ALONG_K
    let k${l} = k + mine.b_k;
    let n${l} = mine.n + ${l}u * (THREADS / K_FOURS);
#else
    let k${l} = k + mine.b_k + ${l}u * (THREADS / B_FOURS);
    let n${l} = mine.n;
#end
    next.b_inside${l} = inside_b(k${l}, n${l});
    next.b${l} = load_b(k${l}, n${l}, next.b_inside${l});
#end
    return next;
}
