//! One `map`, typed: what goes to a crew, and what its answers mean.

use super::crew::{Answer, Crew};
use super::raw::Raw;
use super::value::{self, Value};
use super::worker::Worker;
use crate::interrupt::{self, Scope};
use crate::pool::{Cause, Failure};
use std::io;

/// What became of the items of one `map`.
pub(super) struct Results<R> {
    /// In the order of the items; `None` for those that have failed, and for those that were not begun because of that.
    values: Vec<Option<R>>,
    failures: Vec<Failure>,
}

/// Has a crew do its work, and understands the answers. Gives back the workers that live.
///
/// # Panics
///
/// When no process can be started. Unwinds when interrupted.
#[track_caller]
pub(super) fn run<R: Value>(crew: Crew, name: &dyn Fn(usize) -> String, len: usize) -> (Results<R>, Vec<Worker>) {
    let raw = crew.raw;
    let mut results = Results { values: std::iter::repeat_with(|| None).take(len).collect(), failures: Vec::new() };
    // Keeps SIGINT from ending the process until all children are ended.
    let _scope = Scope::enter();
    let workers = crew.run(len, |answer| results.take(answer, raw, name));
    interrupt::check();
    match workers {
        Ok(workers) => (results, workers),
        Err(error) => cannot_start(&error),
    }
}

#[track_caller]
pub(super) fn cannot_start(error: &io::Error) -> ! {
    panic!("failed to start a process: {error}")
}

/// Takes an answer apart.
pub(super) fn each_value<R: Value>(answer: Answer, raw: Option<&'static Raw>, mut put: impl FnMut(usize, Result<R, Cause>)) {
    match answer {
        Answer::Values(items, bytes) => {
            let mut rest = &bytes[..];
            items.for_each(|index| put(index, value::take(raw, &mut rest)));
        }
        Answer::Large(index, value) => match value.downcast() {
            Ok(value) => put(index, Ok(*value)),
            Err(_) => unreachable!("made for a result of this type"),
        },
        Answer::Failed(index, cause) => put(index, Err(cause)),
    }
}

impl<R: Value> Results<R> {
    /// Says whether there was no failure.
    fn take(&mut self, answer: Answer, raw: Option<&'static Raw>, name: &dyn Fn(usize) -> String) -> bool {
        let before = self.failures.len();
        each_value(answer, raw, |index, result| self.put(index, result, name));
        self.failures.len() == before
    }

    fn put(&mut self, index: usize, result: Result<R, Cause>, name: &dyn Fn(usize) -> String) {
        match result {
            Ok(value) => self.values[index] = Some(value),
            Err(cause) => self.failures.push(Failure { index, item: name(index), cause }),
        }
    }

    /// The values, if all items have one; otherwise panics in the name of the failed item with the smallest index.
    #[track_caller]
    pub(super) fn all(self) -> Vec<R> {
        if let Some(failure) = self.failures.iter().min_by_key(|failure| failure.index) {
            panic!("{failure}");
        }
        self.values.into_iter().map(|value| value.expect("no failure: every item has a value")).collect()
    }

    /// For every item its value, or the reason why it has none.
    pub(super) fn each(mut self) -> Vec<Result<R, Failure>> {
        self.failures.sort_unstable_by_key(|failure| failure.index);
        let mut failures = self.failures.into_iter();
        let each = |value: Option<R>| value.ok_or_else(|| failures.next().expect("an item without a value has failed"));
        self.values.into_iter().map(each).collect()
    }
}
