//! Workers that find what they need in their copy of the memory: they compute items by number, with
//! a function that nobody sends.

use super::desk::{Answers, Job, Output, Request};
use super::value::Format;
use super::worker::Worker;
use std::io;
use std::ops::Range;

/// How items are computed: see [`Answers::each`].
pub(super) type Compute<'run> = dyn FnMut(&mut Output) + 'run;

/// A worker that does the items it is asked for.
pub(super) fn hire(
    format: Format,
    name: &dyn Fn(usize) -> String,
    compute: &mut Compute,
) -> io::Result<Worker> {
    Worker::hire(&mut |desk| {
        desk.serve(&mut |request, answers| answer(request, answers, format, name, compute))
    })
}

/// A worker that does these items, and ends.
pub(super) fn hire_once(
    items: Range<usize>,
    format: Format,
    name: &dyn Fn(usize) -> String,
    compute: &mut Compute,
) -> io::Result<Worker> {
    let mut worker = Worker::hire(&mut |desk| {
        let request = Request { items: items.clone(), bytes: Vec::new() };
        drop(desk.answer(request, &mut |request, answers| {
            answer(request, answers, format, name, compute)
        }));
    })?;
    worker.assume(items);
    Ok(worker)
}

fn answer(
    request: Request,
    answers: &mut Answers,
    format: Format,
    name: &dyn Fn(usize) -> String,
    compute: &mut Compute,
) {
    answers.each(Job { end: request.items.end, format, name, items: None }, compute);
}
