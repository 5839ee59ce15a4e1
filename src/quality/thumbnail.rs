/// An image `[side, side, channels]` at `small` pixels a side: each the mean of the pixels it stands for, which are a
/// rectangle of whole ones. An image that is smaller stays as it is.
pub fn thumbnail(image: &[f32], side: usize, channels: usize, small: usize) -> Vec<f32> {
    if side <= small {
        return image.to_vec();
    }
    let cell = |index: usize| index * side / small..(index + 1) * side / small;
    let mean = |y: usize, x: usize, channel: usize| {
        let rows = cell(y).flat_map(|row| cell(x).map(move |column| (row * side + column) * channels));
        let sum: f32 = rows.map(|pixel| image[pixel + channel]).sum();
        sum / (cell(y).len() * cell(x).len()) as f32
    };
    let pixels = (0..small * small).map(|index| (index / small, index % small));
    pixels
        .flat_map(|(y, x)| (0..channels).map(move |channel| (y, x, channel)))
        .map(|(y, x, c)| mean(y, x, c))
        .collect()
}
