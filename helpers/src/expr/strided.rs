//! Walking through arrays that do not lie in one piece, row by row.

use std::ops::Range;

/// Some elements at equal distances in memory, all from one row (one line along the last axis).
pub(super) struct Piece {
    /// Where the first one is, counted in elements from the array's first.
    pub offset: isize,
    /// From one to the next, likewise.
    pub stride: isize,
    /// Which they are of the elements that were asked for.
    pub range: Range<usize>,
}

/// Calls `f` for the pieces of elements `start..start + length` of an array, in the order of rows.
/// There must be so many elements.
pub(super) fn pieces(
    shape: &[usize],
    strides: &[isize],
    start: usize,
    length: usize,
    mut f: impl FnMut(Piece),
) {
    let (Some((&row_length, outer_shape)), Some((&stride, outer_strides))) =
        (shape.split_last(), strides.split_last())
    else {
        // No dimensions: one element.
        return if length > 0 {
            f(Piece { offset: 0, stride: 1, range: 0..length })
        };
    };
    if length == 0 {
        return;
    }
    // The indices of the row, and the place in it.
    let mut place = start % row_length;
    let mut row = start / row_length;
    let mut index = vec![0; outer_shape.len()];
    for (index, length) in index.iter_mut().zip(outer_shape).rev() {
        *index = row % length;
        row /= length;
    }
    let mut row_offset: isize =
        index.iter().zip(outer_strides).map(|(&index, stride)| index as isize * stride).sum();

    let mut done = 0;
    loop {
        let taken = (row_length - place).min(length - done);
        f(Piece {
            offset: row_offset + place as isize * stride,
            stride,
            range: done..done + taken,
        });
        done += taken;
        if done == length {
            return;
        }
        place = 0;
        // To the next row, as an odometer goes.
        for axis in (0..index.len()).rev() {
            index[axis] += 1;
            row_offset += outer_strides[axis];
            if index[axis] < outer_shape[axis] {
                break;
            }
            row_offset -= index[axis] as isize * outer_strides[axis];
            index[axis] = 0;
        }
    }
}
