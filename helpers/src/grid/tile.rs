//! A part of a grid.

use ndarray::{ArrayBase, ArrayViewMut2, Axis, DataMut, Ix2};
use std::ops::Range;

/// A rectangle of a two-dimensional grid: a range of rows and a range of columns.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let tile = grid::tiles((100, 100), (2, 2))[3].clone();
/// assert_eq!((tile.rows.clone(), tile.cols.clone()), (50..100, 50..100));
/// let image = Array2::<u8>::zeros((100, 100));
/// assert_eq!(image.slice(s![tile.rows.clone(), tile.cols.clone()]).len(), tile.len());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Tile {
    /// Its rows in the grid.
    pub rows: Range<usize>,
    /// Its columns in the grid.
    pub cols: Range<usize>,
}

impl Tile {
    /// The number of rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows.len(), self.cols.len())
    }

    /// The number of cells.
    pub fn len(&self) -> usize {
        self.rows.len() * self.cols.len()
    }

    /// Whether it has no cells, because the grid has fewer rows or columns than parts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it contains the cell in this row and column.
    pub fn contains(&self, (row, col): (usize, usize)) -> bool {
        self.rows.contains(&row) && self.cols.contains(&col)
    }

    /// The tile with `n` more cells on each side, within the grid of this shape: what a worker must
    /// know to compute the tile if each cell depends on its neighbours.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let tile = grid::tiles((100, 100), (2, 2))[1].clone();
    /// let with_halo = tile.with_halo(1, (100, 100));
    /// assert_eq!((with_halo.rows, with_halo.cols), (0..51, 49..100));
    /// ```
    pub fn with_halo(&self, n: usize, (rows, cols): (usize, usize)) -> Tile {
        let wider = |range: &Range<usize>, end: usize| {
            range.start.saturating_sub(n)..range.end.saturating_add(n).min(end)
        };
        Tile { rows: wider(&self.rows, rows), cols: wider(&self.cols, cols) }
    }

    /// Whether the two share a side: not only a corner, and no cells. Empty tiles have no
    /// neighbours.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let tiles = grid::tiles((90, 90), (3, 3));
    /// let neighbours: Vec<usize> =
    ///     (0..9).filter(|&other| tiles[4].is_beside(&tiles[other])).collect();
    /// assert_eq!(neighbours, [1, 3, 5, 7]);
    /// ```
    pub fn is_beside(&self, other: &Tile) -> bool {
        let meet = |a: &Range<usize>, b: &Range<usize>| a.end == b.start || b.end == a.start;
        let overlap = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
        let beside = meet(&self.cols, &other.cols) && overlap(&self.rows, &other.rows);
        let above = meet(&self.rows, &other.rows) && overlap(&self.cols, &other.cols);
        !self.is_empty() && !other.is_empty() && (beside || above)
    }
}

/// Splits a grid of this many rows and columns into `parts.0` × `parts.1` tiles, in rows from the
/// top left to the bottom right.
///
/// The numbers of rows of any two tiles differ by at most one, as do the numbers of columns; the
/// larger tiles come first, as in NumPy's `array_split`. The number of tiles is always as
/// requested; some are empty if, and only if, the grid has fewer rows or columns than parts.
///
/// # Panics
///
/// Panics if the number of parts is 0.
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

/// Splits an array like [`tiles`], and returns each tile with its part of the array, writable.
///
/// The parts do not overlap, so threads may write them at the same time, for example with
/// `into_par_iter()`. Nothing is copied.
///
/// # Panics
///
/// Panics if the number of parts is 0.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let mut owners = Array2::<usize>::zeros((4, 4));
/// let tiles = grid::tiles_mut(&mut owners, (2, 2));
/// tiles.into_par_iter().enumerate().for_each(|(number, (_, mut part))| part.fill(number));
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

/// Splits `0..length` into `parts` neighbouring ranges, the longer ones first.
#[track_caller]
fn cuts(length: usize, parts: usize) -> Vec<Range<usize>> {
    assert!(parts > 0, "a grid cannot be split into 0 parts");
    let (each, longer) = (length / parts, length % parts);
    let start = |part: usize| part * each + part.min(longer);
    (0..parts).map(|part| start(part)..start(part + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halo_ends_at_the_grid() {
        let tile = Tile { rows: 0..3, cols: 4..6 };
        assert_eq!(tile.with_halo(0, (10, 10)), tile);
        assert_eq!(tile.with_halo(2, (10, 7)), Tile { rows: 0..5, cols: 2..7 });
        assert_eq!(tile.with_halo(usize::MAX, (10, 7)), Tile { rows: 0..10, cols: 0..7 });
    }

    #[test]
    fn corners_and_empty_tiles_are_no_neighbours() {
        let tile = Tile { rows: 0..3, cols: 0..3 };
        assert!(tile.is_beside(&Tile { rows: 2..5, cols: 3..6 }));
        assert!(!tile.is_beside(&Tile { rows: 3..5, cols: 3..6 }));
        assert!(!tile.is_beside(&Tile { rows: 0..3, cols: 3..3 }));
        assert!(!tile.is_beside(&tile));
    }
}
