//! Checks which file systems are written to, and what that means for kernels.

use crate::base::paths;
use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::setup::{self, Role, Setup};
use std::path::Path;

/// The kind of a file system.
enum FileSystem {
    Local(&'static str),
    /// In memory: files there use up memory.
    Memory(&'static str),
    /// On a server: slow with many small files; locks and sockets may not work.
    Network(&'static str),
}

pub fn checks(setup: &Setup) -> Vec<Finding> {
    setup
        .folders()
        .into_iter()
        .map(|(role, folder)| if role == Role::Cache { cache(folder) } else { builds(folder) })
        .collect()
}

fn cache(folder: &Path) -> Finding {
    let (kind, noexec) = match look(folder) {
        Ok(found) => found,
        Err(error) => return Finding::unknown("kind of cache", error),
    };
    judge_cache(&kind, noexec, folder)
}

fn judge_cache(kind: &FileSystem, noexec: bool, folder: &Path) -> Finding {
    const NAME: &str = "kind of cache";
    let fix = "set PARCOURSE_CACHE to a folder on a local disk";
    match kind {
        _ if noexec => Finding::problem(
            NAME,
            format!("programs cannot be run from {} (noexec)", folder.display()),
            fix,
        ),
        FileSystem::Network(name) => Finding::warning(
            NAME,
            format!(
                "{name}: the set-up and kernel starts read many small files, which is slow there"
            ),
            format!("if starts are slow, {fix}"),
        ),
        FileSystem::Memory(name) => Finding::warning(
            NAME,
            format!("{name}: uses up memory, and is lost when the machine restarts"),
            fix,
        ),
        FileSystem::Local(name) => Finding::ok(NAME, *name),
    }
}

fn builds(folder: &Path) -> Finding {
    match look(folder) {
        Ok((kind, _)) => judge_builds(&kind),
        Err(error) => Finding::unknown("kind of builds", error),
    }
}

fn judge_builds(kind: &FileSystem) -> Finding {
    const NAME: &str = "kind of builds";
    let fix = "set PARCOURSE_TMPDIR to a folder on a local disk, such as the one your batch \
        system gives each job; only you and root may be able to write to it and to all folders \
        above it";
    match kind {
        FileSystem::Network(name) => {
            Finding::warning(NAME, format!("{name}: compiling cells is slow there"), fix)
        }
        FileSystem::Memory(name) => Finding::ok(
            NAME,
            format!("{name}: fast; each kernel uses 0.1 to 0.5 GiB of memory there"),
        ),
        FileSystem::Local(name) => Finding::ok(NAME, *name),
    }
}

/// Returns the kind of a folder's file system, and whether it is mounted noexec.
#[cfg(target_os = "linux")]
fn look(folder: &Path) -> Result<(FileSystem, bool), String> {
    let folder = setup::existing(folder);
    let failed =
        |error| format!("failed to determine the file system of {}: {error}", folder.display());
    let status = rustix::fs::statfs(folder).map_err(failed)?;
    // The magic numbers of statfs(2) have 32 bits, but the type's width and sign depend on the
    // platform.
    Ok((kind(status.f_type as u32), paths::is_noexec(folder)))
}

#[cfg(not(target_os = "linux"))]
fn look(folder: &Path) -> Result<(FileSystem, bool), String> {
    Err(format!("not available on this system ({})", setup::existing(folder).display()))
}

#[cfg(any(target_os = "linux", test))]
fn kind(number: u32) -> FileSystem {
    match number {
        0x6969 => FileSystem::Network("NFS"),
        0x0BD0_0BD0 => FileSystem::Network("Lustre"),
        0x4750_4653 => FileSystem::Network("GPFS (Spectrum Scale)"),
        0x1983_0326 => FileSystem::Network("BeeGFS"),
        0x00C3_6400 => FileSystem::Network("Ceph"),
        0x5346_414F => FileSystem::Network("AFS"),
        0xFF53_4D42 | 0xFE53_4D42 => FileSystem::Network("SMB (Windows share)"),
        0x0102_1997 => FileSystem::Network("9p"),
        0x6573_5546 => FileSystem::Network("FUSE (sshfs or the like)"),
        0x0102_1994 => FileSystem::Memory("tmpfs"),
        0x8584_58F6 => FileSystem::Memory("ramfs"),
        0xEF53 => FileSystem::Local("ext4"),
        0x5846_5342 => FileSystem::Local("XFS"),
        0x9123_683E => FileSystem::Local("Btrfs"),
        0x2FC1_2FC1 => FileSystem::Local("ZFS"),
        0x794C_7630 => FileSystem::Local("overlay (container)"),
        _ => FileSystem::Local("local, as far as known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    #[test]
    fn network_is_slow_and_noexec_does_not_work() {
        let folder = Path::new("/scratch/cache");
        for number in [0x6969, 0x0BD0_0BD0, 0x4750_4653] {
            assert_eq!(judge_cache(&kind(number), false, folder).verdict, Verdict::Warning);
            assert_eq!(judge_builds(&kind(number)).verdict, Verdict::Warning);
        }
        assert_eq!(judge_cache(&kind(0xEF53), true, folder).verdict, Verdict::Problem);
        assert_eq!(judge_builds(&kind(0x0102_1994)).verdict, Verdict::Ok);
        assert_eq!(judge_cache(&kind(0xEF53), false, folder), Finding::ok("kind of cache", "ext4"));
    }
}
