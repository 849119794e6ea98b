//! The two kernels, and the settings each builds cells with.

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use std::path::Path;
use std::process::Command;

/// Environment variable with which a learner or an administrator chooses the CPU that cells are
/// compiled for.
pub const TARGET_CPU: &str = "PARCOURSE_TARGET_CPU";

/// Which kernel executes the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KernelKind {
    /// This program's own kernel
    // Builds cells for measuring.
    Parcourse,
    /// The stock evcxr_jupyter kernel
    // Builds cells with the engine's own settings.
    Evcxr,
}

impl std::fmt::Display for KernelKind {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The engine's own manifest asks for debug assertions, overflow checks and 16 incremental codegen
/// units, with which benchmarks in cells mislead. Cargo lets environment variables override the
/// profile. The optimisation level is not among them: see `setup_commands`.
///
/// Measured on the same 14 cells (expressions, functions, a struct, rayon, ndarray, a thread),
/// compiled one after the other: instructions per cell, and wall time per cell in the fastest of
/// three interleaved rounds on a busy machine with 2 cores:
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
/// A cell is too small for several units, and shares too little with the previous cell for
/// incremental compilation. Line tables are worth their 40 ms: without them a panic could not be
/// reported with its line.
const FOR_MEASURING: &[(&str, &str)] = &[
    ("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false"),
    ("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", "false"),
    ("CARGO_PROFILE_DEV_INCREMENTAL", "false"),
    ("CARGO_PROFILE_DEV_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_DEV_DEBUG", "line-tables-only"),
    ("CARGO_PROFILE_DEV_STRIP", "none"),
    // Build scripts and procedural macros. Their debug information was a third of what a kernel
    // copies when it starts.
    ("CARGO_PROFILE_DEV_BUILD_OVERRIDE_STRIP", "symbols"),
];

impl KernelKind {
    /// The name on the command line and in the name of a template's folder.
    pub fn name(self) -> &'static str {
        match self {
            KernelKind::Parcourse => "parcourse",
            KernelKind::Evcxr => "evcxr",
        }
    }

    /// The environment of a kernel process that makes cargo build its cells with these settings.
    pub fn cell_environment(self) -> Vec<(&'static str, String)> {
        match self {
            KernelKind::Parcourse => {
                FOR_MEASURING.iter().map(|&(name, value)| (name, value.to_owned())).collect()
            }
            KernelKind::Evcxr => Vec::new(),
        }
    }

    /// Commands that the kernel must execute before the first cell. They set the optimisation level
    /// with the engine's own command, so that `:opt 0` in a notebook can change it, and the target
    /// CPU if `PARCOURSE_TARGET_CPU` is set.
    ///
    /// By default cells run on every machine of the architecture, so that a template (or a whole
    /// prepared environment) that is moved to another node never causes an illegal instruction. The
    /// engine sets RUSTFLAGS itself for every build, so `:build_env` is the only way to add flags;
    /// `-Cprefer-dynamic` is what the engine would have set.
    pub fn setup_commands(self) -> Vec<String> {
        if self == KernelKind::Evcxr {
            return Vec::new();
        }
        let mut commands = vec![":opt 3".to_owned()];
        commands.extend(
            target_cpu()
                .map(|cpu| format!(":build_env RUSTFLAGS=-Cprefer-dynamic -Ctarget-cpu={cpu}")),
        );
        commands
    }

    /// Fails if the compiler does not know the chosen CPU. The compiler itself would only warn, and
    /// compile for another CPU.
    pub(super) fn check_cpu(self, rustc: &Path) -> Result<()> {
        let Some(cpu) = target_cpu().filter(|_| self == KernelKind::Parcourse) else {
            return Ok(());
        };
        let output = Command::new(rustc).args(["--print", "target-cpus"]).output();
        let output = output.with_context(|| format!("failed to run {}", rustc.display()))?;
        let known = String::from_utf8_lossy(&output.stdout);
        if !known.lines().any(|line| line.split_whitespace().next() == Some(&cpu)) {
            bail!(
                "{TARGET_CPU}={cpu}: the compiler does not know this CPU (`rustc --print \
                 target-cpus` lists the known ones); unset the variable to compile for the baseline"
            );
        }
        Ok(())
    }

    /// The CPU's part of a template's key: empty for the baseline, the name of the CPU if one is
    /// chosen, and for `native` also the features of this machine's CPU.
    pub(super) fn cpu_identity(self) -> String {
        match (self, target_cpu()) {
            (KernelKind::Parcourse, Some(cpu)) if cpu == "native" => {
                format!("native {}", cpu_features(Path::new("/proc/cpuinfo")))
            }
            (KernelKind::Parcourse, Some(cpu)) => cpu,
            _ => String::new(),
        }
    }
}

fn target_cpu() -> Option<String> {
    std::env::var(TARGET_CPU).ok().map(|cpu| cpu.trim().to_owned()).filter(|cpu| !cpu.is_empty())
}

/// Model and instruction sets of the first CPU. Without such a file it is the host name, which
/// means one template per machine.
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
    fn names_are_those_of_the_command_line() {
        for kind in KernelKind::value_variants() {
            assert_eq!(KernelKind::from_str(kind.name(), false), Ok(*kind));
        }
    }

    #[test]
    fn the_stock_kernel_keeps_its_settings() {
        assert!(KernelKind::Evcxr.cell_environment().is_empty());
        assert!(KernelKind::Evcxr.setup_commands().is_empty());
    }

    /// A cell is too small to be divided, and incremental data would never be read.
    #[test]
    fn cells_are_one_unit() {
        let environment = KernelKind::Parcourse.cell_environment();
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
            "the clock frequency does not matter"
        );
        assert_ne!(write("1000", "sse2 avx2"), write("1000", "sse2 avx2 avx512f"));
    }
}
