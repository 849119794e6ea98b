//! Does `timeit!` tell the truth? The same functions measured by it and by criterion, in turns, in
//! one process.
//!
//! ```text
//! cargo run --release --manifest-path benches/accuracy/Cargo.toml
//! ```
//!
//! Printed per function: the median of each, their ratio, and the spread of the ratios over the
//! rounds. On a quiet machine they agree within 3 %; where the spread is larger than that, the
//! machine is too busy to tell.

use criterion::Criterion;
use parcourse::time::FineDuration;
use parcourse::timeit;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

const ROUNDS: usize = 5;

fn sum(values: &[f64]) -> f64 {
    values.iter().sum()
}

fn collatz(mut n: u64) -> u32 {
    let mut steps = 0;
    while n != 1 {
        n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps
}

fn sort(values: &[f64]) -> f64 {
    let mut copy = values.to_vec();
    copy.sort_by(f64::total_cmp);
    copy[copy.len() / 2]
}

fn main() {
    let values: Vec<f64> = (0..10_000u64).map(|i| (i.wrapping_mul(2_654_435_761) % 10_007) as f64).collect();
    let small = &values[..1000];
    println!("{:<24}{:>12}{:>12}{:>8}   ratios of {ROUNDS} rounds", "", "timeit!", "criterion", "ratio");
    report("sum of 1000 numbers", || timeit!(quiet, sum(small)).median(), || judge("sum", || sum(black_box(small))));
    report("collatz(97)", || timeit!(quiet, collatz(97)).median(), || judge("collatz", || collatz(black_box(97))));
    report("sort 10000 numbers", || timeit!(quiet, sort(&values)).median(), || judge("sort", || sort(black_box(&values))));
}

/// Seconds per call by criterion's median.
fn judge<T>(name: &str, mut function: impl FnMut() -> T) -> f64 {
    let folder = std::env::temp_dir().join(format!("accuracy-{}", std::process::id()));
    let mut criterion = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
        .output_directory(&folder);
    // Criterion talks to stdout; what it found is in a file.
    criterion.bench_function(name, |bencher| bencher.iter(&mut function));
    let median = estimate(&folder.join(name).join("new/estimates.json"));
    let _ = std::fs::remove_dir_all(&folder);
    median
}

fn estimate(file: &Path) -> f64 {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("failed to read {}: {error}", file.display()));
    let estimates: serde_json::Value = serde_json::from_str(&text).expect("criterion writes JSON");
    estimates["median"]["point_estimate"].as_f64().expect("criterion estimates a median") * 1e-9
}

fn report(name: &str, ours: impl Fn() -> f64, judge: impl Fn() -> f64) {
    let pairs: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (ours(), judge())).collect();
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let ratios: Vec<f64> = pairs.iter().map(|(ours, judge)| ours / judge).collect();
    let (ours, judge) = pairs.into_iter().unzip();
    let duration = |seconds: f64| FineDuration(Duration::from_secs_f64(seconds)).to_string();
    let all: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.3}")).collect();
    println!("{name:<24}{:>12}{:>12}{:>8.3}   {}", duration(median(ours)), duration(median(judge)), median(ratios), all.join(" "));
}
