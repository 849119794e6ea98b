//! Control groups (Linux): finds the files that limit this process.
//!
//! `/proc/self/cgroup` names the groups of this process, `/proc/self/mountinfo` where their files
//! are. A limit on any group between the process's own and the root counts.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// The groups of this process in one hierarchy.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Groups {
    /// Version 2 has one hierarchy for all controllers, and different file names.
    pub(crate) is_version_2: bool,
    /// The groups' directories, from the root to the process's own, as far as they are visible
    /// here.
    pub(crate) directories: Vec<PathBuf>,
}

impl Groups {
    /// The hierarchies that may limit this controller (`cpu`, `memory`, …). Empty on systems
    /// without control groups.
    ///
    /// `root` is `/`; tests use a directory of their own.
    pub(crate) fn of(controller: &str, root: &Path) -> Vec<Groups> {
        let read = |path: &str| read_to_string(root.join(path)).unwrap_or_default();
        let mut found =
            groups_in(controller, &read("proc/self/cgroup"), &read("proc/self/mountinfo"));
        if root != Path::new("/") {
            for directory in found.iter_mut().flat_map(|groups| &mut groups.directories) {
                *directory = root.join(directory.strip_prefix("/").unwrap_or(directory));
            }
        }
        found
    }
}

pub(crate) fn groups_in(controller: &str, cgroup: &str, mountinfo: &str) -> Vec<Groups> {
    // A line is `hierarchy:controllers:path`; no controllers means version 2. Mixed systems have
    // both.
    let memberships = cgroup.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let is_ours =
            controllers.is_empty() || controllers.split(',').any(|name| name == controller);
        is_ours.then_some((controllers.is_empty(), path))
    });
    let groups = memberships.filter_map(|(is_version_2, path)| {
        let mount =
            mountinfo.lines().find_map(|line| Mount::parse(line, controller, is_version_2))?;
        Some(Groups { is_version_2, directories: mount.groups(path) })
    });
    groups.collect()
}

/// Where a hierarchy of control groups is mounted, and which of its groups is at the top of the
/// mount.
struct Mount {
    root: PathBuf,
    point: PathBuf,
}

impl Mount {
    /// A line of mountinfo: `id parent device root mount-point options… - type source
    /// super-options`.
    fn parse(line: &str, controller: &str, is_version_2: bool) -> Option<Mount> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut filesystem = filesystem.split(' ');
        let is_ours = match (filesystem.next()?, is_version_2) {
            ("cgroup2", true) => true,
            ("cgroup", false) => filesystem.nth(1)?.split(',').any(|option| option == controller),
            _ => false,
        };
        let mut fields = mount.split(' ').skip(3);
        is_ours.then_some(Mount { root: unescape(fields.next()?), point: unescape(fields.next()?) })
    }

    /// The directories of a group and of those above it, as far as they are visible here.
    fn groups(&self, path: &str) -> Vec<PathBuf> {
        // In a container the group's path may be outside of the mount; then the top of the mount is
        // the group's own.
        let below = Path::new(path).strip_prefix(&self.root).unwrap_or(Path::new(""));
        let depth = below.components().count();
        (0..=depth)
            .map(|length| self.point.join(below.components().take(length).collect::<PathBuf>()))
            .collect()
    }
}

/// mountinfo writes space, tab, newline and backslash as octal numbers.
fn unescape(field: &str) -> PathBuf {
    PathBuf::from(
        field
            .replace("\\040", " ")
            .replace("\\011", "\t")
            .replace("\\012", "\n")
            .replace("\\134", "\\"),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::fs;

    /// A directory of ordinary files that look like the system's; removed at the end of the test.
    pub(crate) struct Fake(pub(crate) PathBuf);

    impl Fake {
        pub(crate) fn new(name: &str, files: &[(&str, &str)]) -> Fake {
            let directory =
                std::env::temp_dir().join(format!("parcourse fake {name} {}", std::process::id()));
            for (path, content) in files {
                let path = directory.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
            Fake(directory)
        }

        /// The mountinfo of a hierarchy mounted at this directory.
        pub(crate) fn mountinfo(&self, root: &str, filesystem: &str) -> String {
            let point = self.0.to_str().unwrap().replace(' ', "\\040");
            format!(
                "24 1 0:22 / /proc rw - proc proc rw\n\
                 30 24 0:26 {root} {point} rw,nosuid shared:9 - {filesystem}\n"
            )
        }
    }

    impl Drop for Fake {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn groups_lead_from_the_root_to_the_own_one() {
        let mountinfo = "30 24 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n";
        let [found] = &groups_in("cpu", "0::/slice/job\n", mountinfo)[..] else {
            panic!("one hierarchy")
        };
        assert!(found.is_version_2);
        let expected = ["/sys/fs/cgroup", "/sys/fs/cgroup/slice", "/sys/fs/cgroup/slice/job"]
            .map(PathBuf::from);
        assert_eq!(found.directories, expected);
    }

    #[test]
    fn mixed_systems_have_both_versions() {
        let mountinfo = "30 24 0:26 / /cg/unified rw - cgroup2 cgroup2 rw\n\
                         31 24 0:27 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n";
        let found = groups_in("cpu", "4:cpu,cpuacct:/job\n3:memory:/\n0::/\n", mountinfo);
        assert_eq!(
            found.iter().map(|groups| groups.is_version_2).collect::<Vec<_>>(),
            [false, true]
        );
        assert_eq!(groups_in("memory", "4:cpu,cpuacct:/job\n3:memory:/\n", mountinfo), []);
        assert_eq!(groups_in("cpu", "", ""), []);
    }
}
