//! One `map`: what goes to a dispatcher, and where its responses go.

use super::map_dispatcher::{MapDispatcher, Response};
use crate::interrupt::{self, Scope};
use crate::pool::{Cause, Failure};
use crate::processes::transport::value::{EncodedValue, Format, Value};
use crate::processes::worker::parent_side::Worker;
use std::io;

/// What became of the items of one `map`.
pub(crate) struct MapResults<R> {
    // Before the memory that they are in.
    pub(crate) places: ResultSlots,
    /// Room for a value of each item, in their order. It counts as empty: what is there, `places`
    /// knows.
    values: Vec<R>,
}

/// Where the values go, whatever their type.
pub(crate) struct ResultSlots {
    pub(crate) format: Format,
    start: *mut u8,
    /// Which values are there. Those of items that have failed are not, nor those that were not
    /// begun because of that.
    is_present: Vec<bool>,
    failures: Vec<Failure>,
}

/// Has a dispatcher do its work, and puts the responses in their places. Gives back the workers that live.
///
/// # Panics
///
/// When no process can be started. Unwinds when interrupted.
#[track_caller]
pub(crate) fn run(
    dispatcher: MapDispatcher,
    name: &dyn Fn(usize) -> String,
    places: &mut ResultSlots,
) -> Vec<Worker> {
    // Keeps SIGINT from ending the process until all children are ended.
    let _scope = Scope::enter();
    let workers = dispatcher.run(places.len(), &mut |answer| places.take(answer, name));
    interrupt::check();
    workers.unwrap_or_else(|error| cannot_start(&error))
}

#[track_caller]
pub(crate) fn cannot_start(error: &io::Error) -> ! {
    panic!("failed to start a process: {error}")
}

/// Takes an answer apart.
pub(crate) fn each_value(
    answer: Response,
    put: &mut dyn FnMut(usize, Result<EncodedValue, Cause>),
) {
    match answer {
        Response::Values(items, bytes) => {
            let mut rest = &bytes[..];
            items.for_each(|index| put(index, Ok(EncodedValue::Bytes(&mut rest))));
        }
        Response::Large(index, buffer) => put(index, Ok(EncodedValue::Numbers(buffer))),
        Response::Failed(index, cause) => put(index, Err(cause)),
    }
}

impl<R: Value> MapResults<R> {
    /// Room for so many.
    pub(crate) fn new(len: usize) -> MapResults<R> {
        let mut values = Vec::<R>::with_capacity(len);
        let start = values.as_mut_ptr().cast();
        MapResults { places: ResultSlots::new(Format::of::<R>(), start, len), values }
    }

    /// The values, if all items have one; otherwise panics in the name of the failed item with the
    /// smallest index.
    #[track_caller]
    pub(crate) fn all(mut self) -> Vec<R> {
        let len = self.places.give_all();
        // SAFETY: all are there, and nobody else drops them now.
        unsafe { self.values.set_len(len) };
        self.values
    }

    /// For every item its value, or the reason why it has none.
    pub(crate) fn each(mut self) -> Vec<Result<R, Failure>> {
        let len = self.places.sort();
        let value = |index| match self.places.give(index) {
            // SAFETY: it is there, and nobody else uses it now.
            None => Ok(unsafe { self.values.as_ptr().add(index).read() }),
            Some(failure) => Err(failure),
        };
        (0..len).map(value).collect()
    }
}

impl ResultSlots {
    /// `start` is the address of room for so many values.
    #[inline(never)]
    fn new(format: Format, start: *mut u8, len: usize) -> ResultSlots {
        ResultSlots { format, start, is_present: vec![false; len], failures: Vec::new() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.is_present.len()
    }

    /// Says whether there was no failure.
    fn take(&mut self, answer: Response, name: &dyn Fn(usize) -> String) -> bool {
        let before = self.failures.len();
        match answer {
            Response::Values(mut items, bytes) => {
                let mut rest = &bytes[..];
                while !items.is_empty() {
                    let place = self.place(items.start);
                    // SAFETY: the place is valid for so many values of the type.
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
        // SAFETY: the place is valid for a value of the type.
        match arrived.and_then(|arrived| unsafe { self.format.take_to(arrived, place) }) {
            Ok(()) => self.is_present[index] = true,
            Err(cause) => self.failures.push(Failure { index, item: name(index), cause }),
        }
    }

    /// The place for the value of this item.
    fn place(&self, index: usize) -> *mut u8 {
        self.start.wrapping_add(index * self.format.size())
    }

    /// Leaves all values to the caller, and says how many they are.
    #[track_caller]
    #[inline(never)]
    fn give_all(&mut self) -> usize {
        if let Some(failure) = self.failures.iter().min_by_key(|failure| failure.index) {
            panic!("{failure}");
        }
        assert!(
            self.is_present.iter().all(|is_present| *is_present),
            "no failure: every item has a value"
        );
        std::mem::take(&mut self.is_present).len()
    }

    /// Before a call of `give` for each item, in their order; says how many they are.
    #[inline(never)]
    fn sort(&mut self) -> usize {
        self.failures.sort_unstable_by_key(|failure| std::cmp::Reverse(failure.index));
        self.is_present.len()
    }

    /// Leaves a value to the caller, if it is there, or the reason why it is not.
    #[inline(never)]
    fn give(&mut self, index: usize) -> Option<Failure> {
        if std::mem::take(&mut self.is_present[index]) {
            return None;
        }
        Some(self.failures.pop().expect("an item without a value has failed"))
    }
}

impl Drop for ResultSlots {
    /// The values that nobody has taken.
    fn drop(&mut self) {
        for (index, _) in self.is_present.iter().enumerate().filter(|(_, is_present)| **is_present)
        {
            // SAFETY: it is there, and its owner takes it for no value.
            unsafe { self.format.drop_at(self.start.wrapping_add(index * self.format.size())) };
        }
    }
}
