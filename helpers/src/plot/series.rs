//! What a chart is made of.

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Line,
    Points,
    Ideal,
}

/// Points with a label.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Series {
    pub(super) kind: Kind,
    pub(super) label: String,
    pub(super) xs: Vec<f64>,
    pub(super) ys: Vec<f64>,
}

/// Values with a label each.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Bars {
    pub(super) labels: Vec<String>,
    pub(super) values: Vec<f64>,
}

/// So many points are drawn of one line at most.
pub(super) const MOST_POINTS: usize = 5000;

/// A line with fewer points that looks the same: of each run of neighbours the first, the lowest, the highest and the last are kept.
pub(super) fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let run = points.len().div_ceil(MOST_POINTS / 4);
    let mut kept = Vec::with_capacity(MOST_POINTS);
    for neighbours in points.chunks(run) {
        let by_height = |&a: &usize, &b: &usize| neighbours[a].1.total_cmp(&neighbours[b].1);
        let indices = 0..neighbours.len();
        let mut chosen = [Some(0), indices.clone().min_by(by_height), indices.max_by(by_height), neighbours.len().checked_sub(1)];
        chosen.sort_unstable();
        let mut last = None;
        for index in chosen.into_iter().flatten() {
            if last != Some(index) {
                kept.push(neighbours[index]);
                last = Some(index);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_ends_and_peaks() {
        for length in [MOST_POINTS + 1, 100_000, 1_234_567] {
            let mut points: Vec<(f64, f64)> = (0..length).map(|x| (x as f64, (x as f64 * 0.01).sin())).collect();
            points[length / 3].1 = 50.0;
            points[length / 2].1 = -50.0;
            let (first, last) = (points[0], points[length - 1]);
            let kept = thinned(points);
            assert!(kept.len() <= MOST_POINTS, "{length}: {}", kept.len());
            assert!(kept.contains(&((length / 3) as f64, 50.0)) && kept.contains(&((length / 2) as f64, -50.0)));
            assert_eq!((kept[0], kept[kept.len() - 1]), (first, last));
            assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
        }
    }

    #[test]
    fn short_lines_stay_as_they_are() {
        let points: Vec<(f64, f64)> = (0..MOST_POINTS).map(|x| (x as f64, 0.0)).collect();
        assert_eq!(thinned(points.clone()), points);
        assert!(thinned(Vec::new()).is_empty());
    }
}
