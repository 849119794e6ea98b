//! What a task does, and who does it: the types behind `task("chop", 15)` and `run_with(["Alice",
//! "Bob"])`.

use super::Clock;
use crate::interrupt;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a task does.
#[derive(Clone)]
#[non_exhaustive]
pub enum Work {
    /// Waits for this many units of the graph's clock.
    Units(f64),
    /// Waits for this real time.
    Time(Duration),
    /// Calls a closure.
    Call(Arc<dyn Fn() + Send + Sync>),
}

impl Work {
    #[track_caller]
    pub(super) fn check(&self, name: &str) {
        if let Work::Units(units) = self {
            assert!(
                units.is_finite() && *units >= 0.0,
                "`{name}` cannot take {units} units of time"
            );
        }
    }

    /// The expected duration, in units; 1 if unknown.
    pub(super) fn units(&self, clock: &Clock) -> f64 {
        match self {
            Work::Units(units) => *units,
            Work::Time(time) => clock.units(*time),
            Work::Call(_) => 1.0,
        }
    }

    pub(super) fn perform(&self, clock: &Clock) {
        match self {
            Work::Units(units) => interrupt::sleep(clock.tick.mul_f64(*units)),
            Work::Time(time) => interrupt::sleep(*time),
            Work::Call(call) => call(),
        }
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Work::Units(units) => write!(formatter, "Units({units})"),
            Work::Time(time) => write!(formatter, "Time({time:?})"),
            Work::Call(_) => write!(formatter, "Call(…)"),
        }
    }
}

/// Anything that can be passed to [`Graph::task`](super::Graph::task): numbers (units of the
/// graph's clock), durations, closures.
pub trait IntoWork {
    /// Converts it to work.
    fn into_work(self) -> Work;
}

impl IntoWork for Work {
    fn into_work(self) -> Work {
        self
    }
}

impl IntoWork for Duration {
    fn into_work(self) -> Work {
        Work::Time(self)
    }
}

impl<F: Fn() + Send + Sync + 'static> IntoWork for F {
    fn into_work(self) -> Work {
        Work::Call(Arc::new(self))
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl IntoWork for $number {
            fn into_work(self) -> Work {
                Work::Units(self as f64)
            }
        })*
    };
}

numbers! { f64 f32 i32 i64 u32 u64 usize }

/// Anything that names workers: names, or a number of workers called `worker 1`, `worker 2`, …
pub trait Workers {
    /// Their names.
    fn names(self) -> Vec<String>;
}

impl Workers for usize {
    fn names(self) -> Vec<String> {
        (1..=self).map(|number| format!("worker {number}")).collect()
    }
}

impl<const N: usize> Workers for [&str; N] {
    fn names(self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

impl<Name: ToString> Workers for &[Name] {
    fn names(self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

impl<Name: ToString> Workers for &Vec<Name> {
    fn names(self) -> Vec<String> {
        self.as_slice().names()
    }
}

impl<Name: ToString> Workers for Vec<Name> {
    fn names(self) -> Vec<String> {
        self.as_slice().names()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_by_number_and_by_name() {
        assert_eq!(2.names(), ["worker 1", "worker 2"]);
        assert_eq!(["Alice", "Bob"].names(), ["Alice", "Bob"]);
        assert_eq!(vec!["Alice".to_string()].names(), ["Alice"]);
    }
}
