//! All limits with their sources, like R's `parallelly::availableCores(which = "all")`.

use super::{Cores, Limit, quota, scheduler, topology};
use crate::output::{Bundle, Rich};
use std::fmt;

/// One number of cores and its source.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct CoreLimit {
    /// What it is: `CPU affinity`, `cgroup quota`, `Slurm`, …
    pub name: String,
    /// The number of logical cores (for `physical`: of physical ones; for a quota: CPU time per
    /// wall time).
    pub cores: f64,
    /// Where it was found, and its value there.
    pub source: String,
    /// Whether this limit decided.
    pub decides: bool,
}

/// All limits that were found, in the order in which they are checked; returned by [`Cores::all`].
///
/// # Examples
///
/// Printed (a notebook shows a table):
///
/// ```text
/// 2 cores usable, limited by SLURM_CPUS_PER_TASK
///   limit             cores  source
///   physical              8  /sys/devices/system/cpu/cpu*/topology
///   logical              16  sysconf(_SC_NPROCESSORS_ONLN)
///   CPU affinity          4  sched_getaffinity: 0-3
///   cgroup cpuset         4  /sys/fs/cgroup/job/cpuset.cpus.effective: 0-3
///   cgroup quota        3.5  /sys/fs/cgroup/job/cpu.max: 350000 100000
/// > Slurm                 2  SLURM_CPUS_PER_TASK=2
///   standard library      3  std::thread::available_parallelism()
///   not found: PBS, Grid Engine, LSF
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct CoreLimits {
    /// The limits that were found.
    pub limits: Vec<CoreLimit>,
    /// What was looked for and not found.
    pub not_found: Vec<String>,
    /// The first line: the usable number, and the reason.
    summary: String,
}

impl Cores {
    /// All limits with their sources, and which one decided. Use it to find out why the number is
    /// what it is.
    ///
    /// In addition to [`Cores`], it has all quotas on the way to the root of the control groups,
    /// the group's CPU set, all variables of batch systems including those that are ignored, and
    /// what other libraries would use. The sources are read anew.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let all = cores().all();
    /// println!("{all}");
    /// assert_eq!(all.limits.iter().filter(|limit| limit.decides).count(), 1);
    /// ```
    pub fn all(&self) -> CoreLimits {
        let variable = |name: &str| std::env::var(name).ok();
        CoreLimits::collect(
            self,
            topology::allowed(),
            &quota::cpu_sets(),
            &quota::quotas(),
            &scheduler::variables(&variable, &scheduler::host_name().unwrap_or_default()),
            std::thread::available_parallelism().ok().map(usize::from),
            &variable,
        )
    }
}

impl CoreLimits {
    fn collect(
        cores: &Cores,
        allowed: Option<Vec<usize>>,
        cpu_sets: &[quota::GroupLimit],
        quotas: &[quota::GroupLimit],
        variables: &[scheduler::Variable],
        standard: Option<usize>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> CoreLimits {
        let mut limits = Vec::new();
        let mut not_found = Vec::new();
        let mut add = |name: &str, cores: f64, source: String| {
            limits.push(CoreLimit { name: name.to_string(), cores, source, decides: false });
        };
        match cores.physical {
            Some(physical) => {
                let source = if cfg!(target_os = "linux") {
                    "/sys/devices/system/cpu/cpu*/topology"
                } else {
                    "sysctl hw.physicalcpu"
                };
                add("physical", physical as f64, source.to_string());
            }
            None => not_found.push("physical cores".to_string()),
        }
        add("logical", cores.logical as f64, "sysconf(_SC_NPROCESSORS_ONLN)".to_string());
        match allowed {
            Some(cpus) => add(
                "CPU affinity",
                cpus.len() as f64,
                format!("sched_getaffinity: {}", topology::write_cpu_list(&cpus)),
            ),
            None => not_found.push("CPU affinity".to_string()),
        }
        for (name, found) in [("cgroup cpuset", cpu_sets), ("cgroup quota", quotas)] {
            for limit in found {
                add(name, limit.cores, format!("{}: {}", limit.file.display(), limit.content));
            }
            if found.is_empty() {
                not_found.push(name.to_string());
            }
        }
        for found in variables {
            let reason =
                found.ignored_because.map(|reason| format!(" ({reason})")).unwrap_or_default();
            add(
                found.system,
                found.request.cores as f64,
                format!("{}={}{reason}", found.request.variable, found.value),
            );
        }
        for system in scheduler::SYSTEMS {
            if !variables.iter().any(|variable| variable.system == system) {
                not_found.push(system.to_string());
            }
        }
        if let Some(standard) = standard {
            add(
                "standard library",
                standard as f64,
                "std::thread::available_parallelism()".to_string(),
            );
        }
        if let Some(threads) = variable("RAYON_NUM_THREADS")
            && let Ok(number) = threads.trim().parse::<usize>()
        {
            add("rayon's own pool", number as f64, format!("RAYON_NUM_THREADS={threads}"));
        }
        let decides = |limit: &CoreLimit| match (cores.limit, &cores.requested) {
            (Limit::Machine, _) => limit.name == "logical",
            (Limit::Affinity, _) => limit.name == "CPU affinity",
            (Limit::Quota, _) => {
                limit.name == "cgroup quota"
                    && quota::tightest(quotas).is_some_and(|tightest| tightest.cores == limit.cores)
            }
            (Limit::Job, request) => request
                .is_some_and(|request| limit.source.starts_with(&format!("{}=", request.variable))),
        };
        // Several groups may have the same quota.
        if let Some(limit) = limits.iter_mut().find(|limit| decides(limit)) {
            limit.decides = true;
        }
        CoreLimits {
            limits,
            not_found,
            summary: cores.to_string().lines().next().unwrap_or_default().to_string(),
        }
    }

    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.bundle().evcxr_display();
    }
}

/// Whole numbers without decimals, others with at most two.
fn number(cores: f64) -> String {
    ((cores * 100.0).round() / 100.0).to_string()
}

impl fmt::Display for CoreLimits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.summary)?;
        write!(formatter, "  {:<16}{:>7}  source", "limit", "cores")?;
        for limit in &self.limits {
            let mark = if limit.decides { '>' } else { ' ' };
            write!(
                formatter,
                "\n{mark} {:<16}{:>7}  {}",
                limit.name,
                number(limit.cores),
                limit.source
            )?;
        }
        if !self.not_found.is_empty() {
            write!(formatter, "\n  not found: {}", self.not_found.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Debug for CoreLimits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Rich for CoreLimits {
    fn bundle(&self) -> Bundle {
        use crate::format::escape_html;
        let rows = self.limits.iter().map(|limit| {
            let (open, close) = if limit.decides { ("<b>", "</b>") } else { ("", "") };
            let cell = |text: &str, align: &str| {
                format!("<td style=\"text-align:{align}\">{open}{}{close}</td>", escape_html(text))
            };
            let source = format!(
                "<td style=\"text-align:left\"><code>{}</code></td>",
                escape_html(&limit.source)
            );
            let decides = cell(if limit.decides { "decides" } else { "" }, "left");
            format!(
                "<tr>{}{}{source}{decides}</tr>",
                cell(&limit.name, "left"),
                cell(&number(limit.cores), "right")
            )
        });
        let rows: String = rows.collect();
        let not_found = if self.not_found.is_empty() {
            String::new()
        } else {
            format!("<p><small>not found: {}</small></p>", escape_html(&self.not_found.join(", ")))
        };
        let head = "<th style=\"text-align:left\">limit</th><th style=\"text-align:right\">cores</th>\
                    <th style=\"text-align:left\">source</th><th></th>";
        let html = format!(
            "<p>{}</p><table><tr>{head}</tr>{rows}</table>{not_found}",
            escape_html(&self.summary)
        );
        Bundle::plain(self.to_string()).with("text/html", html)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Found, Request};
    use super::*;
    use crate::cores::cores;
    use std::path::PathBuf;

    fn group(cores: f64, file: &str, content: &str) -> quota::GroupLimit {
        quota::GroupLimit { cores, file: PathBuf::from(file), content: content.to_string() }
    }

    fn slurm(cores: usize) -> scheduler::Variable {
        let request = Request { variable: "SLURM_CPUS_PER_TASK", cores };
        scheduler::Variable {
            system: "Slurm",
            request,
            value: cores.to_string(),
            ignored_because: None,
        }
    }

    fn all(quotas: &[quota::GroupLimit], variables: &[scheduler::Variable]) -> CoreLimits {
        let cores = Cores::decide(Found {
            logical: 16,
            physical: Some(8),
            physical_allowed: Some(2),
            allowed: Some(4),
            quota: quota::tightest(quotas).map(|limit| limit.cores),
            requested: scheduler::request(variables),
        });
        let sets = [group(4.0, "/sys/fs/cgroup/job/cpuset.cpus.effective", "0-3")];
        CoreLimits::collect(
            &cores,
            Some(vec![0, 1, 2, 3]),
            &sets,
            quotas,
            variables,
            Some(3),
            &|_| None,
        )
    }

    #[test]
    fn shows_all_and_marks_the_one_that_decided() {
        let all = all(&[group(3.5, "/sys/fs/cgroup/job/cpu.max", "350000 100000")], &[slurm(2)]);
        let expected = "2 cores usable, limited by SLURM_CPUS_PER_TASK
  limit             cores  source
  physical              8  /sys/devices/system/cpu/cpu*/topology
  logical              16  sysconf(_SC_NPROCESSORS_ONLN)
  CPU affinity          4  sched_getaffinity: 0-3
  cgroup cpuset         4  /sys/fs/cgroup/job/cpuset.cpus.effective: 0-3
  cgroup quota        3.5  /sys/fs/cgroup/job/cpu.max: 350000 100000
> Slurm                 2  SLURM_CPUS_PER_TASK=2
  standard library      3  std::thread::available_parallelism()
  not found: PBS, Grid Engine, LSF";
        assert_eq!(all.to_string(), expected);
        assert_eq!(format!("{all:?}"), expected);
        let html = all.bundle().get("text/html").unwrap().to_string();
        assert!(html.contains("<b>Slurm</b>") && html.contains("<b>decides</b>"), "{html}");
    }

    #[test]
    fn the_tightest_quota_decides_once() {
        let quotas = [
            group(3.0, "/a/cpu.max", "3 1"),
            group(1.5, "/a/b/cpu.max", "3 2"),
            group(1.5, "/a/b/c/cpu.max", "3 2"),
        ];
        let all = all(&quotas, &[]);
        let deciding: Vec<_> =
            all.limits.iter().filter(|limit| limit.decides).map(|limit| &*limit.source).collect();
        assert_eq!(deciding, ["/a/b/cpu.max: 3 2"]);
    }

    #[test]
    fn a_variable_that_does_not_count_is_shown_with_the_reason() {
        let mut variable = slurm(1);
        variable.ignored_because = Some("for all tasks on this node together");
        let all = all(&[], &[variable]);
        assert!(
            all.to_string().contains("SLURM_CPUS_PER_TASK=1 (for all tasks on this node together)"),
            "{all}"
        );
        assert!(all.limits.iter().any(|limit| limit.name == "CPU affinity" && limit.decides));
    }

    #[test]
    fn exactly_one_decides_on_this_machine() {
        let all = cores().all();
        assert_eq!(all.limits.iter().filter(|limit| limit.decides).count(), 1, "{all}");
    }
}
