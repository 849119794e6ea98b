//! Linux: the files of `/proc`. Reading one's own takes a system call of about a microsecond and
//! allocates nothing.

use crate::memory::Counted;
use std::fs::{File, OpenOptions, read_dir, read_to_string};
use std::io::Write;
use std::os::unix::fs::FileExt;

const KIB_PER_MIB: f64 = 1024.0;

/// Reads the memory in use now.
#[derive(Debug)]
pub(in crate::memory) struct Meter {
    statm: File,
    mib_per_page: f64,
    last: f64,
}

impl Meter {
    /// `None` if `/proc` is missing.
    pub(in crate::memory) fn new() -> Option<Meter> {
        // SAFETY: sysconf has no preconditions.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let mut meter = Meter {
            statm: File::open("/proc/self/statm").ok()?,
            mib_per_page: page as f64 / (1 << 20) as f64,
            last: 0.0,
        };
        meter.last = meter.resident()?;
        Some(meter)
    }

    /// Resident memory of this process.
    pub(in crate::memory) fn resident(&self) -> Option<f64> {
        let mut buffer = [0; 128];
        let length = self.statm.read_at(&mut buffer, 0).ok()?;
        // `size resident shared text lib data dt`, in pages.
        let pages: u64 =
            std::str::from_utf8(&buffer[..length]).ok()?.split(' ').nth(1)?.parse().ok()?;
        Some(pages as f64 * self.mib_per_page)
    }

    /// Memory in use now, with or without children. If a reading fails, returns the previous one.
    pub(in crate::memory) fn now(&mut self, children: bool) -> (f64, Counted) {
        if children {
            let (memory, counted) = memory(std::process::id());
            if memory > 0.0 {
                self.last = memory;
            }
            (self.last, counted)
        } else {
            self.last = self.resident().unwrap_or(self.last);
            (self.last, Counted::Resident)
        }
    }
}

/// The most resident memory since the mark was last reset.
pub(in crate::memory) fn high_water() -> Option<f64> {
    // On the stack: reading a high-water mark should not raise it. The line is near the start of
    // the file.
    let mut buffer = [0; 2048];
    let length = File::open("/proc/self/status").ok()?.read_at(&mut buffer, 0).ok()?;
    kib(&String::from_utf8_lossy(&buffer[..length]), "VmHWM:").map(|kib| kib / KIB_PER_MIB)
}

/// Resets the mark to what is resident now; false if that is not possible (no such file, or no
/// permission).
pub(in crate::memory) fn reset_high_water() -> bool {
    OpenOptions::new()
        .write(true)
        .open("/proc/self/clear_refs")
        .and_then(|mut file| file.write_all(b"5"))
        .is_ok()
}

/// A process's proportional share of memory, in MiB; `None` if the system does not report it or the
/// process is gone.
pub(super) fn proportional(pid: u32) -> Option<f64> {
    kib(&read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?, "Pss:")
        .map(|kib| kib / KIB_PER_MIB)
}

/// A process's resident memory, in MiB; `None` if it is gone.
pub(super) fn resident_of(pid: u32) -> Option<f64> {
    kib(&read_to_string(format!("/proc/{pid}/status")).ok()?, "VmRSS:").map(|kib| kib / KIB_PER_MIB)
}

/// The number in a line like `VmHWM:     1684 kB`.
fn kib(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// The sum of proportional shares in MiB, so that a shared page counts once; resident memory if
/// shares are not available for all.
pub(super) fn memory(pid: u32) -> (f64, Counted) {
    let family = family(pid);
    // A process that has ended counts nothing; one that exists but whose share is not readable
    // invalidates the sum.
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
        // Process ids are reused: never go round in circles.
        family.extend(children.into_iter().filter(|child| *child != pid));
        if family.len() > 10_000 {
            break;
        }
    }
    family
}

/// The children of all threads of a process: the system records which thread started them.
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

/// `pid (name) state parent …`; the name may contain anything, even `) S 1`.
fn parent(stat: &str) -> Option<u32> {
    stat[stat.rfind(')')? + 1..].split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn lines_are_found_by_their_whole_name() {
        let rollup = "559a-7ffd ---p 00000000 00:00 0    [rollup]\nRss:  1712 kB\n\
                      Pss_Dirty:  112 kB\nPss:   275 kB\nSwapPss:  3 kB\n";
        assert_eq!(kib(rollup, "Pss:"), Some(275.0));
        assert_eq!(kib(rollup, "VmHWM:"), None);
        assert_eq!(kib("VmHWM:\n", "VmHWM:"), None);
    }

    #[test]
    fn the_ways_to_read_agree() {
        let meter = Meter::new().unwrap();
        let (resident, from_status) =
            (meter.resident().unwrap(), resident_of(std::process::id()).unwrap());
        // Other tests run at the same time.
        assert!(resident > 0.5 && from_status > 0.5 && high_water().unwrap() > 0.5);
        assert!((resident - from_status).abs() < 512.0, "{resident} {from_status}");
    }

    #[test]
    fn parent_is_found_behind_any_name() {
        assert_eq!(parent("17 (a) S 1 (b) S 4 17 17 0"), Some(4));
        assert_eq!(parent("17 (sh) S 12 17"), Some(12));
        assert_eq!(parent("nonsense"), None);
    }

    /// Both ways to find them, and a child started by a thread other than the first.
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
