//! The CPU quota and the CPU set of a control group (Linux): with these, containers and batch
//! systems give a program a share of a machine.
//!
//! The tightest quota on the way from the group to the root counts. Version 2 keeps it in
//! `cpu.max`, version 1 in `cpu.cfs_quota_us` and `cpu.cfs_period_us`. The CPU set is already part
//! of the affinity and is only shown.

use crate::cgroup::Groups;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// A limit set by a file of a control group.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct GroupLimit {
    /// CPU time per wall time.
    pub(super) cores: f64,
    pub(super) file: PathBuf,
    /// The content of the file.
    pub(super) content: String,
}

/// The quota in cores (CPU time per wall time); `None` if there is no limit, or on systems without
/// control groups.
pub(super) fn quota() -> Option<f64> {
    tightest(&quotas()).map(|limit| limit.cores)
}

/// All quotas on the way from the root to this process's group.
pub(super) fn quotas() -> Vec<GroupLimit> {
    quotas_of(&Groups::of("cpu", Path::new("/")))
}

/// The CPUs of this process's group, if it has such a set.
pub(super) fn cpu_sets() -> Vec<GroupLimit> {
    cpu_sets_of(&Groups::of("cpuset", Path::new("/")))
}

pub(super) fn tightest(limits: &[GroupLimit]) -> Option<&GroupLimit> {
    limits.iter().min_by(|a, b| a.cores.total_cmp(&b.cores))
}

fn quotas_of(hierarchies: &[Groups]) -> Vec<GroupLimit> {
    let limits = hierarchies.iter().flat_map(|groups| {
        let read = if groups.is_version_2 { version_2 } else { version_1 };
        groups.directories.iter().filter_map(move |directory| read(directory))
    });
    limits.collect()
}

/// `max 100000` or `150000 100000`: quota and period in microseconds.
fn version_2(group: &Path) -> Option<GroupLimit> {
    let file = group.join("cpu.max");
    let content = read_to_string(&file).ok()?.trim().to_string();
    let (quota, period) = content.split_once(' ')?;
    Some(GroupLimit { cores: ratio(quota, period)?, file, content })
}

/// A quota of -1 means no limit.
fn version_1(group: &Path) -> Option<GroupLimit> {
    let file = group.join("cpu.cfs_quota_us");
    let quota = read_to_string(&file).ok()?;
    let period = read_to_string(group.join("cpu.cfs_period_us")).ok()?;
    Some(GroupLimit {
        cores: ratio(&quota, &period)?,
        file,
        content: format!("{} {}", quota.trim(), period.trim()),
    })
}

fn ratio(quota: &str, period: &str) -> Option<f64> {
    let (quota, period) = (quota.trim().parse::<f64>().ok()?, period.trim().parse::<f64>().ok()?);
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}

/// The kernel already intersects a set with the sets above it, so only the group's own counts.
fn cpu_sets_of(hierarchies: &[Groups]) -> Vec<GroupLimit> {
    let sets = hierarchies.iter().filter_map(|groups| {
        let group = groups.directories.last()?;
        let names: &[&str] = if groups.is_version_2 {
            &["cpuset.cpus.effective"]
        } else {
            &["cpuset.effective_cpus", "cpuset.cpus"]
        };
        names.iter().find_map(|name| {
            let file = group.join(name);
            let content = read_to_string(&file).ok()?.trim().to_string();
            let count = super::parse_cpu_list(&content)?.len();
            (count > 0).then_some(GroupLimit { cores: count as f64, file, content })
        })
    });
    sets.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroup::groups_in;
    use crate::cgroup::tests::Fake;
    use std::fs;

    fn quota_in(cgroup: &str, mountinfo: &str) -> Option<f64> {
        tightest(&quotas_of(&groups_in("cpu", cgroup, mountinfo))).map(|limit| limit.cores)
    }

    #[test]
    fn version_2_takes_the_tightest_quota_up_to_the_root() {
        let files = [
            ("slice/cpu.max", "150000 100000\n"),
            ("slice/job/cpu.max", "max 100000\n"),
            ("other/cpu.max", "10000 100000\n"),
        ];
        let fake = Fake::new("v2", &files);
        let mountinfo = fake.mountinfo("/", "cgroup2 cgroup2 rw");
        assert_eq!(quota_in("0::/slice/job\n", &mountinfo), Some(1.5));
        assert_eq!(quota_in("0::/\n", &mountinfo), None);
        fs::write(fake.0.join("slice/job/cpu.max"), "50000 100000\n").unwrap();
        assert_eq!(quota_in("0::/slice/job\n", &mountinfo), Some(0.5));
        let all = quotas_of(&groups_in("cpu", "0::/slice/job\n", &mountinfo));
        let shown: Vec<_> = all
            .iter()
            .map(|limit| (limit.cores, &*limit.content, limit.file.strip_prefix(&fake.0).unwrap()))
            .collect();
        assert_eq!(
            shown,
            [
                (1.5, "150000 100000", Path::new("slice/cpu.max")),
                (0.5, "50000 100000", Path::new("slice/job/cpu.max"))
            ]
        );
    }

    #[test]
    fn version_1_reads_quota_and_period_of_the_cpu_hierarchy() {
        let fake = Fake::new(
            "v1",
            &[("job/cpu.cfs_quota_us", "400000\n"), ("job/cpu.cfs_period_us", "100000\n")],
        );
        let mountinfo = fake.mountinfo("/", "cgroup cgroup rw,cpu,cpuacct");
        assert_eq!(quota_in("5:memory:/\n4:cpu,cpuacct:/job\n", &mountinfo), Some(4.0));
        assert_eq!(quota_in("5:cpuset:/job\n", &mountinfo), None);
        fs::write(fake.0.join("job/cpu.cfs_quota_us"), "-1\n").unwrap();
        assert_eq!(quota_in("4:cpu,cpuacct:/job\n", &mountinfo), None);
    }

    /// A container sees its own group at the top of the mount, under whatever path the host gave
    /// it.
    #[test]
    fn container_sees_its_own_group_at_the_top() {
        let fake = Fake::new("container", &[("cpu.max", "200000 100000\n")]);
        let mountinfo = fake.mountinfo("/docker/abc", "cgroup2 cgroup2 rw");
        assert_eq!(quota_in("0::/docker/abc\n", &mountinfo), Some(2.0));
        assert_eq!(quota_in("0::/../elsewhere\n", &mountinfo), Some(2.0));
    }

    #[test]
    fn no_hierarchy_no_limit() {
        assert_eq!(quota_in("", ""), None);
        assert_eq!(quota_in("0::/\n", "24 1 0:22 / /proc rw - proc proc rw\n"), None);
    }

    #[test]
    fn cpu_set_is_the_effective_one_of_the_own_group() {
        let files = [
            ("a/cpuset.cpus.effective", "0-7\n"),
            ("a/b/cpuset.cpus.effective", "2-3,6\n"),
            ("a/c/cpuset.cpus.effective", "\n"),
        ];
        let fake = Fake::new("cpuset", &files);
        let sets = |path: &str, filesystem: &str| {
            let found = cpu_sets_of(&groups_in("cpuset", path, &fake.mountinfo("/", filesystem)));
            found.into_iter().map(|set| (set.cores, set.content)).collect::<Vec<_>>()
        };
        assert_eq!(sets("0::/a/b\n", "cgroup2 cgroup2 rw"), [(3.0, "2-3,6".to_string())]);
        assert_eq!(sets("0::/a/c\n", "cgroup2 cgroup2 rw"), []);
        fs::write(fake.0.join("cpuset.cpus"), "0-1\n").unwrap();
        assert_eq!(sets("7:cpuset:/\n", "cgroup cgroup rw,cpuset"), [(2.0, "0-1".to_string())]);
    }
}
