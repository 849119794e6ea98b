//! The place where the result of a submitted task arrives.

use super::Failure;
use crate::interrupt::{self, Scope};
use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Filled once by whoever did the task, emptied once by whoever asked for it.
pub(crate) struct Slot {
    state: Mutex<State>,
    filled: Condvar,
}

/// A value of a type that who asks for it knows, or the reason why there is none.
pub(crate) type Outcome = Result<Box<dyn Any + Send>, Failure>;

enum State {
    Waiting,
    Full(Outcome),
    Taken,
}

/// How soon an interrupt is noticed.
const STEP: Duration = Duration::from_millis(10);
/// The same on a thread of rayon, which looks for work meanwhile.
const STEP_OF_HELPER: Duration = Duration::from_micros(200);

impl Slot {
    pub(crate) fn new() -> Arc<Slot> {
        Arc::new(Slot { state: Mutex::new(State::Waiting), filled: Condvar::new() })
    }

    /// Only the first result counts.
    pub(crate) fn fill(&self, result: Outcome) {
        let mut state = self.lock();
        if matches!(*state, State::Waiting) {
            *state = State::Full(result);
            self.filled.notify_all();
        }
    }

    pub(crate) fn is_filled(&self) -> bool {
        !matches!(*self.lock(), State::Waiting)
    }

    /// Waits until there is a result, or until then; says whether there is one. Unwinds when
    /// interrupted.
    ///
    /// A thread of a rayon pool, ours or another, does its pool's other work meanwhile: everybody
    /// waiting for everybody would wait forever.
    pub(crate) fn wait(&self, until: Option<Instant>) -> bool {
        if self.is_filled() {
            return true;
        }
        let _scope = Scope::enter();
        loop {
            // Also where the result has come meanwhile: it may be that of a task that has answered
            // the interrupt.
            interrupt::check();
            if self.is_filled() {
                return true;
            }
            let helping = match rayon::yield_now() {
                Some(rayon::Yield::Executed) => continue,
                other => other.is_some(),
            };
            let left = until.map_or(STEP, |until| until.saturating_duration_since(Instant::now()));
            let step = left.min(if helping { STEP_OF_HELPER } else { STEP });
            let waiting = |state: &mut State| matches!(state, State::Waiting);
            drop(
                self.filled
                    .wait_timeout_while(self.lock(), step, waiting)
                    .unwrap_or_else(PoisonError::into_inner),
            );
            if left.is_zero() {
                return self.is_filled();
            }
        }
    }

    /// The result, once: `None` before it is there, and after it was taken.
    pub(crate) fn take(&self) -> Option<Outcome> {
        let mut state = self.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Full(result) => Some(result),
            before => {
                *state = before;
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(outcome: Option<Outcome>) -> Option<i32> {
        outcome.map(|outcome| *outcome.unwrap().downcast().unwrap())
    }

    #[test]
    fn is_filled_and_emptied_once() {
        let slot = Slot::new();
        assert!(!slot.is_filled() && slot.take().is_none());
        assert!(!slot.wait(Some(Instant::now() + Duration::from_millis(1))));
        slot.fill(Ok(Box::new(7)));
        slot.fill(Ok(Box::new(8)));
        assert!(slot.wait(None));
        assert_eq!(number(slot.take()), Some(7));
        slot.fill(Ok(Box::new(9)));
        assert!(slot.is_filled() && slot.take().is_none());
    }

    #[test]
    fn wakes_who_waits() {
        let slot = Slot::new();
        let other = slot.clone();
        let filler = std::thread::spawn(move || other.fill(Ok(Box::new(7))));
        assert!(slot.wait(Some(Instant::now() + Duration::from_secs(20))));
        filler.join().unwrap();
        assert_eq!(number(slot.take()), Some(7));
    }
}
