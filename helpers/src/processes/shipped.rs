//! Functions sent to workers that were there before them.
//!
//! A function or a closure that captures nothing is a type of its own without any data. So it needs
//! not be sent: the code of [`compute`] for this type calls it. What is sent is where that code is,
//! and the items.

use super::code::Code;
use super::desk::{Answers, Job, Output, Request, SentItems};
use super::value::{self, Format, Value, Writer};
use crate::pool::Arguments;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

/// What a worker calls: computes the items in the bytes.
type Entry = fn(items: Range<usize>, bytes: &[u8], answers: &mut Answers);

/// How a function that is known by its type is called with an item.
pub(super) trait Call<T, R> {
    fn call(index: usize, item: T) -> R;
}

/// Functions of a reference to the item.
pub(super) struct ByReference<F>(PhantomData<F>);
/// Functions of the item's position and a reference to the item.
pub(super) struct Indexed<F>(PhantomData<F>);
/// Functions of the item.
pub(super) struct ByValue<F>(PhantomData<F>);
/// Functions of the components of the item.
pub(super) struct Star<F>(PhantomData<F>);
/// Functions of nothing.
pub(super) struct Submitted<F>(PhantomData<F>);

impl<T, R, F: Fn(&T) -> R + Copy> Call<T, R> for ByReference<F> {
    fn call(_: usize, item: T) -> R {
        the::<F>()(&item)
    }
}

impl<T, R, F: Fn(usize, &T) -> R + Copy> Call<T, R> for Indexed<F> {
    fn call(index: usize, item: T) -> R {
        the::<F>()(index, &item)
    }
}

impl<T, R, F: Fn(T) -> R + Copy> Call<T, R> for ByValue<F> {
    fn call(_: usize, item: T) -> R {
        the::<F>()(item)
    }
}

impl<T: Arguments<F, R>, R, F: Copy> Call<T, R> for Star<F> {
    fn call(_: usize, item: T) -> R {
        item.apply(&the::<F>())
    }
}

impl<R, F: FnOnce() -> R + Copy> Call<(), R> for Submitted<F> {
    fn call(_: usize, (): ()) -> R {
        the::<F>()()
    }
}

/// The one value of a type without data. Callers of [`ship`] have had it in their hands.
fn the<F: Copy>() -> F {
    const {
        assert!(
            size_of::<F>() == 0,
            "a persistent pool can only be given a function by its name, or a closure that captures nothing: its processes are older than \
             the closure. Put what it captures into the items, or use `processes::Pool`, whose processes are made for each call"
        )
    }
    // SAFETY: it has no bytes, so that none is read; a value of the type exists, and being `Copy`
    // any number of them may.
    unsafe { std::ptr::NonNull::<F>::dangling().read() }
}

/// What is sent along with items.
pub(super) struct Shipped {
    head: Vec<u8>,
    /// That of the items.
    format: Format,
}

impl Shipped {
    /// The function that is known by the type `C`.
    pub(super) fn new<C: Call<T, R>, T: Value, R: Value>() -> Shipped {
        Shipped::with(compute::<C, T, R>, Format::of::<T>())
    }

    #[inline(never)]
    fn with(entry: Entry, format: Format) -> Shipped {
        let code = Code::at(entry as *const c_void).expect("the code was loaded from a file");
        let mut head = Vec::new();
        value::put_serde(&code, &mut head).expect("a path and numbers can be written");
        Shipped { head, format }
    }

    /// The message for these items; `put` writes one of them.
    pub(super) fn bytes(&self, items: Range<usize>, put: &dyn Fn(usize, &mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new(self.format, self.head.clone());
        items.for_each(|index| put(index, &mut writer));
        writer.bytes
    }
}

/// Computes the items in the bytes, with the function that is known by the type `C`.
fn compute<C: Call<T, R>, T: Value, R: Value>(
    items: Range<usize>,
    bytes: &[u8],
    answers: &mut Answers,
) {
    let mut item = MaybeUninit::<T>::uninit();
    let place = item.as_mut_ptr();
    // SAFETY: there is room for an item until this returns.
    let sent = unsafe { SentItems::new(bytes, Format::of::<T>(), place.cast()) };
    compute_each(items.end, sent, Format::of::<R>(), answers, &mut |output| {
        while let Some(index) = output.next() {
            // SAFETY: the item has been put there, and is taken once.
            output.put::<R>(C::call(index, unsafe { place.read() }));
        }
    });
}

#[inline(never)]
fn compute_each(
    end: usize,
    items: SentItems,
    format: Format,
    answers: &mut Answers,
    compute: &mut dyn FnMut(&mut Output),
) {
    answers.each(
        Job { end, format, name: &|index| format!("items[{index}]"), items: Some(items) },
        compute,
    );
}

/// What a worker does with a request.
pub(super) fn serve() -> impl FnMut(Request, &mut Answers) {
    let mut last: Option<(Code, *const c_void)> = None;
    move |request, answers| {
        let mut bytes = &request.bytes[..];
        let found = value::take_serde::<Code>(&mut bytes)
            .map_err(|error| error.to_string())
            .and_then(|code| match &last {
                Some((same, address)) if *same == code => Ok(*address),
                _ => code.find().inspect(|address| last = Some((code, *address))),
            });
        match found {
            Ok(address) => {
                // SAFETY: the code at this place of this file is an `Entry`, as the parent knows,
                // which has loaded the same file.
                let entry = unsafe { std::mem::transmute::<*const c_void, Entry>(address) };
                entry(request.items, bytes, answers);
            }
            Err(reason) => {
                let cause = crate::pool::Cause::NotSerializable {
                    message: format!("the process has no such function ({reason})"),
                };
                request.items.for_each(|_| answers.refuse(&cause));
            }
        }
    }
}
