// What the cells share: a line per result, as the programs of the others print it.
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

/// The shortest of some runs, and what came of the last.
fn best<R>(runs: usize, mut work: impl FnMut() -> R) -> (f64, R) {
    let (mut shortest, mut result) = seconds(&mut work);
    for _ in 1..runs {
        let (duration, next) = seconds(&mut work);
        (shortest, result) = (shortest.min(duration), next);
    }
    (shortest, result)
}

/// Two that give the same, in turns: noise hits both. The shortest run of each, and what came of
/// it.
fn in_turns<R>(runs: usize, mut one: impl FnMut() -> R, mut other: impl FnMut() -> R) -> [(f64, R); 2] {
    let mut shortest = [seconds(&mut one), seconds(&mut other)];
    for run in 1..runs {
        // Who goes first changes, in case the one disturbs the other.
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
