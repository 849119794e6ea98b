//! What the processes of a kernel take, from `/proc`.
//!
//! The resident set (RSS) is what a process has in memory; the proportional set (PSS) divides pages
//! that several processes share (one binary, libraries) among them, so that it can be summed up.

use serde::Serialize;
use std::collections::HashMap;

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
    let descendants = descendants(guard, &parents());
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
    let processes = descendants(guard, &parents()).into_iter().chain([guard]);
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

/// Every process and its parent.
fn parents() -> Vec<(u32, u32)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| {
        Some((pid, parent_in(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?))
    })
    .collect()
}

/// The fourth field. The second one, a name in parentheses, may hold anything.
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn descendants(of: u32, parents: &[(u32, u32)]) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    parents.iter().for_each(|(pid, parent)| children.entry(*parent).or_default().push(*pid));
    let (mut found, mut next) = (Vec::new(), vec![of]);
    while let Some(pid) = next.pop() {
        let below = children.get(&pid).into_iter().flatten();
        below.for_each(|child| {
            found.push(*child);
            next.push(*child);
        });
    }
    found
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
        assert_eq!(parent_in("12 (a) b (c) S 7 12 12 0 -1"), Some(7));
        assert_eq!(ticks_in("12 (a) b (c) S 7 12 12 0 -1 4 1 1 1 1 100 20 3 4 20 0 1"), Some(127));
    }

    #[test]
    fn descendants_at_every_depth() {
        let parents = [(2, 1), (3, 2), (4, 3), (5, 1), (6, 9)];
        let mut found = descendants(2, &parents);
        found.sort_unstable();
        assert_eq!(found, [3, 4]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_among_its_parents_children() {
        // SAFETY: getppid has no preconditions.
        let parent = unsafe { libc::getppid() } as u32;
        assert!(parents().contains(&(std::process::id(), parent)));
    }
}
