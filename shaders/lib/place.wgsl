// Where a product reads its image. A pixel and a tap of the kernel meet in one element: their rows and columns add up,
// and what falls outside the image is zero. The sum of two places is never worked out by division.
struct Place {
    // Of a pixel the first row of its image among all, of a tap the channel.
    base: u32,
    // Row and column; those above or left of the image wrap round to a number larger than any extent.
    y: u32,
    x: u32,
}

// The row of a place that meets no other inside an image.
const NOWHERE = 1u << 30u;

fn place(base: u32, y: u32, x: u32, there: bool) -> Place {
    return Place(base, select(NOWHERE, y, there), x);
}
