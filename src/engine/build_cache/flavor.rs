//! Which kernel a template is for, and what its cells are built with.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

/// The variable with which a learner or an administrator chooses the CPU that cells are compiled
/// for.
pub const TARGET_CPU: &str = "PARCOURSE_TARGET_CPU";

/// Which kernel's settings cells and dependencies are built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// Ours: cells are built for measuring.
    Parcourse,
    /// The stock evcxr_jupyter kernel: nothing is changed.
    Stock,
}

/// What the engine's own manifest asks for (debug assertions, overflow checks, 16 incremental
/// codegen units) makes benchmarks in cells mislead. Cargo lets the environment override the
/// profile. Optimisation is not in here: see `setup_commands`.
///
/// Compiling the same 14 cells (expressions, functions, a struct, rayon, ndarray, a thread) after
/// each other took, per cell, in instructions and in the best wall time of three interleaved rounds
/// on a busy machine with 2 cores:
///
/// | settings | instructions | wall |
/// |---|---|---|
/// | the stock kernel's | 1.28 G | 1022 ms |
/// | opt-level 3, no checks, line tables | 1.35 G | 1005 ms |
/// | the same, one codegen unit | 1.20 G | 886 ms |
/// | **the same, one codegen unit, not incremental** | **1.17 G** | **854 ms** |
/// | the same, two codegen units, not incremental | 1.43 G | 1001 ms |
/// | one codegen unit, not incremental, no line tables | 1.06 G | 811 ms |
///
/// A cell is too small for several units, and shares too little with the one before it for
/// incremental compilation. Line tables are worth their 40 ms: without them no panic can be told by
/// its line.
const FOR_MEASURING: &[(&str, &str)] = &[
    ("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false"),
    ("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", "false"),
    ("CARGO_PROFILE_DEV_INCREMENTAL", "false"),
    ("CARGO_PROFILE_DEV_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_DEV_DEBUG", "line-tables-only"),
    ("CARGO_PROFILE_DEV_STRIP", "none"),
    // Build scripts and procedural macros: a third of what a kernel copies when it starts was their
    // debug information.
    ("CARGO_PROFILE_DEV_BUILD_OVERRIDE_STRIP", "symbols"),
];

impl Flavor {
    /// Every flavor, for `--kernel all`.
    pub const ALL: [Flavor; 2] = [Flavor::Parcourse, Flavor::Stock];

    /// The name on the command line and in a template's folder.
    pub fn name(self) -> &'static str {
        match self {
            Flavor::Parcourse => "parcourse",
            Flavor::Stock => "evcxr",
        }
    }

    /// The flavor of that name.
    pub fn from_name(name: &str) -> Option<Flavor> {
        Self::ALL.into_iter().find(|flavor| flavor.name() == name)
    }

    /// Environment of the kernel process that makes its cells be built as this flavor wants.
    pub fn cell_environment(self) -> Vec<(&'static str, String)> {
        match self {
            Flavor::Parcourse => {
                FOR_MEASURING.iter().map(|&(name, value)| (name, value.to_owned())).collect()
            }
            Flavor::Stock => Vec::new(),
        }
    }

    /// Lines the kernel must execute before the first cell: the optimisation of cells, by the
    /// engine's own command, so that `:opt 0` in a notebook can change it; and the CPU where
    /// `PARCOURSE_TARGET_CPU` is set.
    ///
    /// By default cells run on every machine of the architecture, so that a template (or a whole
    /// prepared environment) that travels to another node never dies of an illegal instruction. The
    /// engine sets RUSTFLAGS itself for every build, which leaves `:build_env` as the one way in;
    /// `-Cprefer-dynamic` is what it would have set.
    pub fn setup_commands(self) -> Vec<String> {
        if self == Flavor::Stock {
            return Vec::new();
        }
        let mut commands = vec![":opt 3".to_owned()];
        commands.extend(
            target_cpu()
                .map(|cpu| format!(":build_env RUSTFLAGS=-Cprefer-dynamic -Ctarget-cpu={cpu}")),
        );
        commands
    }

    /// An error when the chosen CPU is none that the compiler knows: it would only warn, and
    /// compile for something else.
    pub(super) fn check_cpu(self, rustc: &Path) -> Result<()> {
        let Some(cpu) = target_cpu().filter(|_| self == Flavor::Parcourse) else { return Ok(()) };
        let output = Command::new(rustc).args(["--print", "target-cpus"]).output();
        let output = output.with_context(|| format!("failed to run {}", rustc.display()))?;
        let known = String::from_utf8_lossy(&output.stdout);
        if !known.lines().any(|line| line.split_whitespace().next() == Some(&cpu)) {
            bail!(
                "{TARGET_CPU}={cpu}: the compiler knows no such CPU (`rustc --print target-cpus` lists them); unset it for the baseline"
            );
        }
        Ok(())
    }

    /// What a template must be told apart by because of the CPU: nothing for the baseline, the name
    /// of the CPU when one is chosen, and for `native` also what this machine's CPU can do.
    pub(super) fn cpu_identity(self) -> String {
        match (self, target_cpu()) {
            (Flavor::Parcourse, Some(cpu)) if cpu == "native" => {
                format!("native {}", cpu_features(Path::new("/proc/cpuinfo")))
            }
            (Flavor::Parcourse, Some(cpu)) => cpu,
            _ => String::new(),
        }
    }
}

fn target_cpu() -> Option<String> {
    std::env::var(TARGET_CPU).ok().map(|cpu| cpu.trim().to_owned()).filter(|cpu| !cpu.is_empty())
}

/// Model and instruction sets of the first CPU. Where there is no such file, the host name has to
/// do: one template per machine.
fn cpu_features(cpuinfo: &Path) -> String {
    let wanted = ["model name", "flags", "CPU implementer", "CPU part", "Features"];
    match std::fs::read_to_string(cpuinfo) {
        Ok(text) => text
            .lines()
            .take_while(|line| !line.is_empty())
            .filter(|line| line.split(':').next().is_some_and(|name| wanted.contains(&name.trim())))
            .collect::<Vec<_>>()
            .join("\n"),
        Err(_) => crate::base::owned_dir::host_name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_flavors() {
        for flavor in Flavor::ALL {
            assert_eq!(Flavor::from_name(flavor.name()), Some(flavor));
        }
        assert_eq!(Flavor::from_name("python"), None);
    }

    #[test]
    fn the_stock_kernel_stays_as_it_is() {
        assert!(Flavor::Stock.cell_environment().is_empty());
        assert!(Flavor::Stock.setup_commands().is_empty());
    }

    /// A cell is too small to be divided, and its notes for the next time are never read.
    #[test]
    fn cells_are_one_unit() {
        let environment = Flavor::Parcourse.cell_environment();
        for (name, value) in
            [("CARGO_PROFILE_DEV_CODEGEN_UNITS", "1"), ("CARGO_PROFILE_DEV_INCREMENTAL", "false")]
        {
            assert!(environment.contains(&(name, value.to_owned())), "{name}");
        }
    }

    #[test]
    fn two_cpus_of_different_features_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, flags: &str| {
            let file = folder.path().join(name);
            std::fs::write(
                &file,
                format!(
                    "processor\t: 0\ncpu MHz\t: {name}\nflags\t\t: {flags}\n\nprocessor\t: 1\n"
                ),
            )
            .unwrap();
            cpu_features(&file)
        };
        assert_eq!(
            write("1000", "sse2 avx2"),
            write("2000", "sse2 avx2"),
            "the clock does not matter"
        );
        assert_ne!(write("1000", "sse2 avx2"), write("1000", "sse2 avx2 avx512f"));
    }
}
