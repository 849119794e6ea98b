//! Workers that are made for one chunk of items, which they find in their copy of the memory.

use super::desk::{Answers, Request};
use super::imap::Staff;
use super::raw::Raw;
use super::value::Value;
use super::worker::Worker;
use crate::tasks;
use crate::threads::report::abridged;
use std::fmt;
use std::io;
use std::marker::PhantomData;

pub(super) struct ByFork<F, R> {
    f: F,
    _result: PhantomData<fn() -> R>,
}

impl<F, R> ByFork<F, R> {
    pub(super) fn new(f: F) -> ByFork<F, R> {
        ByFork { f, _result: PhantomData }
    }
}

impl<T: fmt::Debug, R: Value, F: Fn(T) -> R> Staff<T> for ByFork<F, R> {
    fn begin(&self, start: usize, items: &mut [Option<T>]) -> io::Result<Worker> {
        let range = start..start + items.len();
        let raw = Raw::of::<R>();
        let answer = |_: Request, answers: &mut Answers| {
            let _ = items.iter_mut().filter_map(Option::take).all(|item| {
                let name = tasks::recording().then(|| abridged(&item));
                answers.add(raw, &|_| name.clone().unwrap_or_default(), || (self.f)(item))
            });
        };
        let request = Request { items: range.clone(), bytes: Vec::new() };
        let mut worker = Worker::hire(|desk| drop(desk.answer(request, answer)))?;
        worker.assume(range);
        Ok(worker)
    }

    fn end(&self, worker: Worker) {
        drop(worker);
    }
}
