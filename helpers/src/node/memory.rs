//! The machine's memory, and how much of it the control group allows.

use crate::cgroup::Groups;
use std::fs::read_to_string;
use std::path::Path;

/// Memory of the machine and what is available of it, in bytes.
pub(super) fn machine(root: &Path) -> (Option<u64>, Option<u64>) {
    let meminfo = read_to_string(root.join("proc/meminfo")).unwrap_or_default();
    // Linux before 3.14 does not know what is available.
    (entry(meminfo.lines(), "MemTotal:"), entry(meminfo.lines(), "MemAvailable:"))
}

/// The number in a line like `MemTotal:  8388608 kB`, in bytes.
pub(super) fn entry<'a>(mut lines: impl Iterator<Item = &'a str>, name: &str) -> Option<u64> {
    let kib: u64 =
        lines.find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// The tightest memory limit of the control groups, in bytes.
pub(super) fn limit(root: &Path) -> Option<u64> {
    let hierarchies = Groups::of("memory", root);
    let limits = hierarchies.iter().flat_map(|groups| {
        let file = if groups.is_version_2 { "memory.max" } else { "memory.limit_in_bytes" };
        groups.directories.iter().filter_map(move |directory| {
            read_to_string(directory.join(file)).ok()?.trim().parse::<u64>().ok()
        })
    });
    // Version 2 says `max`, version 1 a number near the largest there is.
    limits.filter(|&limit| limit < 1 << 60).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroup::tests::Fake;

    #[test]
    fn version_1_limits_and_its_way_to_say_none() {
        let files = [
            ("proc/self/cgroup", "5:cpu:/\n4:memory:/job/step\n"),
            ("proc/self/mountinfo", "31 24 0:27 / /cg rw - cgroup cgroup rw,memory\n"),
            ("cg/memory.limit_in_bytes", "9223372036854771712\n"),
            ("cg/job/memory.limit_in_bytes", "2147483648\n"),
            ("cg/job/step/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        let fake = Fake::new("memory v1", &files);
        assert_eq!(limit(&fake.0), Some(2 << 30));
        std::fs::remove_file(fake.0.join("cg/job/memory.limit_in_bytes")).unwrap();
        assert_eq!(limit(&fake.0), None);
    }
}
