//! How channels are dealt out: in lanes, one number or four of them.

/// Invocations of a workgroup that reduces rows.
const THREADS: usize = 256;
/// Neighbouring channel lanes one workgroup loads together.
const LANES: usize = 8;

/// Lanes along the channels: how many, and whether they are vec4.
pub fn lanes(channels: usize) -> (usize, bool) {
    if channels.is_multiple_of(4) { (channels / 4, true) } else { (channels, false) }
}

/// Lanes of a workgroup that reduces rows of so many, and the invocations that share each.
pub fn cooperative(lanes: usize) -> (usize, usize) {
    let lanes = lanes.min(LANES);
    (lanes, 1 << (THREADS / lanes).ilog2())
}
