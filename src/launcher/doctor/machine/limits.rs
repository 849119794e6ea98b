//! Checks that the shell's limits (`ulimit`) are large enough for compilers, kernels and browser
//! connections.

use crate::launcher::doctor::finding::Finding;
use rustix::process::{Resource, getrlimit};

pub fn checks() -> Vec<Finding> {
    // Files: cargo and JupyterLab keep a few hundred open. Processes: threads count, too. Address
    // space: a kernel maps the compiler's libraries.
    let mut limits = vec![
        ("open files", 'n', getrlimit(Resource::Nofile).current, 256, 1024, 1),
        ("processes", 'u', getrlimit(Resource::Nproc).current, 128, 512, 1),
    ];
    if !cfg!(target_os = "macos") {
        limits.push((
            "address space",
            'v',
            getrlimit(Resource::As).current,
            4 << 30,
            16 << 30,
            1024,
        ));
    }
    limits
        .into_iter()
        .map(|(name, letter, limit, least, enough, unit)| {
            judge(name, letter, limit, least, enough, unit)
        })
        .collect()
}

/// `unit` is the shell's unit in bytes.
fn judge(
    name: &'static str,
    letter: char,
    limit: Option<u64>,
    least: u64,
    enough: u64,
    unit: u64,
) -> Finding {
    let Some(limit) = limit else { return Finding::ok(name, "unlimited") };
    let found = format!("ulimit -{letter} is {}", limit / unit);
    let fix = format!(
        "raise it before you start anything: ulimit -{letter} {} (if that is refused, ask the \
        system's administrator)",
        enough / unit
    );
    if limit < least {
        Finding::problem(name, found, fix)
    } else if limit < enough {
        Finding::warning(name, found, fix)
    } else {
        Finding::ok(name, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    #[test]
    fn limits_are_reported_in_the_shells_unit() {
        assert_eq!(judge("open files", 'n', None, 256, 1024, 1).verdict, Verdict::Ok);
        assert_eq!(judge("open files", 'n', Some(100), 256, 1024, 1).verdict, Verdict::Problem);
        let space = judge("address space", 'v', Some(8 << 30), 4 << 30, 16 << 30, 1024);
        assert_eq!((space.verdict, &*space.found), (Verdict::Warning, "ulimit -v is 8388608"));
        assert!(space.fix.unwrap().contains("ulimit -v 16777216"));
    }
}
