//! Workers that find what they need in their copy of the memory: they compute items by number, with
//! a function that nobody sends.

use super::child_side::{ItemStream, Job, Request, ResponseWriter};
use super::parent_side::Worker;
use crate::processes::transport::value::Format;
use std::io;
use std::ops::Range;

/// How items are computed: see [`ResponseWriter::each`].
pub(crate) type Compute<'run> = dyn FnMut(&mut ItemStream) + 'run;

/// A worker that does the items it is asked for.
pub(crate) fn spawn(
    format: Format,
    name: &dyn Fn(usize) -> String,
    compute: &mut Compute,
) -> io::Result<Worker> {
    Worker::spawn(&mut |connection| {
        connection
            .serve(&mut |request, responses| answer(request, responses, format, name, compute))
    })
}

/// A new worker, that does what it is sent.
pub(crate) fn spawn_persistent() -> io::Result<Worker> {
    Worker::spawn(&mut |connection| connection.serve(&mut super::remote_fn::serve()))
}

/// A worker that does these items, and ends.
pub(crate) fn spawn_once(
    items: Range<usize>,
    format: Format,
    name: &dyn Fn(usize) -> String,
    compute: &mut Compute,
) -> io::Result<Worker> {
    let mut worker = Worker::spawn(&mut |connection| {
        let request = Request { items: items.clone(), bytes: Vec::new() };
        drop(connection.answer(request, &mut |request, responses| {
            answer(request, responses, format, name, compute)
        }));
    })?;
    worker.preassign(items);
    Ok(worker)
}

fn answer(
    request: Request,
    responses: &mut ResponseWriter,
    format: Format,
    name: &dyn Fn(usize) -> String,
    compute: &mut Compute,
) {
    responses.each(Job { end: request.items.end, format, name, items: None }, compute);
}
