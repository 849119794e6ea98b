//! Memory: of the machine, of its NUMA nodes, and the limit of the control group.

use crate::cgroup::Groups;
use crate::cores::parse_cpu_list;
use std::fs::read_to_string;
use std::path::Path;

/// Total and available memory of the machine, in bytes.
pub(super) fn machine(root: &Path) -> (Option<u64>, Option<u64>) {
    let meminfo = read_to_string(root.join("proc/meminfo")).unwrap_or_default();
    // Linux before 3.14 does not report available memory.
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
    // Version 2 says `max`, version 1 a number near the largest possible one.
    limits.filter(|&limit| limit < 1 << 60).min()
}

/// One NUMA node.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct NumaNode {
    /// Its number.
    pub number: usize,
    /// Its logical cores; empty for a node with memory only.
    pub cpus: Vec<usize>,
    /// Its memory in bytes, if known.
    pub memory: Option<u64>,
}

/// The nodes that are online; empty if unknown.
pub(super) fn nodes(root: &Path) -> Vec<NumaNode> {
    let directory = root.join("sys/devices/system/node");
    let numbers = read_to_string(directory.join("online"))
        .ok()
        .and_then(|list| parse_cpu_list(&list))
        .unwrap_or_default();
    let node = |number: usize| {
        let directory = directory.join(format!("node{number}"));
        let cpus = parse_cpu_list(&read_to_string(directory.join("cpulist")).ok()?)?;
        // A line is `Node 0 MemTotal:  8388608 kB`.
        let meminfo = read_to_string(directory.join("meminfo")).unwrap_or_default();
        let lines = meminfo.lines().filter_map(|line| line.trim_start().splitn(3, ' ').nth(2));
        Some(NumaNode { number, cpus, memory: entry(lines, "MemTotal:") })
    };
    numbers.into_iter().filter_map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroup::tests::Fake;
    use crate::node::tests::fake;

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

    #[test]
    fn nodes_have_cores_and_memory() {
        let fake = fake("numa");
        let expected = [(0, vec![0, 1, 4, 5]), (1, vec![2, 3, 6, 7])];
        assert_eq!(
            nodes(&fake.0),
            expected.map(|(number, cpus)| NumaNode { number, cpus, memory: Some(8 << 30) })
        );
    }
}
