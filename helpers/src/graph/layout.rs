//! The positions of boxes and arrows: from left to right in layers (Sugiyama, Tagawa and Toda,
//! 1981), simplified.
//!
//! A task's layer is the number of arrows that must come before it. Arrows that skip layers get a
//! slot of their own in each of them (a *bend*), so that they pass between boxes and not behind
//! them. Within a layer, slots are sorted by the average position of their neighbours, forward and
//! backward; heights then follow the neighbours as closely as the order allows.

use super::check::Links;

/// The finished layout; all coordinates in pixels, without margins.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The left edge and the middle of each task.
    pub(super) boxes: Vec<(f64, f64)>,
    /// For each arrow, its two tasks and the bends between them.
    pub(super) arrows: Vec<(usize, usize, Vec<Bend>)>,
}

/// Where an arrow passes a layer: left end, right end, height.
pub(super) type Bend = (f64, f64, f64);

/// Between two layers, space for the arrows.
const GAP: f64 = 44.0;

/// A box or a bend in a layer.
struct Slot {
    layer: usize,
    /// Half of its height.
    half: f64,
    left: Vec<usize>,
    right: Vec<usize>,
    y: f64,
}

/// `sizes` are the widths and heights of the boxes.
pub(super) fn layout(links: &Links, sizes: &[(f64, f64)]) -> Layout {
    let layers = layers(links);
    let mut slots: Vec<Slot> = (0..sizes.len())
        .map(|task| Slot {
            layer: layers[task],
            half: sizes[task].1 / 2.0 + 7.0,
            left: Vec::new(),
            right: Vec::new(),
            y: 0.0,
        })
        .collect();
    let mut arrows = Vec::new();
    for (to, needs) in links.before.iter().enumerate() {
        for &from in needs {
            let mut bends = Vec::new();
            let mut last = from;
            for layer in layers[from] + 1..layers[to] {
                let bend = slots.len();
                slots.push(Slot { layer, half: 9.0, left: vec![last], right: Vec::new(), y: 0.0 });
                slots[last].right.push(bend);
                bends.push(bend);
                last = bend;
            }
            slots[last].right.push(to);
            slots[to].left.push(last);
            arrows.push((from, to, bends));
        }
    }
    let num_layers = layers.iter().map(|layer| layer + 1).max().unwrap_or(0);
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); num_layers];
    slots.iter().enumerate().for_each(|(index, slot)| columns[slot.layer].push(index));
    columns.iter().for_each(|column| settle(&mut slots, column, |_| 0.0));
    // The last round goes forward: a task that combines several others is in the middle of them.
    for round in 0..9 {
        let forward = round % 2 == 0;
        let neighbours = |slot: &Slot| if forward { slot.left.clone() } else { slot.right.clone() };
        let order: Vec<usize> =
            if forward { (0..num_layers).collect() } else { (0..num_layers).rev().collect() };
        for layer in order {
            let wishes: Vec<f64> = (0..slots.len())
                .map(|index| preferred(&slots, index, &neighbours(&slots[index])))
                .collect();
            // The first rounds determine the order within a layer; the last ones only move heights.
            if round < 6 {
                columns[layer].sort_by(|&a, &b| wishes[a].total_cmp(&wishes[b]));
            }
            settle(&mut slots, &columns[layer], |index| wishes[index]);
        }
    }
    let mut x = 0.0;
    let mut lefts = Vec::new();
    let mut rights = Vec::new();
    for column in &columns {
        let width = column
            .iter()
            .filter_map(|&index| sizes.get(index))
            .map(|size| size.0)
            .fold(0.0, f64::max);
        lefts.push(x);
        rights.push(x + width);
        x += width + GAP;
    }
    let top = slots.iter().map(|slot| slot.y - slot.half).fold(f64::INFINITY, f64::min);
    let bottom = slots.iter().map(|slot| slot.y + slot.half).fold(f64::NEG_INFINITY, f64::max);
    // Boxes are centred in their layer.
    let boxes = (0..sizes.len())
        .map(|task| {
            (
                (lefts[layers[task]] + rights[layers[task]] - sizes[task].0) / 2.0,
                slots[task].y - top,
            )
        })
        .collect();
    let bend = |index: usize| {
        (lefts[slots[index].layer], rights[slots[index].layer], slots[index].y - top)
    };
    let arrows = arrows
        .into_iter()
        .map(|(from, to, bends)| (from, to, bends.into_iter().map(bend).collect()))
        .collect();
    Layout { width: (x - GAP).max(0.0), height: (bottom - top).max(0.0), boxes, arrows }
}

/// A task is to the right of everything it waits for; a task without predecessors is just left of
/// its first successor.
fn layers(links: &Links) -> Vec<usize> {
    let mut layers = vec![0; links.before.len()];
    for &task in &links.order {
        layers[task] = links.before[task].iter().map(|&need| layers[need] + 1).max().unwrap_or(0);
    }
    for task in 0..layers.len() {
        if links.before[task].is_empty() {
            layers[task] =
                links.after[task].iter().map(|&next| layers[next] - 1).min().unwrap_or(0);
        }
    }
    layers
}

/// The preferred height of a slot: level with its neighbours; without neighbours, its current one.
fn preferred(slots: &[Slot], index: usize, neighbours: &[usize]) -> f64 {
    if neighbours.is_empty() {
        return slots[index].y;
    }
    neighbours.iter().map(|&other| slots[other].y).sum::<f64>() / neighbours.len() as f64
}

/// Moves the slots of a column, keeping their order, as close to their preferred heights as
/// possible (least squares) without overlap.
///
/// After subtracting the space they need, this is isotonic regression: neighbours in the wrong
/// order are merged at their mean.
fn settle(slots: &mut [Slot], column: &[usize], preferred: impl Fn(usize) -> f64) {
    let mut offset = 0.0;
    // Mean, number of slots.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    let mut offsets = Vec::new();
    for (position, &index) in column.iter().enumerate() {
        if position > 0 {
            offset += slots[column[position - 1]].half + slots[index].half;
        }
        offsets.push(offset);
        let mut block = (preferred(index) - offset, 1);
        while let Some(&(mean, count)) = blocks.last()
            && mean > block.0
        {
            blocks.pop();
            block = (
                (mean * count as f64 + block.0 * block.1 as f64) / (count + block.1) as f64,
                count + block.1,
            );
        }
        blocks.push(block);
    }
    let heights = blocks.into_iter().flat_map(|(mean, count)| std::iter::repeat_n(mean, count));
    for ((&index, offset), height) in column.iter().zip(offsets).zip(heights) {
        slots[index].y = height + offset;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Graph;
    use super::*;

    fn laid_out(graph: &Graph) -> (Layout, Vec<(f64, f64)>) {
        let links = Links::of(graph).unwrap();
        let sizes = vec![(60.0, 30.0); graph.len()];
        (layout(&links, &sizes), sizes)
    }

    /// Arrows go from left to right, and no two boxes overlap; also in larger graphs.
    #[test]
    fn boxes_do_not_overlap_and_arrows_point_right() {
        let mut graph = Graph::new();
        for task in 0..40usize {
            let needs: Vec<String> = [task / 2, task / 3, task * 7 % (task + 1)]
                .iter()
                .filter(|&&need| need < task)
                .map(|need| format!("{need}"))
                .collect();
            graph = graph.task(format!("{task}"), 1).after(needs);
        }
        let (layout, sizes) = laid_out(&graph);
        for (from, to, bends) in &layout.arrows {
            let mut x = layout.boxes[*from].0 + sizes[*from].0;
            for (left, right, _) in bends {
                assert!(x < *left && left <= right);
                x = *right;
            }
            assert!(x < layout.boxes[*to].0);
        }
        for (a, one) in layout.boxes.iter().enumerate() {
            assert!(
                one.0 >= 0.0
                    && one.0 + 60.0 <= layout.width
                    && one.1 >= 15.0
                    && one.1 <= layout.height - 15.0,
                "{one:?}"
            );
            for other in &layout.boxes[a + 1..] {
                assert!(
                    (one.0 - other.0).abs() >= 60.0 || (one.1 - other.1).abs() >= 30.0,
                    "{one:?} {other:?}"
                );
            }
        }
    }

    #[test]
    fn a_chain_is_a_straight_line_and_nothing_is_nothing() {
        let (layout, _) = laid_out(
            &Graph::new().task("a", 1).task("b", 1).after(["a"]).task("c", 1).after(["b"]),
        );
        assert!(layout.boxes.iter().all(|slot| slot.1 == layout.boxes[0].1), "{layout:?}");
        let (empty, _) = laid_out(&Graph::new());
        assert_eq!((empty.width, empty.height), (0.0, 0.0));
    }
}
