//! What a process inherits when it starts and cannot take on later, or not entirely.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Named properties of a process, as text. Two processes with equal properties can stand in for each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings(BTreeMap<String, String>);

/// Lines of `/proc/self/status` that matter: identity, privileges, CPUs and memory nodes.
const STATUS: [&str; 10] = ["Uid", "Gid", "Groups", "Umask", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp", "Cpus_allowed", "Mems_allowed"];

/// Environment variables that the engine, cargo or the dynamic linker read when they start.
const READ_AT_START: [&str; 8] = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"];
const READ_AT_START_PREFIXES: [&str; 9] = ["RUST", "CARGO", "EVCXR_", "LD_", "DYLD_", "MALLOC_", "GLIBC_", "PARCOURSE_", "TOKIO_"];
/// Our own, set for each kernel; they say nothing about how it runs.
const OURS: [&str; 1] = [super::super::guard::MARK];

impl Surroundings {
    /// Those of this process, with the given environment and working directory.
    pub fn of_self(environment: &[(String, String)], directory: &Path) -> Result<Surroundings> {
        let mut found = BTreeMap::new();
        let status = std::fs::read_to_string("/proc/self/status")?;
        for line in status.lines() {
            if let Some((name, value)) = line.split_once(':')
                && STATUS.contains(&name)
            {
                found.insert(format!("status {name}"), value.trim().to_owned());
            }
        }
        for file in ["cgroup", "limits", "oom_score_adj"] {
            found.insert(file.to_owned(), std::fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default());
        }
        for entry in std::fs::read_dir("/proc/self/ns")?.flatten() {
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            found.insert(format!("namespace {}", entry.file_name().display()), target.display().to_string());
        }
        // SAFETY: both only read properties of this process.
        let (priority, policy) = unsafe { (libc::getpriority(libc::PRIO_PROCESS, 0), libc::sched_getscheduler(0)) };
        found.insert("scheduling".to_owned(), format!("{policy} {priority}"));
        for (name, value) in environment {
            let matters = READ_AT_START.contains(&name.as_str()) || READ_AT_START_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            if matters && !OURS.contains(&name.as_str()) {
                found.insert(format!("environment {name}"), value.clone());
            }
        }
        found.insert("toolchain file".to_owned(), toolchain_file(directory));
        Ok(Surroundings(found))
    }

    /// The names of the properties in which two processes differ.
    pub fn differences(&self, other: &Surroundings) -> Vec<String> {
        let names: std::collections::BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        names.into_iter().filter(|name| self.0.get(*name) != other.0.get(*name)).cloned().collect()
    }
}

/// The file by which rustup chooses a toolchain in this directory.
fn toolchain_file(directory: &Path) -> String {
    let names = ["rust-toolchain.toml", "rust-toolchain"];
    let files = directory.ancestors().flat_map(|folder| names.map(|name| folder.join(name)));
    files.into_iter().find(|file| file.exists()).map(|file| file.display().to_string()).unwrap_or_default()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn names_the_differences() {
        let here = std::env::current_dir().unwrap();
        let with = |name: &str, value: &str| Surroundings::of_self(&[(name.to_owned(), value.to_owned())], &here).unwrap();
        assert_eq!(with("EDITOR", "vi").differences(&with("EDITOR", "emacs")), Vec::<String>::new());
        assert_eq!(with("RUSTFLAGS", "-a").differences(&with("RUSTFLAGS", "-b")), ["environment RUSTFLAGS"]);
        assert_eq!(with("PATH", "/a").differences(&with("HOME", "/b")), ["environment HOME", "environment PATH"]);
    }
}
