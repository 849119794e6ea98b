//! Tiles cover a grid exactly once.

use parcourse::grid::{Tile, draw, tiles, tiles_mut};
use parcourse::ndarray::ShapeBuilder;
use parcourse::prelude::*;

/// Every length around the edges of every number of parts.
fn cases() -> impl Iterator<Item = ((usize, usize), (usize, usize))> {
    let parts = [(1, 1), (2, 3), (4, 1), (1, 5), (8, 8)];
    parts.into_iter().flat_map(|(py, px)| {
        let lengths = |n: usize| [0, 1, n - 1, n, n + 1, 3 * n - 1, 100];
        lengths(py)
            .into_iter()
            .flat_map(move |rows| lengths(px).map(|cols| ((rows, cols), (py, px))))
    })
}

#[test]
fn every_cell_is_in_one_tile() {
    for (shape, parts) in cases() {
        let tiles = tiles(shape, parts);
        let mut count = Array2::<u32>::zeros(shape);
        for tile in &tiles {
            count.slice_mut(s![tile.rows.clone(), tile.cols.clone()]).mapv_inplace(|cell| cell + 1);
        }
        assert!(count.iter().all(|&count| count == 1), "{shape:?} in {parts:?}: {tiles:?}");
        assert_eq!(tiles.len(), parts.0 * parts.1);
    }
}

#[test]
fn sizes_differ_by_one_at_most() {
    for (shape, parts) in cases() {
        let tiles = tiles(shape, parts);
        for of in [(|tile: &Tile| tile.shape().0) as fn(&Tile) -> usize, |tile| tile.shape().1] {
            let (least, most) =
                (tiles.iter().map(of).min().unwrap(), tiles.iter().map(of).max().unwrap());
            assert!(most - least <= 1, "{shape:?} in {parts:?}: {tiles:?}");
        }
        let fits = shape.0 >= parts.0 && shape.1 >= parts.1;
        assert_eq!(
            tiles.iter().all(|tile| !tile.is_empty()),
            fits,
            "{shape:?} in {parts:?}: {tiles:?}"
        );
    }
}

#[test]
fn parts_that_are_written_are_the_tiles() {
    for (shape, parts) in cases() {
        let mut owners = Array2::<usize>::from_elem(shape, usize::MAX);
        let cut = tiles_mut(&mut owners, parts);
        let only_tiles: Vec<Tile> = cut.iter().map(|(tile, _)| tile.clone()).collect();
        assert_eq!(only_tiles, tiles(shape, parts));
        cut.into_par_iter().enumerate().for_each(|(number, (tile, mut part))| {
            assert_eq!(part.dim(), tile.shape());
            part.fill(number);
        });
        for (number, tile) in only_tiles.iter().enumerate() {
            assert!(
                owners
                    .slice(s![tile.rows.clone(), tile.cols.clone()])
                    .iter()
                    .all(|&owner| owner == number)
            );
        }
    }
}

#[test]
fn any_layout_of_memory_can_be_split() {
    let mut columns_first = Array2::<usize>::zeros((5, 7).f());
    tiles_mut(&mut columns_first, (2, 2))
        .into_par_iter()
        .for_each(|(tile, mut part)| part.fill(tile.len()));
    assert_eq!(
        columns_first.sum(),
        tiles((5, 7), (2, 2)).iter().map(|tile| tile.len().pow(2)).sum()
    );
    let mut whole = Array2::<usize>::zeros((6, 6));
    let mut inner = whole.slice_mut(s![1..5, 1..5;2]);
    tiles_mut(&mut inner, (2, 2)).into_iter().for_each(|(_, mut part)| part.fill(1));
    assert_eq!(whole.sum(), 8);
}

#[test]
fn every_worker_has_its_neighbours() {
    for (shape, parts) in cases().filter(|(shape, parts)| shape.0 >= parts.0 && shape.1 >= parts.1)
    {
        let tiles = tiles(shape, parts);
        let sides: usize = tiles
            .iter()
            .map(|tile| tiles.iter().filter(|other| tile.is_beside(other)).count())
            .sum();
        assert_eq!(
            sides,
            2 * (parts.0 * (parts.1 - 1) + parts.1 * (parts.0 - 1)),
            "{shape:?} in {parts:?}"
        );
    }
}

#[test]
#[should_panic(expected = "a grid cannot be split into 0 parts")]
fn no_parts_are_refused() {
    tiles((3, 3), (1, 0));
}

#[test]
#[should_panic(expected = "there are 4 tiles and 3 values")]
fn every_tile_has_a_value() {
    draw(&tiles((3, 3), (2, 2)), 0..3);
}

#[test]
fn splittings_are_drawn() {
    for (shape, parts) in [((0, 0), (1, 1)), ((1, 1), (2, 2)), ((5000, 3000), (7, 3))] {
        let picture = draw(&tiles(shape, parts), 0..parts.0 * parts.1);
        assert!(picture.bundle().get("image/svg+xml").unwrap().len() < 100_000);
    }
}
