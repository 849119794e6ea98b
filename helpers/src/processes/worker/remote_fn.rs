//! Functions sent to workers that were there before them.
//!
//! A function or a closure that captures nothing is a type of its own without any data. So it needs
//! not be sent: the code of [`compute`] for this type calls it. What is sent is where that code is,
//! and the items.

use super::child_side::{ItemStream, Job, Request, ResponseWriter, SentItems};
use super::code::CodeLocation;
use crate::pool::Arguments;
use crate::processes::transport::value::{self, Format, Value, Writer};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

/// What a worker calls: computes the items in the bytes.
type Entry = fn(items: Range<usize>, bytes: &[u8], responses: &mut ResponseWriter);

/// How a function that is known by its type is called with an item.
pub(crate) trait RemoteCall<T, R> {
    fn call(index: usize, item: T) -> R;
}

/// Functions of a reference to the item.
pub(crate) struct ByReference<F>(PhantomData<F>);
/// Functions of the item's position and a reference to the item.
pub(crate) struct Indexed<F>(PhantomData<F>);
/// Functions of the item.
pub(crate) struct ByValue<F>(PhantomData<F>);
/// Functions of the components of the item.
pub(crate) struct Star<F>(PhantomData<F>);
/// Functions of nothing.
pub(crate) struct Submitted<F>(PhantomData<F>);

impl<T, R, F: Fn(&T) -> R + Copy> RemoteCall<T, R> for ByReference<F> {
    fn call(_: usize, item: T) -> R {
        zst_value::<F>()(&item)
    }
}

impl<T, R, F: Fn(usize, &T) -> R + Copy> RemoteCall<T, R> for Indexed<F> {
    fn call(index: usize, item: T) -> R {
        zst_value::<F>()(index, &item)
    }
}

impl<T, R, F: Fn(T) -> R + Copy> RemoteCall<T, R> for ByValue<F> {
    fn call(_: usize, item: T) -> R {
        zst_value::<F>()(item)
    }
}

impl<T: Arguments<F, R>, R, F: Copy> RemoteCall<T, R> for Star<F> {
    fn call(_: usize, item: T) -> R {
        item.apply(&zst_value::<F>())
    }
}

impl<R, F: FnOnce() -> R + Copy> RemoteCall<(), R> for Submitted<F> {
    fn call(_: usize, (): ()) -> R {
        zst_value::<F>()()
    }
}

/// The one value of a type without data. Callers of [`ship`] have had it in their hands.
fn zst_value<F: Copy>() -> F {
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
pub(crate) struct RemoteFn {
    head: Vec<u8>,
    /// That of the items.
    format: Format,
}

impl RemoteFn {
    /// The function that is known by the type `C`.
    pub(crate) fn new<C: RemoteCall<T, R>, T: Value, R: Value>() -> RemoteFn {
        RemoteFn::with(compute::<C, T, R>, Format::of::<T>())
    }

    #[inline(never)]
    fn with(entry: Entry, format: Format) -> RemoteFn {
        let code =
            CodeLocation::at(entry as *const c_void).expect("the code was loaded from a file");
        let mut head = Vec::new();
        value::put_serde(&code, &mut head).expect("a path and numbers can be written");
        RemoteFn { head, format }
    }

    /// The message for these items; `put` writes one of them.
    pub(crate) fn bytes(&self, items: Range<usize>, put: &dyn Fn(usize, &mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new(self.format, self.head.clone());
        items.for_each(|index| put(index, &mut writer));
        writer.bytes
    }
}

/// Computes the items in the bytes, with the function that is known by the type `C`.
fn compute<C: RemoteCall<T, R>, T: Value, R: Value>(
    items: Range<usize>,
    bytes: &[u8],
    responses: &mut ResponseWriter,
) {
    let mut item = MaybeUninit::<T>::uninit();
    let place = item.as_mut_ptr();
    // SAFETY: there is room for an item until this returns.
    let sent = unsafe { SentItems::new(bytes, Format::of::<T>(), place.cast()) };
    compute_each(items.end, sent, Format::of::<R>(), responses, &mut |output| {
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
    responses: &mut ResponseWriter,
    compute: &mut dyn FnMut(&mut ItemStream),
) {
    responses.each(
        Job { end, format, name: &|index| format!("items[{index}]"), items: Some(items) },
        compute,
    );
}

/// What a worker does with a request.
pub(crate) fn serve() -> impl FnMut(Request, &mut ResponseWriter) {
    let mut last: Option<(CodeLocation, *const c_void)> = None;
    move |request, responses| {
        let mut bytes = &request.bytes[..];
        let found = value::take_serde::<CodeLocation>(&mut bytes)
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
                entry(request.items, bytes, responses);
            }
            Err(reason) => {
                let cause = crate::pool::Cause::NotSerializable {
                    message: format!("the process has no such function ({reason})"),
                };
                request.items.for_each(|_| responses.refuse(&cause));
            }
        }
    }
}
