//! Checks that socket paths, limited to about a hundred bytes, fit below the temporary folder,
//! whose path can be long in batch jobs.

use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::setup::Setup;
use std::path::Path;

/// The maximum length of a socket's path in bytes, without the terminating zero.
const LONGEST: usize = if cfg!(target_os = "macos") { 103 } else { 107 };
/// The longest path that Jupyter appends to the temporary folder for a kernel.
const BELOW: &str = "/lab-1234567-abcdefgh/run/kernel-01234567-89ab-cdef-0123-456789abcdef-ipc-10";

pub fn check(setup: &Setup) -> Finding {
    match &setup.temporary {
        Ok(folder) => judge(folder),
        Err(error) => Finding::problem(
            "temporary folder",
            format!("{error:#}"),
            "set PARCOURSE_TMPDIR to a folder that you own",
        ),
    }
}

fn judge(folder: &Path) -> Finding {
    let (length, most) = (folder.as_os_str().len(), LONGEST - BELOW.len());
    let found = format!("the path {} has {length} bytes, the limit is {most}", folder.display());
    if length > most {
        let fix = "set PARCOURSE_TMPDIR to a folder with a short path, such as /tmp; the course \
            creates its own folder in it";
        Finding::problem("socket paths", format!("too long: {found}"), fix)
    } else {
        Finding::ok("socket paths", found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    #[test]
    fn a_batch_systems_long_folder_is_noticed() {
        assert_eq!(judge(Path::new("/tmp/parcourse-1000")).verdict, Verdict::Ok);
        let long =
            judge(Path::new("/var/spool/pbs/tmpdir/pbs.1234567.server.example.org/parcourse-1000"));
        assert_eq!(long.verdict, Verdict::Problem);
        assert!(long.fix.unwrap().contains("PARCOURSE_TMPDIR"));
    }
}
