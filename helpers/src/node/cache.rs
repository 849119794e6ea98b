//! The caches, and who shares them.

use super::cpu;
use crate::cores::cpu_list;
use std::collections::{BTreeMap, HashSet};
use std::fs::read_to_string;
use std::path::Path;

/// What a cache holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CacheKind {
    /// Data only: `L1d`.
    Data,
    /// Instructions only: `L1i`.
    Instruction,
    /// Both.
    Unified,
}

/// Caches of the machine that are alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub struct Cache {
    /// 1 is the nearest to the core.
    pub level: u32,
    /// What it holds.
    pub kind: CacheKind,
    /// Size of one of them, in bytes.
    pub size: u64,
    /// How many logical cores share one.
    pub shared_by: usize,
    /// How many of them the machine has.
    pub count: usize,
}

impl Cache {
    /// As it is usually called: `L1d`, `L2`.
    ///
    /// ```
    /// for cache in parcourse::node::node_info().caches {
    ///     println!("{}: {} bytes, shared by {} threads", cache.name(), cache.size, cache.shared_by);
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

/// The caches that these logical cores have.
pub(super) fn caches(root: &Path, cpus: &[usize]) -> Vec<Cache> {
    let mut seen = HashSet::new();
    let mut counts = BTreeMap::new();
    for &cpu in cpus {
        let directory = cpu::directory(root, cpu).join("cache");
        for index in 0..16 {
            let read =
                |file: &str| read_to_string(directory.join(format!("index{index}/{file}"))).ok();
            let Some(shared) = read("shared_cpu_list") else { break };
            // The others that share it are not asked.
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
    let shared_by = cpu_list::parse(shared)?.len();
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
