//! The ways to start a worker.

use super::child_side::{ItemStream, Job, Request, ResponseWriter};
use super::parent_side::Worker;
use crate::processes::transport::value::Format;
use std::io;
use std::ops::Range;

/// Computes items: see [`ResponseWriter::each`].
pub(crate) type Compute<'run> = dyn FnMut(&mut ItemStream) + 'run;

/// Starts a worker that computes the items it is asked for, with a function and items that it finds
/// in its copy of the memory.
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

/// Starts a worker that runs the functions it is sent.
pub(crate) fn spawn_persistent() -> io::Result<Worker> {
    Worker::spawn(&mut |connection| connection.serve(&mut super::remote_fn::serve()))
}

/// Starts a worker that computes these items, and ends.
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
