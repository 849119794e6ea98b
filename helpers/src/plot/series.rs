//! The data of a chart.

use std::collections::HashSet;

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SeriesKind {
    Line,
    Points,
    Ideal,
    /// From `ys` to `highs`.
    Band,
    /// `ys`, and their errors in `highs`.
    ErrorBars,
    /// Each of `ys` spans from its x to the next one; the last is only an edge.
    Histogram,
}

impl SeriesKind {
    pub(super) fn is_area(self) -> bool {
        matches!(self, SeriesKind::Band | SeriesKind::Histogram)
    }
}

/// Points with a label.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Series {
    pub(super) kind: SeriesKind,
    pub(super) label: String,
    pub(super) xs: Vec<f64>,
    pub(super) ys: Vec<f64>,
    /// For bands and error bars only.
    pub(super) highs: Vec<f64>,
}

/// A point, and how far it extends up and down.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Point {
    pub(super) fn scaled(self, x: f64, y: f64) -> Point {
        Point { x: self.x * x, y: self.y * y, low: self.low * y, high: self.high * y }
    }
}

impl Series {
    pub(super) fn points(&self) -> impl Iterator<Item = Point> {
        self.xs.iter().zip(&self.ys).enumerate().map(|(index, (&x, &y))| match self.kind {
            SeriesKind::Band => Point { x, y, low: y, high: self.highs[index] },
            SeriesKind::ErrorBars => {
                Point { x, y, low: y - self.highs[index].abs(), high: y + self.highs[index].abs() }
            }
            SeriesKind::Line | SeriesKind::Points | SeriesKind::Ideal | SeriesKind::Histogram => {
                Point { x, y, low: y, high: y }
            }
        })
    }
}

/// Values with one label each.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Bars {
    pub(super) labels: Vec<String>,
    pub(super) values: Vec<f64>,
}

/// The maximum number of points drawn per series.
pub(super) const MAX_POINTS: usize = 5000;

/// Thins out a line without changing its looks: of each run of neighbours, keeps the first, the
/// last and the extreme ones on all sides.
pub(super) fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if points.len() <= MAX_POINTS {
        return points;
    }
    let run = points.len().div_ceil(MAX_POINTS / 6);
    let mut kept = Vec::with_capacity(MAX_POINTS);
    for neighbours in points.chunks(run) {
        let by_height = |&a: &usize, &b: &usize| neighbours[a].1.total_cmp(&neighbours[b].1);
        let indices = 0..neighbours.len();
        let by_width = |&a: &usize, &b: &usize| neighbours[a].0.total_cmp(&neighbours[b].0);
        let mut chosen = [
            Some(0),
            indices.clone().min_by(by_height),
            indices.clone().max_by(by_height),
            indices.clone().min_by(by_width),
            indices.max_by(by_width),
            neighbours.len().checked_sub(1),
        ];
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

/// Thins out points that lie on each other: keeps the first in each small square, which grows until
/// few enough remain.
pub(super) fn scattered(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut points = points;
    let mut side = 0.5;
    while points.len() > MAX_POINTS {
        let mut taken = HashSet::new();
        points.retain(|point| taken.insert(((point.0 / side) as i64, (point.1 / side) as i64)));
        side *= 1.3;
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_ends_and_peaks() {
        for length in [MAX_POINTS + 1, 100_000, 1_234_567] {
            let mut points: Vec<(f64, f64)> =
                (0..length).map(|x| (x as f64, (x as f64 * 0.01).sin())).collect();
            points[length / 3].1 = 50.0;
            points[length / 2].1 = -50.0;
            let (first, last) = (points[0], points[length - 1]);
            let kept = thinned(points);
            assert!(kept.len() <= MAX_POINTS, "{length}: {}", kept.len());
            assert!(
                kept.contains(&((length / 3) as f64, 50.0))
                    && kept.contains(&((length / 2) as f64, -50.0))
            );
            assert_eq!((kept[0], kept[kept.len() - 1]), (first, last));
            assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
        }
    }

    #[test]
    fn scattered_points_thin_out() {
        let points: Vec<(f64, f64)> =
            (0..200_000).map(|x| (f64::from(x % 600), f64::from(x / 600))).collect();
        let kept = scattered(points);
        assert!((MAX_POINTS / 3..=MAX_POINTS).contains(&kept.len()), "{}", kept.len());
        assert_eq!(scattered(vec![(1.0, 1.0); 3]).len(), 3);
        assert_eq!(scattered(vec![(1.0, 1.0); 2 * MAX_POINTS]).len(), 1);
    }

    #[test]
    fn short_lines_stay_as_they_are() {
        let points: Vec<(f64, f64)> = (0..MAX_POINTS).map(|x| (x as f64, 0.0)).collect();
        assert_eq!(thinned(points.clone()), points);
        assert!(thinned(Vec::new()).is_empty());
    }
}
