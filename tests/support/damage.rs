//! What anybody sees is wrong with images, done to good ones.

use mewgan::random::stream;
use rand::RngExt;

/// Height and width of the images.
pub const SIDE: usize = 64;

/// Values of images `[count, 64, 64, 3]`.
pub type Values = Vec<f32>;

/// Every value changed by what `change(value, x, y)` gives.
pub fn changed(values: &[f32], mut change: impl FnMut(f32, usize, usize) -> f32) -> Values {
    let place = |index: usize| ((index / 3) % SIDE, (index / 3 / SIDE) % SIDE);
    values.iter().enumerate().map(|(i, &value)| change(value, place(i).0, place(i).1)).collect()
}

/// With noise of at most this much.
pub fn noisy(values: &[f32], amount: f32) -> Values {
    let mut rng = stream(5, "noise", 0);
    changed(values, |value, _, _| (value + rng.random_range(-amount..amount)).clamp(-1.0, 1.0))
}

/// With a checkerboard of single pixels, as transposed convolutions leave behind.
pub fn checkered(values: &[f32]) -> Values {
    changed(values, |value, x, y| value + if (x + y).is_multiple_of(2) { 0.06 } else { -0.06 })
}

/// Means over 3 x 3 pixels.
pub fn blurred(values: &[f32]) -> Values {
    let len = SIDE * SIDE * 3;
    let at = |i: usize, x: usize, y: usize| values[i / len * len + (y * SIDE + x) * 3 + i % 3];
    let near = |at: usize| at.saturating_sub(1)..=(at + 1).min(SIDE - 1);
    let mut index = 0;
    changed(values, |_, x, y| {
        let around: Vec<f32> = near(y).flat_map(|y| near(x).map(move |x| at(index, x, y))).collect();
        index += 1;
        around.iter().sum::<f32>() / around.len() as f32
    })
}

/// All of them redder by the same amount.
pub fn tinted(values: &[f32], amount: f32) -> Values {
    values.chunks(3).flat_map(|pixel| [pixel[0] + amount, pixel[1], pixel[2]]).collect()
}

/// As many images, but only the first few different ones.
pub fn few(values: &[f32], kept: usize) -> Values {
    values[..kept * SIDE * SIDE * 3].iter().copied().cycle().take(values.len()).collect()
}
