//! A part of a grid.

use std::ops::Range;

/// A rectangle of a two-dimensional grid: these rows, these columns.
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
    /// How many rows and columns it has.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows.len(), self.cols.len())
    }

    /// How many cells it has.
    pub fn len(&self) -> usize {
        self.rows.len() * self.cols.len()
    }

    /// Whether it has no cells: in a grid with fewer rows or columns than parts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the cell in this row and column belongs to it.
    pub fn contains(&self, (row, col): (usize, usize)) -> bool {
        self.rows.contains(&row) && self.cols.contains(&col)
    }

    /// The tile and `n` cells more on each side, as far as the grid of this shape goes: what a
    /// worker must know to compute the tile when each cell depends on its neighbours.
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

    /// Whether the two have a common side: not only a corner, and no common cells. Empty tiles have
    /// none.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let tiles = grid::tiles((90, 90), (3, 3));
    /// let neighbours: Vec<usize> = (0..9).filter(|&other| tiles[4].is_beside(&tiles[other])).collect();
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
