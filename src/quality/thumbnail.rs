use crate::size::Size;

/// How large an image of `size` is as a thumbnail: either side at most `most` pixels.
pub fn thumbnail_size(size: Size, most: usize) -> Size {
    size.map(|side| side.min(most))
}

/// An image `[height, width, channels]` with either side at most `most` pixels: each the mean of the pixels it stands for,
/// which are a rectangle of whole ones. An image that is smaller stays as it is.
pub fn thumbnail(image: &[f32], size: Size, channels: usize, most: usize) -> Vec<f32> {
    let small = thumbnail_size(size, most);
    if small == size {
        return image.to_vec();
    }
    let cell = |index: usize, side: usize, small: usize| index * side / small..(index + 1) * side / small;
    let mean = |y: usize, x: usize, channel: usize| {
        let (rows, columns) = (cell(y, size.height, small.height), cell(x, size.width, small.width));
        let count = rows.len() * columns.len();
        let pixels =
            rows.flat_map(|row| columns.clone().map(move |column| (row * size.width + column) * channels));
        let sum: f32 = pixels.map(|pixel| image[pixel + channel]).sum();
        sum / count as f32
    };
    let pixels = (0..small.area()).map(|index| (index / small.width, index % small.width));
    pixels
        .flat_map(|(y, x)| (0..channels).map(move |channel| (y, x, channel)))
        .map(|(y, x, c)| mean(y, x, c))
        .collect()
}
