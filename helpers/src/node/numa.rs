//! NUMA nodes: parts of a machine whose cores reach their own memory faster than that of the
//! others.

use super::memory;
use crate::cores::cpu_list;
use std::fs::read_to_string;
use std::path::Path;

/// One NUMA node.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct NumaNode {
    /// Its number.
    pub number: usize,
    /// Its logical cores; none for a node that is memory only.
    pub cpus: Vec<usize>,
    /// Its memory in bytes, when the system tells.
    pub memory: Option<u64>,
}

/// The nodes that are switched on; empty when the system does not tell.
pub(super) fn nodes(root: &Path) -> Vec<NumaNode> {
    let directory = root.join("sys/devices/system/node");
    let numbers = read_to_string(directory.join("online"))
        .ok()
        .and_then(|list| cpu_list::parse(&list))
        .unwrap_or_default();
    let node = |number: usize| {
        let directory = directory.join(format!("node{number}"));
        let cpus = cpu_list::parse(&read_to_string(directory.join("cpulist")).ok()?)?;
        // A line is `Node 0 MemTotal:  8388608 kB`.
        let meminfo = read_to_string(directory.join("meminfo")).unwrap_or_default();
        let lines = meminfo.lines().filter_map(|line| line.trim_start().splitn(3, ' ').nth(2));
        Some(NumaNode { number, cpus, memory: memory::entry(lines, "MemTotal:") })
    };
    numbers.into_iter().filter_map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::tests::fake;

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
