//! The memory of a process and all its descendants together.

use super::linux::{proportional, resident_of};
use crate::memory::Counted;
use std::fs::{read_dir, read_to_string};

/// In MiB: proportional shares added up, so that a shared page counts once. Resident memory where
/// shares are not to be had for all.
pub(super) fn memory(pid: u32) -> (f64, Counted) {
    let family = family(pid);
    // A process that has ended since counts nothing; one that is there and whose share is not
    // readable spoils the sum.
    let shares: Option<f64> = family
        .iter()
        .map(|&pid| proportional(pid).or_else(|| resident_of(pid).is_none().then_some(0.0)))
        .sum();
    match shares {
        Some(sum) => (sum, Counted::Proportional),
        None => (family.iter().filter_map(|&pid| resident_of(pid)).sum(), Counted::Resident),
    }
}

/// The process and its descendants.
fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let all = read_to_string(format!("/proc/{pid}/task/{pid}/children")).is_err().then(parents);
    let mut next = 0;
    while let Some(&member) = family.get(next) {
        next += 1;
        let children = match &all {
            Some(all) => all
                .iter()
                .filter(|(_, parent)| *parent == member)
                .map(|(child, _)| *child)
                .collect(),
            None => children(member),
        };
        // Process numbers are used again: never go round in circles.
        family.extend(children.into_iter().filter(|child| *child != pid));
        if family.len() > 10_000 {
            break;
        }
    }
    family
}

/// The children of all threads of a process: the system notes which thread started them.
fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists =
        threads.flatten().filter_map(|thread| read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<u32>>()
        })
        .collect()
}

/// All processes and their parents: the slow way, for systems without `children` files.
fn parents() -> Vec<(u32, u32)> {
    let Ok(processes) = read_dir("/proc") else { return Vec::new() };
    let number = |name: std::ffi::OsString| name.to_str()?.parse::<u32>().ok();
    let processes = processes.flatten().filter_map(|entry| number(entry.file_name()));
    processes
        .filter_map(|pid| Some((pid, parent(&read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect()
}

/// `pid (name) state parent …`, where the name may contain anything, `) S 1` too.
fn parent(stat: &str) -> Option<u32> {
    stat[stat.rfind(')')? + 1..].split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn parent_is_found_behind_any_name() {
        assert_eq!(parent("17 (a) S 1 (b) S 4 17 17 0"), Some(4));
        assert_eq!(parent("17 (sh) S 12 17"), Some(12));
        assert_eq!(parent("nonsense"), None);
    }

    /// Both ways of finding them, and a child that another thread than the first one has started.
    #[test]
    fn children_are_found_and_counted() {
        let start = || Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
        let mut child = std::thread::spawn(start).join().unwrap();
        let own = std::process::id();
        let family = family(own);
        let counted = (proportional(child.id()), memory(own));
        let all = parents();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(family.contains(&own) && family.contains(&child.id()), "{family:?}");
        assert!(all.contains(&(child.id(), own)));
        assert!(counted.1.0 > counted.0.unwrap_or(0.0), "{counted:?}");
    }
}
