//! The project's speed targets, and whether they are met.

use super::benchmarks::OURS;
use super::rows::Row;
use serde::Serialize;

/// A minimum speed of one implementation relative to another.
struct SpeedTarget {
    row: &'static str,
    of: &'static str,
    than: &'static str,
    at_least: f64,
}

const fn target(
    row: &'static str,
    of: &'static str,
    than: &'static str,
    at_least: f64,
) -> SpeedTarget {
    SpeedTarget { row, of, than, at_least }
}

const TARGETS: [SpeedTarget; 18] = [
    target("map-few", OURS, "rayon", 0.98),
    target("map-many", OURS, "rayon", 0.98),
    target("sum-few", OURS, "rayon", 0.98),
    target("sum-many", OURS, "rayon", 0.98),
    target("processes-start", OURS, "multiprocessing", 1.0),
    target("processes-start", "persistent", "multiprocessing", 1.0),
    target("processes-second", "persistent", "multiprocessing", 1.0),
    target("processes-task", OURS, "multiprocessing", 1.0),
    target("processes-task", "persistent", "multiprocessing", 1.0),
    target("processes-single", OURS, "multiprocessing", 1.0),
    target("processes-single", "persistent", "multiprocessing", 1.0),
    target("processes-second", "persistent", "joblib", 1.0),
    target("expression", OURS, "numba", 5.0),
    // At most 1.3 times as long.
    target("expression", OURS, "c-native", 1.0 / 1.3),
    target("mandelbrot", OURS, "numba", 1.0),
    target("mandelbrot", OURS, "c", 1.0),
    target("pi", OURS, "numba", 1.0),
    target("expression", OURS, "dask", 1.0),
];

/// A target and its measurement.
#[derive(Debug, Serialize)]
pub struct Target {
    pub row: &'static str,
    pub of: &'static str,
    pub than: &'static str,
    /// The required speed of `of`, relative to `than`.
    pub at_least: f64,
    /// The median over the rounds.
    pub measured: f64,
    pub met: bool,
}

/// Judges the targets for which both sides were measured.
pub fn judge(rows: &[Row]) -> Vec<Target> {
    let judged = |&SpeedTarget { row, of, than, at_least }: &SpeedTarget| {
        let row_measured = rows.iter().find(|measured| measured.name == row)?;
        let seconds = |name: &str| {
            Some(
                &row_measured
                    .sides
                    .iter()
                    .find(|side| side.name == name && side.failure.is_none())?
                    .seconds,
            )
        };
        let measured = seconds(than)?.ratios(seconds(of)?).median()?;
        Some(Target { row, of, than, at_least, measured, met: measured >= at_least })
    };
    TARGETS.iter().filter_map(judged).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::parallel::benchmarks::BENCHMARKS;

    #[test]
    fn targets_refer_to_measured_rows() {
        for target in &TARGETS {
            let benchmark = BENCHMARKS
                .iter()
                .find(|benchmark| benchmark.rows.iter().any(|row| row.name == target.row));
            let benchmark = benchmark.unwrap_or_else(|| panic!("no row {}", target.row));
            for name in [target.of, target.than] {
                assert!(
                    name == OURS || benchmark.peers.iter().any(|peer| peer.name == name),
                    "{name} is not in {}",
                    benchmark.name
                );
            }
        }
    }
}
