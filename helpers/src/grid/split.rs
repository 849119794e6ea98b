//! Cutting a grid into tiles of nearly the same size.

use super::Tile;
use ndarray::{ArrayBase, ArrayViewMut2, Axis, DataMut, Ix2};
use std::ops::Range;

/// Splits a grid of so many rows and columns into `parts.0` × `parts.1` tiles, in rows from the top
/// left to the bottom right.
///
/// The numbers of rows of any two tiles differ by one at most, as do the numbers of columns; the
/// larger tiles come first, as in NumPy's `array_split`. There are as many tiles as asked for: some
/// are empty if, and only if, the grid has fewer rows or columns than parts.
///
/// # Panics
///
/// When the grid is to be split into no parts.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let tiles = grid::tiles((100, 300), (3, 1));
/// let rows: Vec<_> = tiles.iter().map(|tile| tile.rows.clone()).collect();
/// assert_eq!(rows, [0..34, 34..67, 67..100]);
/// ```
#[track_caller]
pub fn tiles(shape: (usize, usize), parts: (usize, usize)) -> Vec<Tile> {
    let (rows, cols) = (cuts(shape.0, parts.0), cuts(shape.1, parts.1));
    rows.iter()
        .flat_map(|rows| cols.iter().map(|cols| Tile { rows: rows.clone(), cols: cols.clone() }))
        .collect()
}

/// Splits an array as [`tiles`] does, and gives each tile with its part of the array, to be
/// written.
///
/// The parts do not overlap, so that threads may write them at the same time: with
/// `into_par_iter()`, say. Nothing is copied.
///
/// # Panics
///
/// When the array is to be split into no parts.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let mut owners = Array2::<usize>::zeros((4, 4));
/// grid::tiles_mut(&mut owners, (2, 2)).into_par_iter().enumerate().for_each(|(number, (_, mut part))| part.fill(number));
/// assert_eq!(owners, array![[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]);
/// ```
#[track_caller]
pub fn tiles_mut<S>(
    array: &mut ArrayBase<S, Ix2>,
    parts: (usize, usize),
) -> Vec<(Tile, ArrayViewMut2<'_, S::Elem>)>
where
    S: DataMut,
{
    let (row_cuts, col_cuts) = (cuts(array.nrows(), parts.0), cuts(array.ncols(), parts.1));
    let mut tiles = Vec::with_capacity(row_cuts.len() * col_cuts.len());
    let mut below = array.view_mut();
    for rows in &row_cuts {
        let (mut strip, rest) = below.split_at(Axis(0), rows.len());
        below = rest;
        for cols in &col_cuts {
            let (part, rest) = strip.split_at(Axis(1), cols.len());
            strip = rest;
            tiles.push((Tile { rows: rows.clone(), cols: cols.clone() }, part));
        }
    }
    tiles
}

/// So many neighbouring ranges that make up `0..length`, the longer ones first.
#[track_caller]
fn cuts(length: usize, parts: usize) -> Vec<Range<usize>> {
    assert!(parts > 0, "a grid cannot be split into 0 parts");
    let (each, longer) = (length / parts, length % parts);
    let start = |part: usize| part * each + part.min(longer);
    (0..parts).map(|part| start(part)..start(part + 1)).collect()
}
