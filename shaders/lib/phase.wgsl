// Transposed convolution by phases. Result rows y with the same residue r = (y + PAD) mod STRIDE meet the same taps
// ky = r, r + STRIDE, ...: each residue is a dense product of its own, and no tap is tried in vain.
//
// Row number q of a phase is y = first + q * STRIDE; tap number t of it is ky = r + t * STRIDE and reads row
// start + q - t of the small side.
struct Phase {
    residue: u32,
    first: u32,
    start: u32,
    count: u32,
    taps: u32,
}

fn phase(residue: u32, stride: u32, pad: u32, kernel: u32, large: u32) -> Phase {
    var p: Phase;
    p.residue = residue;
    p.first = (residue + stride - pad % stride) % stride;
    p.start = (p.first + pad) / stride;
    p.count = (max(large, p.first) - p.first + stride - 1u) / stride;
    p.taps = (max(kernel, residue) - residue + stride - 1u) / stride;
    return p;
}
