//! Checks free disk space in the folders that are written to.

use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::setup::{self, Role, Setup};
use std::path::Path;

/// Each kernel writes about 500 files, the set-up about 20 000.
const INODES: u64 = 40_000;

pub fn checks(setup: &Setup) -> Vec<Finding> {
    setup
        .folders()
        .into_iter()
        .map(|(role, folder)| {
            check(
                if role == Role::Cache { "disk of cache" } else { "disk of builds" },
                folder,
                setup.disk,
            )
        })
        .collect()
}

fn check(name: &'static str, folder: &Path, wanted: u64) -> Finding {
    let exists = setup::existing(folder);
    match rustix::fs::statvfs(exists) {
        Ok(status) => {
            // Some file systems do not count inodes.
            let inodes = (status.f_files > 0).then_some(status.f_favail);
            judge(name, folder, status.f_bavail * status.f_frsize, inodes, wanted)
        }
        Err(error) => Finding::unknown(
            name,
            format!("failed to determine the free space in {}: {error}", exists.display()),
        ),
    }
}

/// Below the required space, things still work for a while; below a quarter of it, they do not.
fn judge(
    name: &'static str,
    folder: &Path,
    free: u64,
    inodes: Option<u64>,
    wanted: u64,
) -> Finding {
    let gib = |bytes: u64| bytes as f64 / (1u64 << 30) as f64;
    let found = format!("{:.1} GiB free in {}", gib(free), folder.display());
    let fix = format!(
        "free some space, or set PARCOURSE_CACHE to a folder with at least {:.1} GiB (an \
        environment needs 0.4 GiB, each kernel 0.1 to 0.5 GiB)",
        gib(wanted)
    );
    if free < wanted / 4 {
        Finding::problem(name, found, fix)
    } else if free < wanted {
        Finding::warning(name, found, fix)
    } else if inodes.is_some_and(|inodes| inodes < INODES) {
        Finding::warning(
            name,
            format!("{found}, but room for only {} more files", inodes.unwrap_or(0)),
            fix,
        )
    } else {
        Finding::ok(name, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    #[test]
    fn little_is_a_warning_and_nothing_a_problem() {
        let verdict =
            |free, inodes| judge("disk of cache", Path::new("/cache"), free, inodes, 4000).verdict;
        assert_eq!(verdict(5000, None), Verdict::Ok);
        assert_eq!(verdict(3000, Some(1 << 20)), Verdict::Warning);
        assert_eq!(verdict(900, None), Verdict::Problem);
        assert_eq!(verdict(5000, Some(100)), Verdict::Warning);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_judged_by_the_one_above() {
        assert_eq!(check("disk of cache", Path::new("/no/such/folder"), 0).verdict, Verdict::Ok);
    }
}
