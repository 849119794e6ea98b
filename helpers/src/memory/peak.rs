//! The system's high-water mark of this process's resident memory, shared by all running
//! measurements.
//!
//! A process has one mark, and resetting it for one measurement takes it away from those that
//! already run. So whoever resets it first records for all others how high it was.

use super::system;
use std::sync::{Mutex, PoisonError};

/// The running measurements: their numbers, and the highest mark (MiB) that was reset while they
/// ran.
static RUNNING: Mutex<Vec<(u64, f64)>> = Mutex::new(Vec::new());

/// Keeps measurements from beginning and ending, while the process is copied: the copy's lock must
/// not be in another thread's hands.
pub(crate) fn lock_for_fork() -> impl Sized {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One measurement's view of the mark.
#[derive(Debug)]
pub(super) struct HighWater {
    number: u64,
    /// Set if the mark could not be reset: then it means something only if it rises above this
    /// (MiB).
    before: Option<f64>,
}

impl HighWater {
    /// Whether this system can reset the mark. Resets it, unless a measurement runs.
    pub(super) fn can_be_reset() -> bool {
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        // A running measurement already knows, but has not recorded it; a few microseconds of
        // sampling do not matter.
        running.is_empty() && system::reset_high_water()
    }

    pub(super) fn begin() -> HighWater {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = system::high_water();
        if let Some(mark) = mark {
            for (_, highest) in running.iter_mut() {
                *highest = highest.max(mark);
            }
        }
        let number = running.iter().map(|(number, _)| number + 1).max().unwrap_or(0);
        // Allocates before the mark is reset.
        running.push((number, 0.0));
        let before =
            if system::reset_high_water() { None } else { Some(mark.unwrap_or(f64::INFINITY)) };
        HighWater { number, before }
    }

    /// The highest mark since the start, in MiB; `None` if this system does not report it.
    pub(super) fn end(&self) -> Option<f64> {
        let mark = system::high_water()?;
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, wiped_out) = running.iter().find(|(number, _)| *number == self.number)?;
        exact(mark, self.before, *wiped_out)
    }
}

/// What the mark at the end says about the time since the start. A mark that was not reset says
/// something only if it has risen.
fn exact(mark: f64, before: Option<f64>, wiped_out: f64) -> Option<f64> {
    match before {
        Some(before) => (mark > before).then_some(mark),
        None => Some(mark.max(wiped_out)),
    }
}

impl Drop for HighWater {
    fn drop(&mut self) {
        RUNNING
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(number, _)| *number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::exact;

    #[test]
    fn a_mark_that_was_not_set_back_counts_only_if_it_rose() {
        assert_eq!(exact(80.0, None, 0.0), Some(80.0));
        assert_eq!(exact(80.0, None, 95.0), Some(95.0));
        assert_eq!(exact(80.0, Some(70.0), 0.0), Some(80.0));
        assert_eq!(exact(80.0, Some(80.0), 0.0), None);
        assert_eq!(exact(80.0, Some(f64::INFINITY), 0.0), None);
    }
}
