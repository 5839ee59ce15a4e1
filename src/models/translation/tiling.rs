//! Which windows an image is translated in.

use std::ops::Range;

/// A part of an image that is computed at once, and the part of it that is right: what is nearer to a border that is none of the
/// image's is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Row and column of the window in the image.
    pub start: [usize; 2],
    /// Rows and columns of the window that are this tile's, counted from the window's.
    pub own: [Range<usize>; 2],
}

/// The tiles of an image of `size`, all seen through windows of one size: every pixel is one tile's own.
///
/// # Panics
/// If a window that is smaller than the image has nothing within `halo` of its sides.
pub fn tiles(size: [usize; 2], window: [usize; 2], halo: usize) -> Vec<Tile> {
    let [rows, columns] = [0, 1].map(|axis| along(size[axis], window[axis], halo));
    let beside = |(top, rows): (usize, Range<usize>)| {
        let tile = move |(left, columns): (usize, Range<usize>)| Tile {
            start: [top, left],
            own: [rows.clone(), columns],
        };
        columns.clone().into_iter().map(tile)
    };
    rows.into_iter().flat_map(beside).collect()
}

/// Where windows start along an axis, and what is their own of it.
fn along(size: usize, window: usize, halo: usize) -> Vec<(usize, Range<usize>)> {
    if window >= size {
        return vec![(0, 0..size)];
    }
    assert!(window > 2 * halo, "a window of {window} pixels with a halo of {halo}");
    let (mut all, mut done) = (Vec::new(), 0);
    while done < size {
        let start = done.saturating_sub(halo).min(size - window);
        let end = if start + window == size { window } else { window - halo };
        all.push((start, done - start..end));
        done = start + end;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{along, tiles};

    #[test]
    fn every_pixel_is_one_tiles_own_and_far_from_borders_inside() {
        for (size, window, halo) in [(100, 40, 12), (96, 32, 8), (64, 64, 8), (20, 64, 8), (68, 64, 12)] {
            let mut next = 0;
            for (start, own) in along(size, window, halo) {
                assert_eq!(start + own.start, next);
                next = start + own.end;
                let (before, behind) = (start, start + window.min(size));
                assert!(behind <= size && own.end <= window.min(size));
                assert!(before == 0 || own.start >= halo, "{size} {window} {halo}: {start} {own:?}");
                assert!(
                    behind == size || window - own.end >= halo,
                    "{size} {window} {halo}: {start} {own:?}"
                );
            }
            assert_eq!(next, size);
        }
        assert_eq!(tiles([100, 96], [40, 32], 8).len(), 4 * 5);
    }
}
