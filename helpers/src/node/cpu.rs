//! The processor and its caches.

use crate::cores::parse_cpu_list;
use std::collections::{BTreeMap, HashSet};
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// The directory of a logical core.
pub(super) fn directory(root: &Path, cpu: usize) -> PathBuf {
    root.join(format!("sys/devices/system/cpu/cpu{cpu}"))
}

/// The logical cores that are online; empty if unknown.
pub(super) fn online(root: &Path) -> Vec<usize> {
    read_to_string(root.join("sys/devices/system/cpu/online"))
        .ok()
        .and_then(|list| parse_cpu_list(&list))
        .unwrap_or_default()
}

/// Chips in sockets; `None` if unknown (-1 on some ARM boards).
pub(super) fn sockets(root: &Path, cpus: &[usize]) -> Option<usize> {
    let id = |cpu: &usize| {
        read_to_string(directory(root, *cpu).join("topology/physical_package_id"))
            .ok()?
            .trim()
            .parse::<u32>()
            .ok()
    };
    distinct(cpus.iter().map(id))
}

/// Physical cores: the number of distinct sets of siblings.
pub(super) fn cores(root: &Path, cpus: &[usize]) -> Option<usize> {
    let siblings = |cpu: &usize| {
        let topology = directory(root, *cpu).join("topology");
        // The name before Linux 5.1.
        read_to_string(topology.join("core_cpus_list"))
            .or_else(|_| read_to_string(topology.join("thread_siblings_list")))
            .ok()
    };
    distinct(cpus.iter().map(siblings))
}

/// The number of distinct values; `None` if there are none or one is unknown.
fn distinct<T: std::hash::Hash + Eq>(items: impl Iterator<Item = Option<T>>) -> Option<usize> {
    let items = items.collect::<Option<HashSet<T>>>()?;
    (!items.is_empty()).then_some(items.len())
}

/// Name of the processor model.
pub(super) fn model(root: &Path) -> Option<String> {
    model_in(&read_to_string(root.join("proc/cpuinfo")).ok()?)
}

fn model_in(cpuinfo: &str) -> Option<String> {
    let value = |wanted: &str| {
        cpuinfo.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == wanted).then(|| value.split_whitespace().collect::<Vec<_>>().join(" "))
        })
    };
    let named = |name: &str| value(name).filter(|name| !name.is_empty());
    // x86; POWER; some RISC-V; some ARM boards.
    named("model name")
        .or_else(|| named("cpu"))
        .or_else(|| named("uarch"))
        .or_else(|| arm(&value))
        .or_else(|| named("Hardware"))
}

/// ARM processors report only numbers; these are the ones found in clusters, clouds and small
/// boards.
fn arm(value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let (implementer, part) = (value("CPU implementer")?, value("CPU part")?);
    let name = match (&*implementer, &*part) {
        ("0x41", "0xd03") => "ARM Cortex-A53",
        ("0x41", "0xd08") => "ARM Cortex-A72",
        ("0x41", "0xd0b") => "ARM Cortex-A76",
        ("0x41", "0xd0c") => "ARM Neoverse N1",
        ("0x41", "0xd40") => "ARM Neoverse V1",
        ("0x41", "0xd49") => "ARM Neoverse N2",
        ("0x41", "0xd4f") => "ARM Neoverse V2",
        ("0x46", "0x001") => "Fujitsu A64FX",
        ("0x48", "0xd01") => "HiSilicon Kunpeng 920",
        ("0xc0", "0xac3" | "0xac4") => "Ampere One",
        _ => return Some(format!("ARM, implementer {implementer}, part {part}")),
    };
    Some(name.to_string())
}

/// What a cache holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CacheKind {
    /// Data only: `L1d`.
    Data,
    /// Instructions only: `L1i`.
    Instruction,
    /// Both data and instructions.
    Unified,
}

/// A kind of cache of the machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub struct Cache {
    /// 1 is nearest to the core.
    pub level: u32,
    /// What it holds.
    pub kind: CacheKind,
    /// Size of each, in bytes.
    pub size: u64,
    /// How many logical cores share each.
    pub shared_by: usize,
    /// How many of these the machine has.
    pub count: usize,
}

impl Cache {
    /// The usual name: `L1d`, `L2`.
    ///
    /// ```
    /// for cache in parcourse::node::node_info().caches {
    ///     let name = cache.name();
    ///     println!("{name}: {} bytes, shared by {} threads", cache.size, cache.shared_by);
    /// }
    /// ```
    pub fn name(&self) -> String {
        let kind = match self.kind {
            CacheKind::Data => "d",
            CacheKind::Instruction => "i",
            CacheKind::Unified => "",
        };
        format!("L{}{kind}", self.level)
    }
}

/// The caches of these logical cores.
pub(super) fn caches(root: &Path, cpus: &[usize]) -> Vec<Cache> {
    let mut seen = HashSet::new();
    let mut counts = BTreeMap::new();
    for &cpu in cpus {
        let directory = directory(root, cpu).join("cache");
        for index in 0..16 {
            let read =
                |file: &str| read_to_string(directory.join(format!("index{index}/{file}"))).ok();
            let Some(shared) = read("shared_cpu_list") else { break };
            // The others that share it are skipped.
            if seen.contains(&(index, shared.clone())) {
                continue;
            }
            if let Some(cache) = cache(&read, &shared) {
                *counts.entry(cache).or_insert(0) += 1;
            }
            seen.insert((index, shared));
        }
    }
    counts.into_iter().map(|(cache, count)| Cache { count, ..cache }).collect()
}

fn cache(read: &dyn Fn(&str) -> Option<String>, shared: &str) -> Option<Cache> {
    let kind = match read("type")?.trim() {
        "Data" => CacheKind::Data,
        "Instruction" => CacheKind::Instruction,
        "Unified" => CacheKind::Unified,
        _ => return None,
    };
    let shared_by = parse_cpu_list(shared)?.len();
    let (level, size) = (read("level")?.trim().parse().ok()?, size(read("size")?.trim())?);
    Some(Cache { level, kind, size, shared_by, count: 0 })
}

/// `32K`, `16M`.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = match text.strip_suffix('K') {
        Some(number) => (number, 1 << 10),
        None => text.strip_suffix('M').map_or((text, 1), |number| (number, 1 << 20)),
    };
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|&size| size > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::tests::fake;

    #[test]
    fn every_architecture_names_its_model_in_its_own_way() {
        let model = |text: &str| model_in(text).unwrap_or_default();
        assert_eq!(
            model("processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7763\n"),
            "AMD EPYC 7763"
        );
        assert_eq!(
            model("processor\t: 0\ncpu\t\t: POWER9, altivec supported\n"),
            "POWER9, altivec supported"
        );
        assert_eq!(
            model("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd4f\n"),
            "ARM Neoverse V2"
        );
        assert_eq!(
            model("CPU implementer\t: 0x99\nCPU part\t: 0x1\n"),
            "ARM, implementer 0x99, part 0x1"
        );
        assert_eq!(model("processor : 0\nhart : 0\nuarch : sifive,u74-mc\n"), "sifive,u74-mc");
        assert_eq!(model_in("processor : 0\n"), None);
    }

    #[test]
    fn shared_caches_are_counted_once() {
        let fake = fake("cache");
        let found: Vec<_> = caches(&fake.0, &[0, 1, 2, 3, 4, 5, 6, 7])
            .iter()
            .map(|c| (c.name(), c.size, c.shared_by, c.count))
            .collect();
        let expected = [("L1d", 48 << 10, 2, 4), ("L1i", 32 << 10, 2, 4), ("L3", 16 << 20, 4, 2)];
        assert_eq!(
            found,
            expected.map(|(name, size, shared_by, count)| (
                name.to_string(),
                size,
                shared_by,
                count
            ))
        );
    }

    #[test]
    fn sizes() {
        assert_eq!(size("32K"), Some(32 << 10));
        assert_eq!(size("16M"), Some(16 << 20));
        assert_eq!(size("0K"), None);
        assert_eq!(size("big"), None);
        assert_eq!(size("99999999999999999999K"), None);
    }
}
