//! Splitting a two-dimensional grid into tiles, for workers that share a domain: images,
//! simulations, matrices.
//!
//! [`tiles`] returns the rows and columns of each part; [`tiles_mut`] cuts an array into parts that
//! several threads can write at the same time, and the compiler knows that no two of them overlap.
//! [`draw`] shows the parts.
//!
//! ```
//! use parcourse::prelude::*;
//! let mut heights = Array2::<f64>::zeros((600, 800));
//! grid::tiles_mut(&mut heights, (3, 4)).into_par_iter().for_each(|(tile, mut part)| {
//!     for ((i, j), height) in part.indexed_iter_mut() {
//!         // The place in the whole grid.
//!         let (row, column) = (tile.rows.start + i, tile.cols.start + j);
//!         *height = (row * column) as f64;
//!     }
//! });
//! assert_eq!(heights[[599, 799]], 599.0 * 799.0);
//! ```

mod draw;
mod tile;

pub use draw::draw;
pub use tile::{Tile, tiles, tiles_mut};
