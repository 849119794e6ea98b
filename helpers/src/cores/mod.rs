//! How many cores may this program use, and what limits them?
//!
//! A machine has physical cores; with hyper-threading each one appears as two *logical* cores. A
//! program may not be allowed to use all of them: `taskset` and batch systems pin it to some (CPU
//! affinity), containers and batch systems give it a share of time (cgroup quota), and a job script
//! may have requested a number that nothing enforces. [`cores()`] checks all of these and takes the
//! smallest. Every helper of this crate uses it as its default number of threads.
//!
//! ```
//! use parcourse::prelude::*;
//! println!("{}", cores());
//! let pool = Pool::new(cores().usable);
//! # assert_eq!(pool.num_threads(), cores().usable);
//! ```
//!
//! [`Cores::all`] shows all sources and their values, so you can find out why the number is what it
//! is.
//!
//! On Linux all of them are read; on other systems only the physical and logical numbers and the
//! batch system's variables. Reading order: `topology`, `quota` and `scheduler` read the sources;
//! `limits` lists them.

mod limits;
mod quota;
mod scheduler;
mod topology;

pub use limits::{CoreLimit, CoreLimits};
pub use scheduler::Request;
pub(crate) use scheduler::host_name;
pub(crate) use topology::parse_cpu_list;

use crate::format::counted;
use std::fmt;

/// Counts the cores that this program may use; see [`Cores`].
///
/// Reads a few dozen small files in `/proc` and `/sys`, which takes well below a millisecond on a
/// workstation. Nothing is cached: the result follows a change of affinity or quota.
///
/// # Examples
///
/// ```
/// use parcourse::cores::cores;
/// let cores = cores();
/// assert!(1 <= cores.usable && cores.usable <= cores.logical);
/// ```
pub fn cores() -> Cores {
    let logical = topology::logical();
    let allowed = topology::allowed();
    let variables =
        scheduler::variables(&|name| std::env::var(name).ok(), &host_name().unwrap_or_default());
    let physical = topology::physical(None);
    let physical_allowed = allowed.as_deref().and_then(|cpus| topology::physical(Some(cpus)));
    Cores::decide(Found {
        logical,
        physical,
        physical_allowed,
        allowed: allowed.map(|cpus| cpus.len()),
        quota: quota::quota(),
        requested: scheduler::request(&variables),
    })
}

/// What the machine has, what this program may use of it, and which limit decided.
///
/// # Examples
///
/// Printed, and shown in a notebook:
///
/// ```text
/// 2 cores usable, limited by SLURM_CPUS_PER_TASK
///   physical   8
///   logical   16
///   allowed    4  by CPU affinity, on 2 physical cores
///   quota    3.5  by cgroup
///   job        2  by SLURM_CPUS_PER_TASK
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Cores {
    /// How many threads to compute with: the smallest of the limits, at least 1.
    pub usable: usize,
    /// Physical cores of the machine, if known.
    pub physical: Option<usize>,
    /// Logical cores of the machine that are online: with hyper-threading, two per physical core.
    pub logical: usize,
    /// Logical cores that the program is allowed to run on (CPU affinity), if known.
    pub allowed: Option<usize>,
    /// Physical cores behind the allowed ones, if known. Computing rarely scales beyond this
    /// number.
    pub physical_allowed: Option<usize>,
    /// CPU time per wall time that the program's cgroup may use, in cores, if there is such a
    /// quota.
    pub quota: Option<f64>,
    /// What the batch job requested.
    pub requested: Option<Request>,
    /// Which of them decided.
    pub limit: Limit,
}

/// What decides how many cores are usable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Limit {
    /// Only the machine itself.
    Machine,
    /// The set of logical cores the program is pinned to.
    Affinity,
    /// The share of CPU time of its cgroup (its container, its job).
    Quota,
    /// What its batch job requested.
    Job,
}

/// What was found, before any decision.
struct Found {
    logical: usize,
    physical: Option<usize>,
    physical_allowed: Option<usize>,
    allowed: Option<usize>,
    quota: Option<f64>,
    requested: Option<Request>,
}

impl Cores {
    fn decide(found: Found) -> Cores {
        let Found { logical, physical, physical_allowed, allowed, quota, requested } = found;
        // A quota of 1.5 cores keeps one thread busy; a second one would be paused half of the time
        // and the first would wait for it.
        let whole_quota = quota.map(|cores| (cores as usize).max(1));
        let mut usable = logical.max(1);
        let mut limit = Limit::Machine;
        // Batch systems enforce a job's request through affinity and quota. If they agree, the
        // request is the better explanation, so the later of equal limits wins. A limit that takes
        // nothing away from the machine does not count.
        for (kind, cores) in [
            (Limit::Affinity, allowed),
            (Limit::Quota, whole_quota),
            (Limit::Job, requested.as_ref().map(|request| request.cores)),
        ] {
            if let Some(cores) = cores
                && (cores < usable || cores == usable && limit != Limit::Machine)
            {
                usable = cores.max(1);
                limit = kind;
            }
        }
        Cores { usable, physical, logical, allowed, physical_allowed, quota, requested, limit }
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = match (self.limit, &self.requested) {
            (Limit::Machine, _) => "all of the machine".to_string(),
            (Limit::Affinity, _) => "limited by CPU affinity".to_string(),
            (Limit::Quota, _) => "limited by the cgroup's quota".to_string(),
            (Limit::Job, Some(request)) => format!("limited by {}", request.variable),
            (Limit::Job, None) => "limited by the batch job".to_string(),
        };
        write!(formatter, "{} usable, {limit}", counted(self.usable, "core"))?;
        let mut line = |name: &str, value: &dyn fmt::Display, note: &str| {
            write!(formatter, "\n  {name:<8}{value:>4}{note}")
        };
        match self.physical {
            Some(physical) => line("physical", &physical, "")?,
            None => line("physical", &"?", "  (unknown on this system)")?,
        }
        line("logical", &self.logical, "")?;
        if let Some(allowed) = self.allowed {
            let on = match self.physical_allowed {
                Some(1) => ", on 1 physical core".to_string(),
                Some(cores) => format!(", on {cores} physical cores"),
                None => String::new(),
            };
            line("allowed", &allowed, &format!("  by CPU affinity{on}"))?;
        }
        if let Some(quota) = self.quota {
            line("quota", &format_args!("{:>4}", (quota * 100.0).round() / 100.0), "  by cgroup")?;
        }
        if let Some(request) = &self.requested {
            line("job", &request.cores, &format!("  by {}", request.variable))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Cores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Found {
        Found {
            logical: 16,
            physical: Some(8),
            physical_allowed: Some(8),
            allowed: Some(16),
            quota: None,
            requested: None,
        }
    }

    fn slurm(cores: usize) -> Option<Request> {
        Some(Request { variable: "SLURM_CPUS_PER_TASK", cores })
    }

    #[test]
    fn nothing_limits_a_free_machine() {
        let cores = Cores::decide(found());
        assert_eq!((cores.usable, cores.limit), (16, Limit::Machine));
        assert!(
            cores.to_string().starts_with(
                "16 cores usable, all of the machine\n  physical   8\n  logical   16\n"
            ),
            "{cores}"
        );
    }

    #[test]
    fn smallest_limit_decides() {
        let four = Cores::decide(Found { allowed: Some(4), physical_allowed: Some(2), ..found() });
        assert_eq!((four.usable, four.limit), (4, Limit::Affinity));
        let three = Cores::decide(Found { allowed: Some(4), quota: Some(3.5), ..found() });
        assert_eq!((three.usable, three.limit), (3, Limit::Quota));
        let two = Cores::decide(Found {
            allowed: Some(4),
            quota: Some(3.5),
            requested: slurm(2),
            ..found()
        });
        assert_eq!((two.usable, two.limit), (2, Limit::Job));
    }

    /// Slurm pins a job to the cores it requested: then the request is the reason, the affinity
    /// only the means.
    #[test]
    fn request_explains_an_equal_affinity() {
        let cores = Cores::decide(Found { allowed: Some(4), requested: slurm(4), ..found() });
        assert_eq!((cores.usable, cores.limit), (4, Limit::Job));
        assert_eq!(Cores::decide(Found { requested: slurm(16), ..found() }).limit, Limit::Machine);
        assert_eq!(Cores::decide(Found { requested: slurm(64), ..found() }).usable, 16);
    }

    #[test]
    fn a_sliver_of_quota_is_still_one_core() {
        let cores = Cores::decide(Found { quota: Some(0.25), ..found() });
        assert_eq!((cores.usable, cores.limit), (1, Limit::Quota));
        assert!(
            cores.to_string().starts_with("1 core usable, limited by the cgroup's quota"),
            "{cores}"
        );
    }

    #[test]
    fn shows_every_number_and_the_one_that_decided() {
        let all = Found {
            allowed: Some(4),
            physical_allowed: Some(2),
            quota: Some(3.5),
            requested: slurm(2),
            ..found()
        };
        let expected = "2 cores usable, limited by SLURM_CPUS_PER_TASK
  physical   8
  logical   16
  allowed    4  by CPU affinity, on 2 physical cores
  quota    3.5  by cgroup
  job        2  by SLURM_CPUS_PER_TASK";
        let cores = Cores::decide(all);
        assert_eq!(cores.to_string(), expected);
        assert_eq!(format!("{cores:?}"), expected);
    }

    #[test]
    fn this_machine_makes_sense() {
        let cores = cores();
        assert!(cores.usable >= 1 && cores.usable <= cores.logical, "{cores}");
        assert!(
            cores.physical.is_none_or(|physical| physical >= 1 && physical <= cores.logical),
            "{cores}"
        );
    }
}
