//! The cells whose latency is compared: typical input of a learner, in the order of a first lesson.

/// A representative cell.
pub struct Cell {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    source: &'static str,
    /// Whether it must fail to compile.
    pub fails: bool,
}

const fn cell(name: &'static str, source: &'static str) -> Cell {
    Cell { name, source, fails: false }
}

/// `ROUND` is replaced by a number that is new in every round, because an unchanged cell would be
/// served from the compiler's incremental cache, which is not what learners experience.
pub const CELLS: [Cell; 12] = [
    cell("let", "let samples: i64 = 40 + ROUND;"),
    cell("expression", "samples * 2 + ROUND"),
    cell("println", r#"println!("round ROUND: {samples} samples");"#),
    cell(
        "function",
        "fn norm(values: &[f64]) -> f64 {\n    values.iter().map(|v| v * v).sum::<f64>().sqrt() + \
        ROUND.0\n}",
    ),
    cell("call", "norm(&[3.0, 4.0, ROUND.0])"),
    cell("question-mark", r#"let parsed: i64 = "4ROUND".parse::<i64>()?;"#),
    cell(
        "iterator",
        "let scale = ROUND;\n(1..=1000u64).map(|i| i * i + scale).filter(|i| i % 3 == \
        0).sum::<u64>()",
    ),
    cell(
        "struct",
        "#[derive(Debug, Clone)]\nstruct Particle {\n    mass: f64,\n    velocity: \
        f64,\n}\n\nimpl Particle {\n    fn energy(&self) -> f64 {\n        \
         0.5 * self.mass * self.velocity * self.velocity + ROUND.0\n    }\n}",
    ),
    cell(
        "vector",
        "let field: Vec<f64> = (0..100_000).map(|i| (i as f64 + \
        ROUND.0).sqrt()).collect();\nfield.iter().sum::<f64>()",
    ),
    cell("helper", "Pool::new(2).map(|x| x * x + ROUND, &[1, 2, 3, 4])"),
    cell("display", r#"Html::new("<b>round ROUND</b>")"#),
    Cell { name: "error", source: r#"let wrong: i64 = "ROUND";"#, fails: true },
];

impl Cell {
    /// Its source in this round.
    pub fn source(&self, round: usize) -> String {
        self.source.replace("ROUND", &round.to_string())
    }
}

/// Returns the cells with these names, in the order of the lesson, each after the cell it depends
/// on.
pub fn select(names: &[String]) -> Vec<&'static Cell> {
    let builds_on = |name: &str| match name {
        "expression" | "println" => Some("let"),
        "call" => Some("function"),
        _ => None,
    };
    let is_named = |name: &str| {
        names.is_empty()
            || names.iter().any(|named| named == name || builds_on(named) == Some(name))
    };
    CELLS.iter().filter(|cell| is_named(cell.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(selected: &[&str]) -> Vec<&'static str> {
        select(&selected.iter().map(ToString::to_string).collect::<Vec<_>>())
            .iter()
            .map(|cell| cell.name)
            .collect()
    }

    #[test]
    fn a_cell_brings_what_it_builds_on() {
        assert_eq!(names(&["call"]), ["function", "call"]);
        assert_eq!(
            names(&["error", "println", "expression"]),
            ["let", "expression", "println", "error"]
        );
        assert_eq!(names(&[]).len(), CELLS.len());
    }

    #[test]
    fn every_round_is_new() {
        assert!(CELLS.iter().all(|cell| cell.source(1) != cell.source(2)));
        assert!(CELLS.iter().all(|cell| !cell.source(1).contains("ROUND")));
    }
}
