//! The benchmarks, and what they are compared with.

/// One benchmark: a cell, and programs that do the same.
pub struct Benchmark {
    /// On the command line and in JSON.
    pub name: &'static str,
    /// Defines `measure_NAME(size, runs, threads)`.
    pub cell: &'static str,
    pub peers: &'static [Peer],
    pub rows: &'static [Row],
    pub size: usize,
    /// For `--quick`.
    pub small: usize,
}

/// One measurement of all peers.
pub struct Row {
    pub name: &'static str,
    /// SIZE is replaced by the problem size.
    pub title: &'static str,
    /// The allowed relative difference from our result, for a given problem size.
    pub tolerance: fn(f64) -> f64,
}

/// An implementation to compare with.
pub struct Peer {
    /// Its name in the lines it prints.
    pub name: &'static str,
    pub in_words: &'static str,
    pub program: Program,
}

/// How to run it, with `SIZE RUNS THREADS NAME` as arguments.
pub enum Program {
    /// In our own cell, in alternation with our side.
    Cell,
    C {
        source: &'static str,
        flags: &'static [&'static str],
    },
    Python {
        source: &'static str,
    },
}

impl Peer {
    pub fn is_python(&self) -> bool {
        matches!(self.program, Program::Python { .. })
    }
}

/// The name of our side.
pub const OURS: &str = "ours";

const fn python(name: &'static str, in_words: &'static str, source: &'static str) -> Peer {
    Peer { name, in_words, program: Program::Python { source } }
}

const fn c(
    name: &'static str,
    in_words: &'static str,
    source: &'static str,
    flags: &'static [&'static str],
) -> Peer {
    Peer { name, in_words, program: Program::C { source, flags } }
}

const fn cell(name: &'static str, in_words: &'static str) -> Peer {
    Peer { name, in_words, program: Program::Cell }
}

const EXACT: fn(f64) -> f64 = |_| 0.0;

const EXPRESSION_C: &str = include_str!("programs/expression.c");
const MANDELBROT_C: &str = include_str!("programs/mandelbrot.c");

pub const BENCHMARKS: [Benchmark; 5] = [
    Benchmark {
        name: "pool",
        cell: include_str!("programs/pool.rs"),
        peers: &[cell("rayon", "plain rayon")],
        rows: &[
            Row { name: "map-few", title: "Pool::map, 1,000 items of 1 µs", tolerance: EXACT },
            Row {
                name: "sum-few",
                title: "reproducible_sum, 1,000 items of 1 µs",
                tolerance: |_| 1e-12,
            },
            Row { name: "map-many", title: "Pool::map, SIZE items of 1 µs", tolerance: EXACT },
            Row {
                name: "sum-many",
                title: "reproducible_sum, SIZE items of 1 µs",
                tolerance: |_| 1e-12,
            },
        ],
        size: 100_000,
        small: 100_000,
    },
    Benchmark {
        name: "processes",
        cell: include_str!("programs/processes.rs"),
        peers: &[
            cell("persistent", "ours, PersistentPool"),
            python(
                "multiprocessing",
                "multiprocessing, fork",
                include_str!("programs/processes_multiprocessing.py"),
            ),
            python("joblib", "joblib, loky", include_str!("programs/processes_joblib.py")),
        ],
        rows: &[
            Row {
                name: "processes-start",
                title: "4 processes: start and one map of 100 tasks",
                tolerance: EXACT,
            },
            Row {
                name: "processes-second",
                title: "4 processes: a second map of 100 tasks",
                tolerance: EXACT,
            },
            Row {
                name: "processes-task",
                title: "4 processes: one of SIZE tasks, in chunks",
                tolerance: EXACT,
            },
            Row {
                name: "processes-single",
                title: "4 processes: one of SIZE tasks, one by one",
                tolerance: EXACT,
            },
        ],
        size: 10_000,
        small: 200,
    },
    Benchmark {
        name: "expression",
        cell: include_str!("programs/expression.rs"),
        peers: &[
            python("numpy", "numpy, one thread", include_str!("programs/expression_numpy.py")),
            python("numba", "numba, parallel", include_str!("programs/expression_numba.py")),
            python("dask", "dask.array, threads", include_str!("programs/expression_dask.py")),
            c("c", "C, -O3 OpenMP", EXPRESSION_C, &["-O3"]),
            c("c-fast", "C, -O3 -ffast-math OpenMP", EXPRESSION_C, &["-O3", "-ffast-math"]),
            c(
                "c-native",
                "C, the same and -march=native",
                EXPRESSION_C,
                &["-O3", "-ffast-math", "-march=native"],
            ),
        ],
        // Vector math libraries are inaccurate in the last bits, and large sums depend on the
        // order.
        rows: &[Row {
            name: "expression",
            title: "Σ sin(a) ln(a) a², SIZE doubles",
            tolerance: |_| 1e-9,
        }],
        size: 100_000_000,
        small: 1_000_000,
    },
    Benchmark {
        name: "mandelbrot",
        cell: include_str!("programs/mandelbrot.rs"),
        peers: &[
            python("numba", "numba, parallel", include_str!("programs/mandelbrot_numba.py")),
            c("c", "C, -O3 OpenMP", MANDELBROT_C, &["-O3"]),
        ],
        // Some points are chaotic: their escape times depend on whether multiplication and addition
        // are fused.
        rows: &[Row {
            name: "mandelbrot",
            title: "Mandelbrot set, SIZE × SIZE, 1024 iterations",
            tolerance: |_| 1e-4,
        }],
        size: 1024,
        small: 128,
    },
    Benchmark {
        name: "pi",
        cell: include_str!("programs/pi.rs"),
        peers: &[python("numba", "numba, parallel", include_str!("programs/pi_numba.py"))],
        // Seven standard deviations of the difference.
        rows: &[Row {
            name: "pi",
            title: "π by Monte Carlo, SIZE samples",
            tolerance: |samples| 5.0 / samples.sqrt(),
        }],
        size: 100_000_000,
        small: 1_000_000,
    },
];

impl Benchmark {
    /// The problem size, reduced if memory is short: numpy holds the array, two more of the same
    /// size, and briefly a third.
    pub fn size(&self, quick: bool, available: Option<u64>) -> usize {
        const MILLION: usize = 1_000_000;
        match (quick, self.name, available) {
            (true, ..) => self.small,
            (false, "expression", Some(available)) => {
                let fits = (available / 2 / (4 * size_of::<f64>() as u64)) as usize;
                self.size.min((fits / MILLION).max(1) * MILLION)
            }
            _ => self.size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique() {
        let rows = || BENCHMARKS.iter().flat_map(|benchmark| benchmark.rows);
        assert_eq!(rows().map(|row| row.name).collect::<HashSet<_>>().len(), rows().count());
        for benchmark in &BENCHMARKS {
            let names: HashSet<&str> =
                benchmark.peers.iter().map(|peer| peer.name).chain([OURS]).collect();
            assert_eq!(names.len(), benchmark.peers.len() + 1);
        }
    }

    #[test]
    fn a_small_machine_gets_a_smaller_problem() {
        let expression =
            BENCHMARKS.iter().find(|benchmark| benchmark.name == "expression").unwrap();
        assert_eq!(expression.size(false, None), 100_000_000);
        assert_eq!(expression.size(false, Some(64 << 30)), 100_000_000);
        assert_eq!(expression.size(false, Some(2 << 30)), 33_000_000);
        assert_eq!(expression.size(false, Some(1 << 20)), 1_000_000);
        assert_eq!(expression.size(true, Some(64 << 30)), 1_000_000);
    }
}
