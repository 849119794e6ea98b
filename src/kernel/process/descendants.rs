//! Finding processes: whose children they are, which kernel started them.

use rustix::process::{Pid, Signal};

/// All processes started by `root`, directly or not, except those for which `skip` holds and
/// theirs. Empty where there is no `/proc`.
pub fn descendants(root: Pid, skip: impl Fn(Pid) -> bool) -> Vec<Pid> {
    let parents: Vec<(Pid, i32)> =
        all().into_iter().filter_map(|pid| Some((pid, parent_of(pid)?))).collect();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next].as_raw_nonzero().get();
        found.extend(
            parents.iter().filter(|(pid, of)| *of == parent && !skip(*pid)).map(|(pid, _)| *pid),
        );
        next += 1;
    }
    found.split_off(1)
}

/// All processes whose environment at their start had the entry, `NAME=value`.
pub fn with_environment(entry: &str) -> Vec<Pid> {
    let carries = |pid: &Pid| {
        std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).is_ok_and(|environment| {
            environment.split(|byte| *byte == 0).any(|found| found == entry.as_bytes())
        })
    };
    all().into_iter().filter(carries).collect()
}

pub fn kill_all(processes: &[Pid]) {
    for pid in processes {
        let _ = rustix::process::kill_process(*pid, Signal::KILL);
    }
}

fn all() -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// The fourth field of `/proc/PID/stat`; the second, the command's name in parentheses, may contain
/// anything.
pub fn parent_of(pid: Pid) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    status.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Whether the process has a handler of its own for the signal.
pub fn handles(pid: Pid, signal: Signal) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()))
    else {
        return false;
    };
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}
