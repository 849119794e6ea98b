//! One measurement: the stopwatch, and the timing it returns.

use super::FineDuration;
use crate::cores::cores;
use std::fmt;
use std::time::{Duration, Instant};

/// The cost of one run of an expression: wall time, and CPU time of this process and its children.
///
/// `Display` and `Debug` print the lines of [`time!`](crate::time!); use the fields to compute and
/// plot.
///
/// # Examples
///
/// ```
/// use parcourse::time::Timing;
/// use std::time::Duration;
/// let (wall, user) = (Duration::from_secs(2), Duration::from_secs(3));
/// let timing = Timing { wall, user, ..Timing::default() };
/// assert_eq!(timing.cpu(), Duration::from_secs(3));
/// assert_eq!(timing.cores_busy(), 1.5);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// Elapsed time.
    pub wall: Duration,
    /// CPU time spent in the program's own code, summed over its threads.
    pub user: Duration,
    /// CPU time the operating system spent on the program's behalf, summed over its threads.
    pub system: Duration,
    /// `user` of child processes that ended and were waited for during the measurement.
    pub children_user: Duration,
    /// `system` of child processes that ended and were waited for during the measurement.
    pub children_system: Duration,
}

impl Timing {
    /// Shorter runs do not print the ratio of CPU to wall time, because reading the CPU time itself
    /// takes some microseconds.
    const MIN_WALL_FOR_RATIO: Duration = Duration::from_millis(1);

    /// The total CPU time: user and system, of this process and its children.
    pub fn cpu(&self) -> Duration {
        self.user + self.system + self.children()
    }

    /// CPU time of child processes.
    pub fn children(&self) -> Duration {
        self.children_user + self.children_system
    }

    /// CPU time divided by wall time: 1 if one core computed all the time, 0 if everything waited,
    /// 4 if four cores computed.
    ///
    /// The operating system counts CPU time in microseconds, so below a millisecond this is only an
    /// indication.
    pub fn cores_busy(&self) -> f64 {
        if self.wall.is_zero() { 0.0 } else { self.cpu().as_secs_f64() / self.wall.as_secs_f64() }
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cpu_line = |user: Duration, system: Duration| {
            format!(
                "user {}, sys: {}, total: {}",
                FineDuration(user),
                FineDuration(system),
                FineDuration(user + system)
            )
        };
        writeln!(formatter, "CPU times: {}", cpu_line(self.user, self.system))?;
        if !self.children().is_zero() {
            writeln!(
                formatter,
                "Children:  {}",
                cpu_line(self.children_user, self.children_system)
            )?;
        }
        writeln!(formatter, "Wall time: {}", FineDuration(self.wall))?;
        if self.wall < Self::MIN_WALL_FOR_RATIO {
            write!(formatter, "Cores:     too short to tell")
        } else {
            write!(formatter, "Cores:     {:.2} of {} busy", self.cores_busy(), cores().usable)
        }
    }
}

impl fmt::Debug for Timing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A running measurement; [`time!`](crate::time!) and [`timed!`](crate::timed!) use it.
///
/// CPU time is that of the whole process, including all its threads, also finished ones
/// (`getrusage(RUSAGE_SELF)`). Child processes are counted separately, once they have been waited
/// for (`RUSAGE_CHILDREN`). Anything else that the process does meanwhile counts, too.
///
/// # Examples
///
/// ```
/// use parcourse::time::Stopwatch;
/// let stopwatch = Stopwatch::start();
/// let sum: f64 = (1..1000).map(f64::from).map(f64::sqrt).sum();
/// println!("{sum} took\n{}", stopwatch.stop());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    own: CpuTime,
    children: CpuTime,
    wall: Instant,
}

impl Stopwatch {
    /// Starts measuring.
    pub fn start() -> Stopwatch {
        // The wall clock is read last here and first in `stop`: reading the CPU times is not part
        // of the measurement.
        Stopwatch {
            children: CpuTime::now(libc::RUSAGE_CHILDREN),
            own: CpuTime::now(libc::RUSAGE_SELF),
            wall: Instant::now(),
        }
    }

    /// Returns the time since the start. The stopwatch keeps running: a later call returns a longer
    /// time.
    pub fn stop(&self) -> Timing {
        let wall = self.wall.elapsed();
        let own = CpuTime::now(libc::RUSAGE_SELF);
        let children = CpuTime::now(libc::RUSAGE_CHILDREN);
        Timing {
            wall,
            user: own.user.saturating_sub(self.own.user),
            system: own.system.saturating_sub(self.own.system),
            children_user: children.user.saturating_sub(self.children.user),
            children_system: children.system.saturating_sub(self.children.system),
        }
    }
}

/// CPU time used so far, as counted by the kernel, in microseconds.
#[derive(Clone, Copy, Debug)]
struct CpuTime {
    user: Duration,
    system: Duration,
}

impl CpuTime {
    fn now(who: libc::c_int) -> CpuTime {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: `usage` is valid for one rusage, which getrusage fills; all zeros is a valid
        // rusage, too.
        let usage = unsafe {
            libc::getrusage(who, usage.as_mut_ptr());
            usage.assume_init()
        };
        CpuTime { user: duration(usage.ru_utime), system: duration(usage.ru_stime) }
    }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn prints_ipythons_lines_and_the_ratio() {
        let timing = Timing {
            wall: 1370 * MILLISECOND,
            user: 1200 * MILLISECOND,
            system: 50 * MILLISECOND,
            ..Timing::default()
        };
        let text = timing.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "CPU times: user 1.20 s, sys: 50.0 ms, total: 1.25 s");
        assert_eq!(lines[1], "Wall time: 1.37 s");
        assert_eq!(lines[2], format!("Cores:     0.91 of {} busy", cores().usable));
        assert_eq!(lines.len(), 3);
        assert_eq!(format!("{timing:?}"), text);
    }

    #[test]
    fn children_have_a_line_of_their_own_and_count_as_busy() {
        let timing = Timing {
            wall: 100 * MILLISECOND,
            children_user: 190 * MILLISECOND,
            children_system: 10 * MILLISECOND,
            ..Timing::default()
        };
        assert_eq!(
            timing.to_string().lines().nth(1),
            Some("Children:  user 190 ms, sys: 10.0 ms, total: 200 ms")
        );
        assert_eq!(timing.cores_busy(), 2.0);
    }

    /// Otherwise a call of 1 µs seems to keep 7 of 2 cores busy: the time is that of reading the
    /// clock.
    #[test]
    fn ratio_of_very_short_times_is_not_printed() {
        let short = Timing {
            wall: Duration::from_micros(1),
            user: Duration::from_micros(7),
            ..Timing::default()
        };
        assert_eq!(short.to_string().lines().last(), Some("Cores:     too short to tell"));
    }

    #[test]
    fn no_time_at_all_is_not_a_division_by_zero() {
        assert_eq!(Timing::default().cores_busy(), 0.0);
    }

    /// Computes until this thread's share of the process's CPU time has certainly grown.
    fn compute(at_least: Duration) {
        let start = Instant::now();
        while start.elapsed() < at_least {
            black_box((0..1000u64).map(black_box).sum::<u64>());
        }
    }

    #[test]
    fn computing_costs_cpu_time_and_waiting_does_not() {
        // Other tests run in the same process, so only lower bounds can be tested here.
        // `tests/timing.rs` has the rest.
        let stopwatch = Stopwatch::start();
        compute(Duration::from_millis(60));
        let timing = stopwatch.stop();
        assert!(timing.cpu() > Duration::ZERO, "{timing}");
        assert!(timing.wall >= Duration::from_millis(60), "{timing}");
    }

    #[test]
    fn time_only_grows() {
        let stopwatch = Stopwatch::start();
        let first = stopwatch.stop();
        compute(Duration::from_millis(5));
        let second = stopwatch.stop();
        assert!(second.wall > first.wall);
        assert!(second.cpu() >= first.cpu());
    }
}
