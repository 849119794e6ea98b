// Shared by the cells: prints a line per result, like the C and Python programs.
fn emit(row: &str, of: &str, seconds: f64, value: Option<f64>, peak_bytes: Option<f64>) {
    let or_null = |number: Option<f64>| number.map_or("null".to_string(), |number| format!("{number:?}"));
    let (value, peak_bytes) = (or_null(value), or_null(peak_bytes));
    println!("{{\"row\": {row:?}, \"of\": {of:?}, \"seconds\": {seconds:?}, \"value\": {value}, \"peak_bytes\": {peak_bytes}}}");
}

fn seconds<R>(work: impl FnOnce() -> R) -> (f64, R) {
    let begun = Instant::now();
    let result = work();
    (begun.elapsed().as_secs_f64(), result)
}

/// The time of the fastest run, and the result of the last.
fn best<R>(runs: usize, mut work: impl FnMut() -> R) -> (f64, R) {
    let (mut shortest, mut result) = seconds(&mut work);
    for _ in 1..runs {
        let (duration, next) = seconds(&mut work);
        (shortest, result) = (shortest.min(duration), next);
    }
    (shortest, result)
}

/// Alternates between two equivalent functions, so that noise affects both. Returns the fastest run
/// of each, with its result.
fn in_turns<R>(runs: usize, mut one: impl FnMut() -> R, mut other: impl FnMut() -> R) -> [(f64, R); 2] {
    let mut shortest = [seconds(&mut one), seconds(&mut other)];
    for run in 1..runs {
        // The order alternates, in case one disturbs the other.
        let next = if run % 2 == 0 {
            [seconds(&mut one), seconds(&mut other)]
        } else {
            let second = seconds(&mut other);
            [seconds(&mut one), second]
        };
        for (shortest, next) in shortest.iter_mut().zip(next) {
            if next.0 < shortest.0 {
                *shortest = next;
            }
        }
    }
    shortest
}
