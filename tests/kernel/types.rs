//! The engine infers the same types of variables from skeletons as from whole sources.

use super::PRELUDE;
use super::client::{Kernel, Setup};
use crate::support::Sandbox;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Cells with variables `t0`, `t1` …, from the fixture's lines.
fn cells() -> Vec<String> {
    let text = include_str!("../fixtures/types.txt");
    let mut number = 0;
    let mut cell = |block: &str| -> String {
        let lines = block.lines().filter(|line| !line.starts_with("# "));
        let lines = lines.map(|line| match line.strip_prefix('@') {
            Some(line) => line.to_owned(),
            None => {
                number += 1;
                format!("let t{number} = {line};")
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    text.split("\n\n").map(&mut cell).collect()
}

/// The engine's own list, parsed from `name: type` lines.
fn types(kernel: &mut Kernel) -> BTreeMap<String, String> {
    kernel.ok(PRELUDE);
    for cell in cells() {
        kernel.ok(&cell);
    }
    let variables = kernel.ok(":vars");
    let lines = variables
        .result()
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.trim().split_once(": "));
    lines
        .filter(|(name, _)| name.starts_with('t'))
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .collect()
}

#[test]
fn skeletons_tell_the_same_types() {
    let sandbox = Arc::new(Sandbox::new());
    let mut kernel = Setup::within(&sandbox).start();
    let skeletons = types(&mut kernel);
    assert!(
        !kernel.log().contains("whole sources"),
        "the skeletons lack something:\n{}",
        kernel.log()
    );
    drop(kernel);
    let expected = cells()
        .iter()
        .flat_map(|cell| cell.lines())
        .filter(|line| line.starts_with("let "))
        .count();
    assert!(expected >= 200, "{expected}");
    assert_eq!(skeletons.len(), expected, "{skeletons:?}");
    let whole =
        types(&mut Setup::within(&sandbox).variable("PARCOURSE_WHOLE_SOURCES", "1").start());
    let differences: Vec<_> =
        whole.iter().filter(|(name, kind)| skeletons.get(*name) != Some(kind)).collect();
    assert!(differences.is_empty(), "{differences:#?} instead of {skeletons:#?}");
}

/// What the skeleton lacks is available as soon as a cell names it.
#[test]
#[cfg(target_arch = "x86_64")]
fn instructions_of_the_processor_have_types() {
    let mut kernel = Kernel::start();
    kernel.ok("let before = vec![1];");
    kernel.ok("use std::arch::x86_64::*;\nlet zero = unsafe { _mm_setzero_pd() };\nlet has = \
        is_x86_feature_detected!(\"sse2\");");
    assert!(kernel.ok(":vars").all_output().contains("__m128d"));
    assert_eq!(kernel.ok("before[0]").result(), Some("1"));
}
