//! What the processes of a kernel take, from `/proc`.
//!
//! The resident set (RSS) is what a process has in memory; the proportional set (PSS) divides pages
//! that several processes share (one binary, libraries) among them, so that it can be summed up.

use crate::base::process;
use serde::Serialize;

/// The memory of one part of a kernel.
#[derive(Debug, Serialize, PartialEq)]
pub struct Memory {
    pub kernel: &'static str,
    /// `kernel`, `user process`, or `helpers` for what else there is (guards, relays).
    pub process: &'static str,
    pub rss_bytes: u64,
    pub pss_bytes: u64,
}

/// Everything below the runner's own guard. Empty where there is no `/proc`.
pub fn of_kernel(kernel: &'static str, guard: Option<u32>) -> Vec<Memory> {
    let Some(guard) = guard else { return Vec::new() };
    let mut parts: Vec<Memory> = Vec::new();
    let descendants = descendants(guard);
    let measured: Vec<(u32, u64, u64)> = descendants
        .into_iter()
        .filter_map(|pid| {
            let (rss, pss) =
                of_rollup(&std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?)?;
            Some((pid, rss, pss))
        })
        .collect();
    // The engine is by far the largest.
    let engine = measured.iter().max_by_key(|(_, _, pss)| *pss).map(|(pid, ..)| *pid);
    for (pid, rss, pss) in measured {
        let process = match pid {
            pid if Some(pid) == engine => "kernel",
            pid if runs_user_code(pid) => "user process",
            _ => "helpers",
        };
        match parts.iter_mut().find(|part| part.process == process) {
            Some(part) => {
                (part.rss_bytes, part.pss_bytes) = (part.rss_bytes + rss, part.pss_bytes + pss)
            }
            None => parts.push(Memory { kernel, process, rss_bytes: rss, pss_bytes: pss }),
        }
    }
    parts.sort_by_key(|part| {
        ["kernel", "user process", "helpers"].iter().position(|name| *name == part.process)
    });
    parts
}

/// Processor time of everything below the runner's own guard so far, ended processes among it.
/// `None` where there is no `/proc`.
pub fn processor_seconds(guard: Option<u32>) -> Option<f64> {
    let guard = guard?;
    let processes = descendants(guard).into_iter().chain([guard]);
    let ticks: Vec<u64> = processes
        .filter_map(|pid| ticks_in(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?))
        .collect();
    // SAFETY: sysconf only reads.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    (!ticks.is_empty() && per_second > 0)
        .then(|| ticks.iter().sum::<u64>() as f64 / per_second as f64)
}

/// User and system time, of the process and of its children that it has waited for.
fn ticks_in(stat: &str) -> Option<u64> {
    let fields: Vec<u64> = stat
        .rsplit_once(')')?
        .1
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse().ok())
        .collect();
    (fields.len() == 4).then(|| fields.iter().sum())
}

fn descendants(of: u32) -> Vec<u32> {
    let root = rustix::process::Pid::from_raw(of as i32);
    let found = root.map(|root| process::descendants(root, |_| false)).unwrap_or_default();
    found.into_iter().map(|pid| pid.as_raw_nonzero().get() as u32).collect()
}

/// The engine tells its user process by this variable.
fn runs_user_code(pid: u32) -> bool {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(b"EVCXR_IS_RUNTIME="))
}

/// RSS and PSS in bytes.
fn of_rollup(text: &str) -> Option<(u64, u64)> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
    };
    Some((field("Rss:")?, field("Pss:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_writes() {
        let rollup = "55d0-7ffe ---p 00000000 00:00 0    [rollup]\nRss:                4312 kB\nPss:                 512 kB\nPss_Dirty: 100 kB\n";
        assert_eq!(of_rollup(rollup), Some((4312 * 1024, 512 * 1024)));
        assert_eq!(of_rollup(""), None);
        assert_eq!(ticks_in("12 (a) b (c) S 7 12 12 0 -1 4 1 1 1 1 100 20 3 4 20 0 1"), Some(127));
    }
}
