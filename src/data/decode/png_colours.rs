//! The colour space that a PNG file gives as numbers instead of a profile.

use moxcms::{Chromaticity, ColorPrimaries, ColorProfile, XyY, curve_from_gamma};

/// sRGB's white, red, green and blue, in hundred-thousandths.
const SRGB: [[u32; 2]; 4] = [[31270, 32900], [64000, 33000], [30000, 60000], [15000, 6000]];
/// Places closer than this are the same, in hundred-thousandths.
const SAME: u32 = 500;

/// A profile by the file's gamma and primaries; `None` where it has a profile of its own, or these are near those of sRGB.
pub(super) fn profile(png: &[u8]) -> Option<Vec<u8>> {
    let (mut gamma, mut places) = (None, SRGB);
    let mut rest = png.get(8..)?;
    loop {
        let length = number(rest, 0)? as usize;
        let (kind, data) = (rest.get(4..8)?, rest.get(8..8 + length)?);
        match kind {
            b"iCCP" | b"sRGB" | b"cICP" => return None,
            b"gAMA" => gamma = number(data, 0),
            b"cHRM" => {
                for (index, place) in places.iter_mut().enumerate() {
                    *place = [number(data, 8 * index)?, number(data, 8 * index + 4)?];
                }
            }
            // All that says something about colours stands before the pixels.
            b"IDAT" => break,
            _ => {}
        }
        rest = rest.get(length + 12..)?;
    }
    // The power of the curve is one over what the file says; sRGB's is about 2.2.
    let power = gamma.map_or(2.2, |gamma| 1e5 / gamma.max(1) as f32);
    let near = places.iter().flatten().zip(SRGB.iter().flatten()).all(|(a, b)| a.abs_diff(*b) < SAME);
    if (near && (power / 2.2 - 1.0).abs() < 0.05) || !(0.1..=10.0).contains(&power) || !are_colours(places) {
        return None;
    }
    let [white, red, green, blue] = places.map(|[x, y]| Chromaticity::new(x as f32 / 1e5, y as f32 / 1e5));
    let mut profile = ColorProfile::new_srgb();
    let white = XyY { x: white.x.into(), y: white.y.into(), yb: 1.0 };
    profile.update_rgb_colorimetry(white, ColorPrimaries { red, green, blue });
    // Which would count more than the curves.
    profile.cicp = None;
    let curve = Some(curve_from_gamma(power));
    (profile.red_trc, profile.green_trc, profile.blue_trc) = (curve.clone(), curve.clone(), curve);
    profile.encode().ok()
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Whether there is a white, and a triangle about it.
fn are_colours(places: [[u32; 2]; 4]) -> bool {
    let [white, red, green, blue] = places.map(|place| place.map(|part| f64::from(part) / 1e5));
    let side =
        |a: [f64; 2], b: [f64; 2], c: [f64; 2]| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let sides = [side(red, green, white), side(green, blue, white), side(blue, red, white)];
    let around = sides.iter().all(|side| *side > 1e-3) || sides.iter().all(|side| *side < -1e-3);
    around
        && [white, red, green, blue].iter().flatten().all(|part| (0.0..1.0).contains(part))
        && white[1] > 0.05
}
