//! The result of one measurement.

use super::FineDuration;
use crate::cores::cores;
use std::fmt;
use std::time::Duration;

/// What one run of an expression cost: wall time, and CPU time of this process and of its children.
///
/// `Display`, and `Debug` with it, print the lines of [`time!`](crate::time!); the fields are there
/// to compute and plot with.
///
/// # Examples
///
/// ```
/// use parcourse::time::Timing;
/// use std::time::Duration;
/// let timing = Timing { wall: Duration::from_secs(2), user: Duration::from_secs(3), ..Timing::default() };
/// assert_eq!(timing.cpu(), Duration::from_secs(3));
/// assert_eq!(timing.cores_busy(), 1.5);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// What the clock on the wall says.
    pub wall: Duration,
    /// CPU time spent in the program's own code, summed over its threads.
    pub user: Duration,
    /// CPU time the operating system spent on the program's behalf, summed over its threads.
    pub system: Duration,
    /// `user` of child processes that ended, and were waited for, during the measurement.
    pub children_user: Duration,
    /// `system` of child processes that ended, and were waited for, during the measurement.
    pub children_system: Duration,
}

impl Timing {
    /// From here on the ratio of CPU to wall time is printed. Asking for the CPU time costs some
    /// microseconds of it.
    const TELLING: Duration = Duration::from_millis(1);

    /// All the CPU time: user and system, this process and its children.
    pub fn cpu(&self) -> Duration {
        self.user + self.system + self.children()
    }

    /// CPU time of child processes.
    pub fn children(&self) -> Duration {
        self.children_user + self.children_system
    }

    /// CPU time divided by wall time: 1 when one core computed all the time, 0 when everything
    /// waited, 4 when four cores computed.
    ///
    /// The operating system accounts CPU time in microseconds, so that below a millisecond this is
    /// an indication at best.
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
        if self.wall < Self::TELLING {
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

#[cfg(test)]
mod tests {
    use super::*;

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

    /// Otherwise a call of 1 µs is said to have kept 7 of 2 cores busy: with asking for the time.
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
}
