//! Runs functions in workers that started before the functions were compiled.
//!
//! A function, or a closure that captures nothing, has a type of its own without any data. So it
//! need not be sent: the code of [`compute`] for this type calls it. The parent sends the location
//! of that code, and the items.

use super::child_side::{ItemStream, Job, Request, ResponseWriter, SentItems};
use super::code::CodeLocation;
use crate::pool::Arguments;
use crate::processes::transport::value::{self, Format, Value, Writer};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

/// What a worker calls to compute the items in the bytes.
type Entry = fn(items: Range<usize>, bytes: &[u8], responses: &mut ResponseWriter);

/// Calls a function that is known by its type.
pub(crate) trait RemoteCall<T, R> {
    fn call(index: usize, item: T) -> R;
}

/// Functions of a reference to the item.
pub(crate) struct ByReference<F>(PhantomData<F>);
/// Functions of the item's index and a reference to the item.
pub(crate) struct Indexed<F>(PhantomData<F>);
/// Functions of the item.
pub(crate) struct ByValue<F>(PhantomData<F>);
/// Functions of the components of the item.
pub(crate) struct Star<F>(PhantomData<F>);
/// Functions without parameters.
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

/// The one value of a type without data. The callers of [`RemoteFn::new`] had such a value.
fn zst_value<F: Copy>() -> F {
    const {
        assert!(
            size_of::<F>() == 0,
            "a persistent pool can only run a function with a name, or a closure that captures \
             nothing: its processes are older than the closure. Put what it captures into the \
             items, or use `processes::Pool`, whose processes are started for each call"
        )
    }
    // SAFETY: it has no bytes, so nothing is read; a value of the type exists, and because it is
    // `Copy` there may be more.
    unsafe { std::ptr::NonNull::<F>::dangling().read() }
}

/// What is sent along with items.
pub(crate) struct RemoteFn {
    header: Vec<u8>,
    /// The format of the items.
    format: Format,
}

impl RemoteFn {
    /// The function that the type `C` stands for.
    pub(crate) fn new<C: RemoteCall<T, R>, T: Value, R: Value>() -> RemoteFn {
        RemoteFn::with(compute::<C, T, R>, Format::of::<T>())
    }

    #[inline(never)]
    fn with(entry: Entry, format: Format) -> RemoteFn {
        let code =
            CodeLocation::at(entry as *const c_void).expect("the code was loaded from a file");
        let mut header = Vec::new();
        value::put_serde(&code, &mut header).expect("a path and numbers can be written");
        RemoteFn { header, format }
    }

    /// The message for these items; `put` writes one of them.
    pub(crate) fn bytes(&self, items: Range<usize>, put: &dyn Fn(usize, &mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new(self.format, self.header.clone());
        items.for_each(|index| put(index, &mut writer));
        writer.bytes
    }
}

/// Computes the items in the bytes with the function that the type `C` stands for.
fn compute<C: RemoteCall<T, R>, T: Value, R: Value>(
    items: Range<usize>,
    bytes: &[u8],
    responses: &mut ResponseWriter,
) {
    let mut item = MaybeUninit::<T>::uninit();
    let address = item.as_mut_ptr();
    // SAFETY: there is room for an item until this returns.
    let sent = unsafe { SentItems::new(bytes, Format::of::<T>(), address.cast()) };
    compute_each(items.end, sent, Format::of::<R>(), responses, &mut |stream| {
        while let Some(index) = stream.next() {
            // SAFETY: `next` has written the item there, and it is taken once.
            stream.put::<R>(C::call(index, unsafe { address.read() }));
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

/// Answers requests.
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
                // SAFETY: the code at this location is an `Entry`, as the parent knows, which has
                // loaded the same file.
                let entry = unsafe { std::mem::transmute::<*const c_void, Entry>(address) };
                entry(request.items, bytes, responses);
            }
            Err(reason) => {
                let cause = crate::pool::Cause::NotSerializable {
                    message: format!("the process has no such function ({reason})"),
                };
                request.items.for_each(|_| responses.fail_next(&cause));
            }
        }
    }
}
