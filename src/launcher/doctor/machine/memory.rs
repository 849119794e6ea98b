//! Checks memory: how much is free, how much the control group allows, and the size of /dev/shm.

use crate::launcher::doctor::finding::Finding;
use std::path::Path;

/// Shared with the helper crate, which reads the same files.
#[path = "../../../../helpers/src/cgroup.rs"]
#[allow(dead_code, reason = "the helper crate uses more of it")]
mod cgroup;

const GIB: u64 = 1 << 30;

pub fn checks() -> Vec<Finding> {
    vec![memory(crate::base::memory::available(), limit(Path::new("/"))), shared()]
}

/// Returns the smallest limit between our control group and the root, in bytes.
fn limit(root: &Path) -> Option<u64> {
    let groups = cgroup::Groups::of("memory", root);
    let limits = groups.iter().flat_map(|groups| {
        let file = if groups.is_version_2 { "memory.max" } else { "memory.limit_in_bytes" };
        groups.directories.iter().filter_map(move |directory| {
            std::fs::read_to_string(directory.join(file)).ok()?.trim().parse().ok()
        })
    });
    // Version 1 writes a number near 2^63 for "no limit".
    limits.filter(|&limit: &u64| limit < 1 << 60).min()
}

fn memory(available: Option<u64>, limit: Option<u64>) -> Finding {
    let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / GIB as f64);
    let Some(usable) = available.into_iter().chain(limit).min() else {
        return Finding::unknown("memory", "not available on this system");
    };
    let mut parts: Vec<String> =
        available.into_iter().map(|bytes| format!("{} available", gib(bytes))).collect();
    parts.extend(limit.map(|bytes| format!("limited to {} by the control group", gib(bytes))));
    let fix = "request more (--mem in Slurm, --memory for a container), or close other notebooks";
    if usable < GIB {
        Finding::problem(
            "memory",
            parts.join(", "),
            format!("a kernel and its compiler need half a GiB: {fix}"),
        )
    } else if usable < 2 * GIB {
        Finding::warning(
            "memory",
            parts.join(", "),
            format!("two notebooks at once may need more than that: {fix}"),
        )
    } else {
        Finding::ok("memory", parts.join(", "))
    }
}

fn shared() -> Finding {
    const NAME: &str = "/dev/shm";
    match rustix::fs::statvfs("/dev/shm") {
        Ok(status) => judge_shared(status.f_blocks * status.f_frsize),
        Err(_) if cfg!(target_os = "macos") => Finding::ok(NAME, "not needed on this system"),
        Err(error) => Finding::warning(
            NAME,
            format!("not available ({error})"),
            "MPI on one machine will be slow or fail: have it mounted",
        ),
    }
}

fn judge_shared(size: u64) -> Finding {
    let found = format!("{} MiB", size >> 20);
    if size <= 64 << 20 {
        let fix = "too small for MPI with large messages, and for browsers in a container: start \
            the container with --shm-size=1g";
        Finding::warning("/dev/shm", found, fix)
    } else {
        Finding::ok("/dev/shm", found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    #[test]
    fn the_smaller_of_what_is_there_and_what_is_allowed_counts() {
        assert_eq!(memory(Some(16 * GIB), None).verdict, Verdict::Ok);
        assert_eq!(memory(Some(16 * GIB), Some(GIB + GIB / 2)).verdict, Verdict::Warning);
        assert_eq!(memory(Some(GIB / 2), Some(8 * GIB)).verdict, Verdict::Problem);
        assert_eq!(memory(None, None).verdict, Verdict::Unknown);
        assert_eq!(judge_shared(64 << 20).verdict, Verdict::Warning);
        assert_eq!(judge_shared(1 << 30).verdict, Verdict::Ok);
    }

    #[test]
    fn the_smallest_limit_of_the_groups_is_found() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("proc/self/cgroup", "0::/job/step\n");
        write("proc/self/mountinfo", "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        write("sys/fs/cgroup/job/memory.max", "3221225472\n");
        write("sys/fs/cgroup/job/step/memory.max", "max\n");
        assert_eq!(limit(root.path()), Some(3 * GIB));
        assert_eq!(limit(&root.path().join("nothing")), None);
    }
}
