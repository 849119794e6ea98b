//! What machine is this?
//!
//! A measured time means little without the machine it was measured on. [`node_info()`] collects
//! what matters for computing: processor, caches, NUMA nodes, memory and its limit, operating
//! system, and the batch job the program runs in. How many cores the program may *use* is another
//! question, which [`cores()`](crate::cores::cores) answers.
//!
//! ```
//! use parcourse::prelude::*;
//! let node = node_info();
//! println!("{node}");
//! if let Some(bytes) = node.memory_usable() {
//!     println!("{} values of 8 bytes fit into memory", bytes / 8);
//! }
//! ```
//!
//! On Linux everything is read from `/proc` and `/sys`; macOS reports most of it. On other systems,
//! and if a file is missing, a field is `None` and shown as "unknown". Reading order: `cpu`,
//! `memory`, `system` and `job` read; `show` prints.

mod cpu;
mod job;
mod memory;
mod show;
mod system;

pub use cpu::{Cache, CacheKind};
pub use job::Job;
pub use memory::NumaNode;

#[cfg(target_os = "macos")]
mod macos;

/// A machine as a program sees it: a workstation, or one node of a cluster. Sizes are in bytes.
///
/// # Examples
///
/// Printed (a notebook shows a table):
///
/// ```text
/// host      node017
/// system    Rocky Linux 9.4 (Blue Onyx), kernel 5.14.0-427.el9.x86_64, x86_64
/// CPU       AMD EPYC 7763 64-Core Processor
/// cores     2 sockets, 128 cores, 256 threads
/// caches    L1d 32 KiB for each core, L1i 32 KiB for each core, L2 512 KiB for each core, L3 32 MiB for 16 threads each
/// NUMA      8 nodes, 63 GiB and 32 threads each
/// memory    503 GiB, 489 GiB available, limited to 64 GiB by cgroup
/// job       Slurm 4711, array task 3, `soup`, queue `compute`, 1 node
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeInfo {
    /// Name of the machine.
    pub host: Option<String>,
    /// Name and version of the operating system.
    pub system: Option<String>,
    /// Version of its kernel.
    pub kernel: Option<String>,
    /// What the program was compiled for: `x86_64`, `aarch64`, …
    pub architecture: &'static str,
    /// Model of the processor.
    pub cpu: Option<String>,
    /// Processors: chips in sockets of the mainboard.
    pub sockets: Option<usize>,
    /// Physical cores of all of them.
    pub cores: Option<usize>,
    /// Hardware threads that are online: logical cores.
    pub threads: Option<usize>,
    /// Caches, the smallest first; empty if unknown.
    pub caches: Vec<Cache>,
    /// NUMA nodes: parts of the machine with memory of their own; empty if unknown.
    pub numa: Vec<NumaNode>,
    /// Memory of the machine, in bytes.
    pub memory: Option<u64>,
    /// Memory that new programs could use now without swapping, in bytes.
    pub memory_available: Option<u64>,
    /// Memory that this program's control group (its container, its job) may use, in bytes, if
    /// there is such a limit.
    pub memory_limit: Option<u64>,
    /// The batch job that the program runs in, if any.
    pub job: Option<Job>,
}

impl NodeInfo {
    /// The memory this program can use, in bytes: the machine's, or the limit if that is lower.
    pub fn memory_usable(&self) -> Option<u64> {
        self.memory.into_iter().chain(self.memory_limit).min()
    }
}

/// Describes this machine; see [`NodeInfo`].
///
/// Reads some files for every core: takes a millisecond on a workstation, about ten on a large
/// node.
///
/// # Examples
///
/// ```
/// use parcourse::node::{CacheKind, node_info};
/// let node = node_info();
/// if let Some(last) = node.caches.iter().max_by_key(|cache| cache.level) {
///     println!("arrays of more than {} bytes do not fit into the last cache", last.size);
/// }
/// assert!(node.caches.iter().all(|cache| cache.kind != CacheKind::Data || cache.size > 0));
/// ```
pub fn node_info() -> NodeInfo {
    #[cfg(target_os = "macos")]
    return macos::gather(&|name| std::env::var(name).ok());
    #[cfg(not(target_os = "macos"))]
    gather(std::path::Path::new("/"), &|name| std::env::var(name).ok())
}

/// `root` is `/`; tests use a directory of their own.
#[cfg_attr(target_os = "macos", allow(dead_code, reason = "for Linux, tested here too"))]
fn gather(root: &std::path::Path, variable: &dyn Fn(&str) -> Option<String>) -> NodeInfo {
    let cpus = cpu::online(root);
    let (memory, memory_available) = memory::machine(root);
    NodeInfo {
        host: system::host(root),
        system: system::name(root),
        kernel: system::kernel(root),
        architecture: std::env::consts::ARCH,
        cpu: cpu::model(root),
        sockets: cpu::sockets(root, &cpus),
        cores: cpu::cores(root, &cpus),
        threads: Some(cpus.len()).filter(|&count| count > 0),
        caches: cpu::caches(root, &cpus),
        numa: memory::nodes(root),
        memory,
        memory_available,
        memory_limit: memory::limit(root),
        job: job::job(variable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroup::tests::Fake;

    /// A node with two sockets, two cores each, two threads each; numbered as Intel does: 0-3 first
    /// threads, 4-7 second ones.
    pub(super) fn fake(name: &str) -> Fake {
        let mut files: Vec<(String, String)> = [
            ("proc/sys/kernel/hostname", "node017\n"),
            ("proc/sys/kernel/osrelease", "5.14.0-427.el9\n"),
            (
                "etc/os-release",
                "NAME=\"Rocky Linux\"\nPRETTY_NAME=\"Rocky Linux 9.4 (Blue Onyx)\"\n\
                ID='rocky'\n",
            ),
            (
                "proc/cpuinfo",
                "processor\t: 0\nvendor_id\t: X\n\
                model name\t: Fast  Chip(R) 9000 @ 2.50GHz\nmodel\t: 1\n",
            ),
            (
                "proc/meminfo",
                "MemTotal:       16777216 kB\nMemFree:  1 kB\n\
                MemAvailable:    8388608 kB\n",
            ),
            ("proc/self/cgroup", "0::/slurm/job_4711\n"),
            ("proc/self/mountinfo", "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"),
            ("sys/fs/cgroup/slurm/memory.max", "max\n"),
            ("sys/fs/cgroup/slurm/job_4711/memory.max", "4294967296\n"),
            ("sys/devices/system/cpu/online", "0-7\n"),
            ("sys/devices/system/node/online", "0-1\n"),
            ("sys/devices/system/node/node0/cpulist", "0-1,4-5\n"),
            (
                "sys/devices/system/node/node0/meminfo",
                "Node 0 MemTotal:       8388608 kB\n\
                Node 0 MemFree:  5 kB\n",
            ),
            ("sys/devices/system/node/node1/cpulist", "2-3,6-7\n"),
            ("sys/devices/system/node/node1/meminfo", "Node 1 MemTotal:       8388608 kB\n"),
        ]
        .map(|(path, content)| (path.to_string(), content.to_string()))
        .into();
        for cpu in 0..8 {
            let directory = format!("sys/devices/system/cpu/cpu{cpu}");
            let (core, socket) = (cpu % 4, cpu % 4 / 2);
            let of_core = format!("{core},{}\n", core + 4);
            let of_socket = format!(
                "{}-{},{}-{}\n",
                2 * socket,
                2 * socket + 1,
                2 * socket + 4,
                2 * socket + 5
            );
            files
                .push((format!("{directory}/topology/physical_package_id"), format!("{socket}\n")));
            files.push((format!("{directory}/topology/core_cpus_list"), of_core.clone()));
            let caches = [
                ("1", "Data", "48K", &of_core),
                ("1", "Instruction", "32K", &of_core),
                ("3", "Unified", "16M", &of_socket),
            ];
            for (index, (level, kind, size, shared)) in caches.into_iter().enumerate() {
                for (file, content) in
                    [("level", level), ("type", kind), ("size", size), ("shared_cpu_list", shared)]
                {
                    files.push((
                        format!("{directory}/cache/index{index}/{file}"),
                        content.to_string(),
                    ));
                }
            }
        }
        Fake::new(
            name,
            &files.iter().map(|(path, content)| (&**path, &**content)).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_node_is_described_in_full() {
        let fake = fake("node");
        let variables =
            [("SLURM_JOB_ID", "4711"), ("SLURM_JOB_NAME", "soup"), ("SLURM_JOB_NUM_NODES", "1")];
        let node = gather(&fake.0, &|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        });
        assert_eq!((node.sockets, node.cores, node.threads), (Some(2), Some(4), Some(8)));
        assert_eq!(
            (node.memory, node.memory_available, node.memory_limit),
            (Some(16 << 30), Some(8 << 30), Some(4 << 30))
        );
        assert_eq!(node.memory_usable(), Some(4 << 30));
        let expected = format!(
            "host      node017
system    Rocky Linux 9.4 (Blue Onyx), kernel 5.14.0-427.el9, {}
CPU       Fast Chip(R) 9000 @ 2.50GHz
cores     2 sockets, 4 cores, 8 threads
caches    L1d 48 KiB for each core, L1i 32 KiB for each core, L3 16 MiB for 4 threads each
NUMA      2 nodes, 8 GiB and 4 threads each
memory    16 GiB, 8 GiB available, limited to 4 GiB by cgroup
job       Slurm 4711, `soup`, 1 node",
            std::env::consts::ARCH
        );
        assert_eq!(node.to_string(), expected);
        assert_eq!(format!("{node:?}"), expected);
    }

    #[test]
    fn what_is_missing_is_unknown() {
        let fake = Fake::new("nothing", &[("proc/nothing", "")]);
        let node = gather(&fake.0, &|_| None);
        let expected = format!(
            "host      unknown
system    unknown, {}
CPU       unknown
cores     unknown
caches    unknown
NUMA      unknown
memory    unknown
job       none",
            std::env::consts::ARCH
        );
        assert_eq!(node.to_string(), expected);
        assert_eq!(node.memory_usable(), None);
    }

    /// Damaged files must not end the notebook.
    #[test]
    fn nonsense_is_unknown_too() {
        let fake = fake("nonsense");
        let mut directories = vec![fake.0.clone()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    directories.push(path);
                } else if path.file_name().unwrap() != "online" {
                    std::fs::write(path, "-1 : \u{fffd} \n:\n99999999999999999999999\n").unwrap();
                }
            }
        }
        let node = gather(&fake.0, &|_| Some(String::new()));
        assert_eq!(
            (node.sockets, node.memory, node.memory_limit, node.job.as_ref()),
            (None, None, None, None)
        );
        assert!(node.caches.is_empty());
        assert_eq!(node.to_string().lines().count(), 8);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_makes_sense() {
        let node = node_info();
        assert!(node.host.is_some() && node.kernel.is_some(), "{node}");
        assert!(node.memory.unwrap() >= node.memory_available.unwrap_or(0), "{node}");
        if let (Some(cores), Some(threads)) = (node.cores, node.threads) {
            assert!(1 <= cores && cores <= threads, "{node}");
            assert_eq!(Some(cores), crate::cores::cores().physical);
        }
    }
}
