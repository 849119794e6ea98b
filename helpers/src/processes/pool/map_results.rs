//! The results of one `map`: where they are stored until all are there.

use super::map_dispatcher::{MapDispatcher, Response};
use crate::interrupt::{self, Scope};
use crate::pool::{Cause, Failure};
use crate::processes::transport::value::{EncodedValue, Format, Value};
use crate::processes::worker::parent_side::Worker;
use std::io;

/// The results of the items of one `map`.
pub(crate) struct MapResults<R> {
    // Dropped before the memory that the values are in.
    pub(crate) slots: ResultSlots,
    /// Memory for a value of each item, in their order. The vector stays empty: `slots` knows which
    /// values are present.
    values: Vec<R>,
}

/// Where the values go, independent of their type.
pub(crate) struct ResultSlots {
    pub(crate) format: Format,
    start: *mut u8,
    /// Which values are present. Those of failed items are not, nor those of items that were not
    /// begun because of a failure.
    is_present: Vec<bool>,
    failures: Vec<Failure>,
}

/// Runs the dispatcher and stores the results. Returns the workers that are alive.
///
/// # Panics
///
/// When no process can be started. Unwinds when interrupted.
#[track_caller]
pub(crate) fn run(
    dispatcher: MapDispatcher,
    name: &dyn Fn(usize) -> String,
    slots: &mut ResultSlots,
) -> Vec<Worker> {
    // Keeps SIGINT from ending the process until all children have ended.
    let _scope = Scope::enter();
    let workers = dispatcher.run(slots.len(), &mut |response| slots.take(response, name));
    interrupt::check();
    workers.unwrap_or_else(|error| cannot_start(&error))
}

#[track_caller]
pub(crate) fn cannot_start(error: &io::Error) -> ! {
    panic!("failed to start a process: {error}")
}

/// Calls `put` for each result in the response.
pub(crate) fn each_value(
    response: Response,
    put: &mut dyn FnMut(usize, Result<EncodedValue, Cause>),
) {
    match response {
        Response::Values(items, bytes) => {
            let mut rest = &bytes[..];
            items.for_each(|index| put(index, Ok(EncodedValue::Bytes(&mut rest))));
        }
        Response::Large(index, buffer) => put(index, Ok(EncodedValue::Numbers(buffer))),
        Response::Failed(index, cause) => put(index, Err(cause)),
    }
}

impl<R: Value> MapResults<R> {
    /// Memory for this many values.
    pub(crate) fn new(len: usize) -> MapResults<R> {
        let mut values = Vec::<R>::with_capacity(len);
        let start = values.as_mut_ptr().cast();
        MapResults { slots: ResultSlots::new(Format::of::<R>(), start, len), values }
    }

    /// The values, if all items have one; otherwise panics with the failure that has the smallest
    /// index.
    #[track_caller]
    pub(crate) fn all(mut self) -> Vec<R> {
        let len = self.slots.release_all();
        // SAFETY: all values are present, and `slots` does not drop them any more.
        unsafe { self.values.set_len(len) };
        self.values
    }

    /// For every item its value, or why it has none.
    pub(crate) fn each(mut self) -> Vec<Result<R, Failure>> {
        let len = self.slots.sort();
        let value = |index| match self.slots.release(index) {
            // SAFETY: the value is present, and nothing else uses it now.
            None => Ok(unsafe { self.values.as_ptr().add(index).read() }),
            Some(failure) => Err(failure),
        };
        (0..len).map(value).collect()
    }
}

impl ResultSlots {
    /// `start` is the address of memory for this many values.
    #[inline(never)]
    fn new(format: Format, start: *mut u8, len: usize) -> ResultSlots {
        ResultSlots { format, start, is_present: vec![false; len], failures: Vec::new() }
    }

    /// The number of items.
    pub(crate) fn len(&self) -> usize {
        self.is_present.len()
    }

    /// Stores results; returns whether there was no failure.
    fn take(&mut self, response: Response, name: &dyn Fn(usize) -> String) -> bool {
        let before = self.failures.len();
        match response {
            Response::Values(mut items, bytes) => {
                let mut rest = &bytes[..];
                while !items.is_empty() {
                    let place = self.place(items.start);
                    // SAFETY: the memory is valid for this many values of the type.
                    let count = unsafe { self.format.take_many_to(&mut rest, place, items.len()) };
                    let is_present = &mut self.is_present[items.start..items.start + count];
                    assert!(!is_present.contains(&true), "one value for each item");
                    is_present.fill(true);
                    items.start += count;
                    if let Some(index) = items.next() {
                        self.put(index, Ok(EncodedValue::Bytes(&mut rest)), name);
                    }
                }
            }
            Response::Large(index, buffer) => {
                self.put(index, Ok(EncodedValue::Numbers(buffer)), name)
            }
            Response::Failed(index, cause) => self.put(index, Err(cause), name),
        }
        self.failures.len() == before
    }

    fn put(
        &mut self,
        index: usize,
        arrived: Result<EncodedValue, Cause>,
        name: &dyn Fn(usize) -> String,
    ) {
        assert!(!self.is_present[index], "one value for each item");
        let place = self.place(index);
        // SAFETY: the memory is valid for a value of the type.
        match arrived.and_then(|arrived| unsafe { self.format.take_to(arrived, place) }) {
            Ok(()) => self.is_present[index] = true,
            Err(cause) => self.failures.push(Failure { index, item: name(index), cause }),
        }
    }

    /// The address of this item's value.
    fn place(&self, index: usize) -> *mut u8 {
        self.start.wrapping_add(index * self.format.size())
    }

    /// Gives all values to the caller; returns their number.
    #[track_caller]
    #[inline(never)]
    fn release_all(&mut self) -> usize {
        if let Some(failure) = self.failures.iter().min_by_key(|failure| failure.index) {
            panic!("{failure}");
        }
        assert!(
            self.is_present.iter().all(|is_present| *is_present),
            "no failure: every item has a value"
        );
        std::mem::take(&mut self.is_present).len()
    }

    /// Must be called before `release` is called for each item, in their order; returns their
    /// number.
    #[inline(never)]
    fn sort(&mut self) -> usize {
        self.failures.sort_unstable_by_key(|failure| std::cmp::Reverse(failure.index));
        self.is_present.len()
    }

    /// Gives a value to the caller if it is present; otherwise returns why it is not.
    #[inline(never)]
    fn release(&mut self, index: usize) -> Option<Failure> {
        if std::mem::take(&mut self.is_present[index]) {
            return None;
        }
        Some(self.failures.pop().expect("an item without a value has failed"))
    }
}

impl Drop for ResultSlots {
    /// Drops the values that were not given to the caller.
    fn drop(&mut self) {
        for (index, _) in self.is_present.iter().enumerate().filter(|(_, is_present)| **is_present)
        {
            // SAFETY: it is present, and the vector that owns the memory counts as empty.
            unsafe { self.format.drop_at(self.start.wrapping_add(index * self.format.size())) };
        }
    }
}
