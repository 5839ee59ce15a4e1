//! How channels are dealt out: in lanes, one number or four of them.

/// Invocations of a workgroup that reduces rows.
const TEAM_SIZE: usize = 256;
/// Neighbouring channel lanes one workgroup loads together.
const TEAM_LANES: usize = 8;

/// Lanes along the channels: how many, and whether they are fours.
pub fn lanes(channels: usize) -> (usize, bool) {
    if channels.is_multiple_of(4) { (channels / 4, true) } else { (channels, false) }
}

/// Lanes of a workgroup that reduces rows of so many, and the invocations that share each.
pub fn team(lanes: usize) -> (usize, usize) {
    let lanes = lanes.min(TEAM_LANES);
    (lanes, 1 << (TEAM_SIZE / lanes).ilog2())
}
