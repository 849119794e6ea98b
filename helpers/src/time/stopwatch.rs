//! The clocks: wall time from the monotonic clock, CPU time from the operating system's accounts.

use super::Timing;
use std::time::{Duration, Instant};

/// A running measurement; what [`time!`](crate::time!) and [`timed!`](crate::timed!) are made of.
///
/// CPU time is that of the whole process, all its threads counted, finished ones too
/// (`getrusage(RUSAGE_SELF)`). Child processes are counted apart, once they have been waited for
/// (`RUSAGE_CHILDREN`). Anything else the process does meanwhile is counted as well.
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
        // of what is measured.
        Stopwatch {
            children: CpuTime::now(libc::RUSAGE_CHILDREN),
            own: CpuTime::now(libc::RUSAGE_SELF),
            wall: Instant::now(),
        }
    }

    /// What has passed since the start. The stopwatch goes on: calling it again gives a longer
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

/// CPU time used so far, as the kernel accounts it, in microseconds.
#[derive(Clone, Copy, Debug)]
struct CpuTime {
    user: Duration,
    system: Duration,
}

impl CpuTime {
    fn now(who: libc::c_int) -> CpuTime {
        let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: `usage` is a valid place for one rusage, which getrusage fills; all zeros is a
        // valid rusage in any case.
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

    /// Computes until this thread's share of the process's CPU time has certainly grown.
    fn compute(at_least: Duration) {
        let start = Instant::now();
        while start.elapsed() < at_least {
            black_box((0..1000u64).map(black_box).sum::<u64>());
        }
    }

    #[test]
    fn computing_costs_cpu_time_and_waiting_does_not() {
        // Other tests run in the same process: only lower bounds can be tested here.
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
