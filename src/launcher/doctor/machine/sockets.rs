//! Whether sockets fit: their paths may have some hundred bytes and no more, and temporary folders
//! of batch jobs can be long.

use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::setup::Setup;
use std::path::Path;

/// Bytes that a socket's path may have, without the zero at its end.
const LONGEST: usize = if cfg!(target_os = "macos") { 103 } else { 107 };
/// What comes below the temporary folder when Jupyter starts a kernel.
const BELOW: &str = "/lab-1234567-abcdefgh/run/kernel-01234567-89ab-cdef-0123-456789abcdef-ipc-10";

pub fn check(setup: &Setup) -> Finding {
    match &setup.temporary {
        Ok(folder) => judge(folder),
        Err(error) => Finding::problem(
            "temporary folder",
            format!("{error:#}"),
            "let PARCOURSE_TMPDIR name a folder of yours",
        ),
    }
}

fn judge(folder: &Path) -> Finding {
    let (length, most) = (folder.as_os_str().len(), LONGEST - BELOW.len());
    let found = format!("{} has {length} bytes in its name, {most} are possible", folder.display());
    if length > most {
        let fix = "let PARCOURSE_TMPDIR name a folder with a short path, such as /tmp: we make one of our own in it";
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
