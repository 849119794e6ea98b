//! The single cells: the building blocks of a lesson on parallel computing, as short as possible.

pub struct Cell {
    pub name: &'static str,
    source: &'static str,
}

const fn cell(name: &'static str, source: &'static str) -> Cell {
    Cell { name, source }
}

/// `ROUND` is replaced by a number that is new in every round, so that nothing is compiled twice.
pub const CELLS: [Cell; 17] = [
    cell("1+1", "1 + ROUND"),
    cell("let", "let n: u64 = ROUND;"),
    cell("println", "println!(\"{}\", 40 + ROUND)"),
    cell("vector", "vec![1.5; ROUND]"),
    cell("par_iter", "(0..100_u64).into_par_iter().map(|x| x * x + ROUND).sum::<u64>()"),
    cell("threads::Pool::map", "threads::Pool::new(2).map(|x: &u64| x * x + ROUND, &[1, 2, 3])"),
    cell(
        "threads::Pool::imap",
        "for (_, y) in threads::Pool::new(2).imap(|x: u64| x + ROUND, vec![1, 2]).enumerate() { \
        drop(y) }",
    ),
    cell(
        "processes::Pool::map",
        "processes::Pool::new(2).map(|x: &u64| x * x + ROUND, &[1, 2, 3])",
    ),
    cell("lazy", "lazy(&Array1::<f64>::ones(ROUND + 10)).sin().sum()"),
    cell("timeit!", "timeit!(runs = 1, ROUND + 1)"),
    cell("time!", "time!(ROUND + 1)"),
    cell("check_fast!", "check_fast!(|| ROUND + 1, || ROUND + 2, factor = 0.001)"),
    cell("check_eq!", "check_eq!(ROUND + 1, ROUND + 1)"),
    cell("plot::line", "plot::line([0.0, ROUND.0], [1.0, 2.0])"),
    cell("memory_usage", "memory_usage(|| vec![1.0; 1000 + ROUND].len())"),
    cell("tasks::record", "tasks::record(|| tasks::task(\"a\", || ROUND))"),
    cell("progress", "for i in progress(0..ROUND + 3) { drop(i) }"),
];

impl Cell {
    /// Its source in this round.
    pub fn source(&self, round: usize) -> String {
        self.source.replace("ROUND", &round.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_is_new() {
        assert!(CELLS.iter().all(|cell| cell.source(1) != cell.source(2)));
        assert!(CELLS.iter().all(|cell| !cell.source(1).contains("ROUND")));
    }
}
