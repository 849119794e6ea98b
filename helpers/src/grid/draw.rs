//! A picture of tiles.

use super::Tile;
use crate::plot::{self, Number, Plot};

/// Longer sides are drawn coarser than the grid: edges of tiles may be off by one cell of the
/// picture.
const MAX_CELLS: usize = 600;

/// Draws tiles, each in the colour of its value: its number, the time it took, the worker that did
/// it. Where tiles overlap, the later one is visible; cells in no tile are empty.
///
/// # Panics
///
/// Panics if there are not as many values as tiles.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let tiles = grid::tiles((600, 800), (3, 4));
/// grid::draw(&tiles, 0..12).title("Numbers of the tiles").show();
/// ```
#[track_caller]
pub fn draw(tiles: &[Tile], values: impl IntoIterator<Item: Number>) -> Plot {
    draw_values(tiles, values.into_iter().map(Number::to_f64).collect())
}

/// Not generic, so it is compiled once, here, and not in each cell.
#[track_caller]
fn draw_values(tiles: &[Tile], values: Vec<f64>) -> Plot {
    assert!(
        tiles.len() == values.len(),
        "there are {} tiles and {} values: each tile needs one value",
        tiles.len(),
        values.len()
    );
    let rows = tiles.iter().map(|tile| tile.rows.end).max().unwrap_or(0);
    let cols = tiles.iter().map(|tile| tile.cols.end).max().unwrap_or(0);
    let coarse = rows.max(cols).div_ceil(MAX_CELLS).max(1);
    let (height, width) = (rows.div_ceil(coarse), cols.div_ceil(coarse));
    let mut cells = vec![f64::NAN; width * height];
    for (tile, value) in tiles.iter().zip(&values).filter(|(tile, _)| !tile.is_empty()) {
        for row in tile.rows.start / coarse..tile.rows.end.div_ceil(coarse) {
            cells[row * width..][tile.cols.start / coarse..tile.cols.end.div_ceil(coarse)]
                .fill(*value);
        }
    }
    // The edges of the grid, rather than the centres of the picture's cells.
    let plot = plot::image(width.max(1), cells);
    if rows == 0 || cols == 0 {
        plot
    } else {
        plot.x_range(0, cols).y_range(rows, 0).x_label("column").y_label("row")
    }
}
