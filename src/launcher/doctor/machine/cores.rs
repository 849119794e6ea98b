//! Checks how many cores this process may use, compared with the machine and the batch job, and
//! variables that set thread counts.

use crate::launcher::doctor::finding::Finding;

/// Variables in which batch systems store a task's cores: the first one set counts. Not those that
/// may count several tasks together; the helper crate reads them with the others they depend on.
const JOB: [&str; 4] = ["SLURM_CPUS_PER_TASK", "PBS_NUM_PPN", "NSLOTS", "LSB_DJOB_NUMPROC"];

pub fn checks() -> Vec<Finding> {
    // Takes affinity and the control group's quota into account.
    let usable = std::thread::available_parallelism().map_or(1, usize::from);
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let job = JOB.iter().find_map(|&name| Some((name, variable(name)?.parse().ok()?)));
    vec![cores(usable, machine(), job), threads(usable, &variable)]
}

/// The number of online logical cores.
fn machine() -> usize {
    // SAFETY: sysconf has no preconditions.
    let number = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    usize::try_from(number).unwrap_or(1).max(1)
}

fn cores(usable: usize, machine: usize, job: Option<(&str, usize)>) -> Finding {
    let mut found = format!("{usable} of the machine's {machine} usable");
    if let Some((name, asked)) = job {
        found = format!("{found}; {name}={asked}");
    }
    match job {
        Some((_, asked)) if asked > usable => {
            let fix = format!(
                "start with all of them: srun --cpus-per-task={asked} …, and make sure that no \
                other job step holds them"
            );
            Finding::warning("cores", found, fix)
        }
        Some((_, asked)) if asked < usable => Finding::warning(
            "cores",
            format!("{found}, but nothing enforces that"),
            format!(
                "the course's helpers respect the job's number; for other programs, export \
                RAYON_NUM_THREADS={asked} OMP_NUM_THREADS={asked}"
            ),
        ),
        _ if usable == 1 => {
            let whose = if machine == 1 {
                "this machine has only one core"
            } else {
                "request more: --cpus-per-task in Slurm, --cpus for a container"
            };
            Finding::warning(
                "cores",
                found,
                format!("programs run, but more threads do not make them faster: {whose}"),
            )
        }
        _ => Finding::ok("cores", found),
    }
}

fn threads(usable: usize, variable: &dyn Fn(&str) -> Option<String>) -> Finding {
    let set: Vec<(&str, String)> = ["RAYON_NUM_THREADS", "OMP_NUM_THREADS"]
        .into_iter()
        .filter_map(|name| Some((name, variable(name)?)))
        .collect();
    let found: Vec<String> = set.iter().map(|(name, value)| format!("{name}={value}")).collect();
    // OpenMP's variable affects other libraries; Rayon's affects what notebooks measure.
    let misleading = set.iter().find(|(name, value)| {
        *name == "RAYON_NUM_THREADS" && value.parse() != Ok(usable) && value != "0"
    });
    match misleading {
        Some((name, _)) => {
            let fix = format!(
                "unset {name} for the course: otherwise measurements show the speed of that number of \
                threads, not of {usable} cores"
            );
            Finding::warning("threads", found.join(", "), fix)
        }
        None if found.is_empty() => Finding::ok("threads", "no variable sets a number"),
        None => Finding::ok("threads", found.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    #[test]
    fn what_the_job_asked_for_is_compared() {
        assert_eq!(cores(16, 16, None).verdict, Verdict::Ok);
        assert_eq!(cores(4, 16, Some(("SLURM_CPUS_PER_TASK", 4))).verdict, Verdict::Ok);
        assert_eq!(cores(1, 16, Some(("SLURM_CPUS_PER_TASK", 4))).verdict, Verdict::Warning);
        let unpinned = cores(16, 16, Some(("NSLOTS", 4)));
        assert!(unpinned.fix.unwrap().contains("RAYON_NUM_THREADS=4"));
        assert_eq!(cores(1, 8, None).verdict, Verdict::Warning);
    }

    #[test]
    fn only_a_rayon_that_differs_misleads() {
        let verdict = |name: &'static str, value: &str| {
            let value = value.to_owned();
            threads(8, &move |asked: &str| (asked == name).then(|| value.clone())).verdict
        };
        assert_eq!(verdict("RAYON_NUM_THREADS", "8"), Verdict::Ok);
        assert_eq!(verdict("RAYON_NUM_THREADS", "1"), Verdict::Warning);
        assert_eq!(verdict("RAYON_NUM_THREADS", "many"), Verdict::Warning);
        assert_eq!(verdict("OMP_NUM_THREADS", "1"), Verdict::Ok);
        assert_eq!(verdict("OTHER", "1"), Verdict::Ok);
    }
}
