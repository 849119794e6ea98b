//! The CPU quota of a control group (Linux): how containers and batch systems give a program a share of a machine's time.
//!
//! `/proc/self/cgroup` names the groups of this process, `/proc/self/mountinfo` where their files are. The tightest quota on the way
//! from the group to the root counts. Version 2 keeps it in `cpu.max`, version 1 in `cpu.cfs_quota_us` and `cpu.cfs_period_us`.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// The quota in cores (CPU time per wall time); `None` when there is no limit, and on systems without control groups.
pub(super) fn quota() -> Option<f64> {
    quota_in(&read_to_string("/proc/self/cgroup").ok()?, &read_to_string("/proc/self/mountinfo").ok()?)
}

fn quota_in(cgroup: &str, mountinfo: &str) -> Option<f64> {
    // A line is `hierarchy:controllers:path`; no controllers means version 2. Mixed systems have both.
    let memberships = cgroup.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        (controllers.is_empty() || controllers.split(',').any(|name| name == "cpu")).then_some((controllers.is_empty(), path))
    });
    let limits = memberships.filter_map(|(is_version_2, path)| {
        let mount = mountinfo.lines().find_map(|line| Mount::parse(line, is_version_2))?;
        mount.groups(path).filter_map(|group| if is_version_2 { version_2(&group) } else { version_1(&group) }).min_by(f64::total_cmp)
    });
    limits.min_by(f64::total_cmp)
}

/// `max 100000` or `150000 100000`: quota and period in microseconds.
fn version_2(group: &Path) -> Option<f64> {
    let text = read_to_string(group.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    ratio(quota, period)
}

/// A quota of -1 means no limit.
fn version_1(group: &Path) -> Option<f64> {
    ratio(&read_to_string(group.join("cpu.cfs_quota_us")).ok()?, &read_to_string(group.join("cpu.cfs_period_us")).ok()?)
}

fn ratio(quota: &str, period: &str) -> Option<f64> {
    let (quota, period) = (quota.trim().parse::<f64>().ok()?, period.trim().parse::<f64>().ok()?);
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}

/// Where a hierarchy of control groups is mounted, and which of its groups is at the top there.
struct Mount {
    root: PathBuf,
    point: PathBuf,
}

impl Mount {
    /// A line of mountinfo: `id parent device root mount-point options… - type source super-options`.
    fn parse(line: &str, is_version_2: bool) -> Option<Mount> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut filesystem = filesystem.split(' ');
        let is_ours = match (filesystem.next()?, is_version_2) {
            ("cgroup2", true) => true,
            ("cgroup", false) => filesystem.nth(1)?.split(',').any(|option| option == "cpu"),
            _ => false,
        };
        let mut fields = mount.split(' ').skip(3);
        is_ours.then_some(Mount { root: unescape(fields.next()?), point: unescape(fields.next()?) })
    }

    /// The directories of a group and of those above it, as far as they are visible here.
    fn groups(&self, path: &str) -> impl Iterator<Item = PathBuf> {
        // In a container the group's path may lie outside of what is mounted; then the top of the mount is the group's own.
        let below = Path::new(path).strip_prefix(&self.root).unwrap_or(Path::new("")).to_path_buf();
        let point = self.point.clone();
        let depth = below.components().count();
        (0..=depth).map(move |length| point.join(below.components().take(length).collect::<PathBuf>()))
    }
}

/// mountinfo writes space, tab, newline and backslash as octal numbers.
fn unescape(field: &str) -> PathBuf {
    PathBuf::from(field.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A cgroup file system made of ordinary files, removed at the end of the test.
    struct Fake(PathBuf);

    impl Fake {
        fn new(name: &str, files: &[(&str, &str)]) -> Fake {
            let directory = std::env::temp_dir().join(format!("parcourse cgroup {name} {}", std::process::id()));
            for (path, content) in files {
                let path = directory.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
            Fake(directory)
        }

        fn mountinfo(&self, root: &str, filesystem: &str) -> String {
            let point = self.0.to_str().unwrap().replace(' ', "\\040");
            format!("24 1 0:22 / /proc rw - proc proc rw\n30 24 0:26 {root} {point} rw,nosuid shared:9 - {filesystem}\n")
        }
    }

    impl Drop for Fake {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn version_2_takes_the_tightest_quota_up_to_the_root() {
        let files = [("slice/cpu.max", "150000 100000\n"), ("slice/job/cpu.max", "max 100000\n"), ("other/cpu.max", "10000 100000\n")];
        let fake = Fake::new("v2", &files);
        let mountinfo = fake.mountinfo("/", "cgroup2 cgroup2 rw");
        assert_eq!(quota_in("0::/slice/job\n", &mountinfo), Some(1.5));
        assert_eq!(quota_in("0::/\n", &mountinfo), None);
        fs::write(fake.0.join("slice/job/cpu.max"), "50000 100000\n").unwrap();
        assert_eq!(quota_in("0::/slice/job\n", &mountinfo), Some(0.5));
    }

    #[test]
    fn version_1_reads_quota_and_period_of_the_cpu_hierarchy() {
        let fake = Fake::new("v1", &[("job/cpu.cfs_quota_us", "400000\n"), ("job/cpu.cfs_period_us", "100000\n")]);
        let mountinfo = fake.mountinfo("/", "cgroup cgroup rw,cpu,cpuacct");
        assert_eq!(quota_in("5:memory:/\n4:cpu,cpuacct:/job\n", &mountinfo), Some(4.0));
        assert_eq!(quota_in("5:cpuset:/job\n", &mountinfo), None);
        fs::write(fake.0.join("job/cpu.cfs_quota_us"), "-1\n").unwrap();
        assert_eq!(quota_in("4:cpu,cpuacct:/job\n", &mountinfo), None);
    }

    /// A container sees its own group at the top of the mount, under whatever path the host gave it.
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
}
