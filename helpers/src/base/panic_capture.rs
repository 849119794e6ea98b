//! One panic, one message: a pool's thread does not print the panic of an item, because `map`
//! reports it, with the item's name, on the thread that called it.
//!
//! Without this, the panic hook would print the item's panic on stderr as well, in a notebook with
//! a backtrace of two dozen lines; the message that names the item would drown in it. (A panic that
//! an item catches itself is not printed either.)

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

thread_local! {
    /// `Some` while this thread is inside [`catch`]: the location of its last panic, empty before
    /// the first.
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Replaces the panic hook, once, with one that skips panics caught by [`catch`] and passes all
/// others to the previous hook.
pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    wrap_hook(&ONCE, |info| {
        LOCATION.with_borrow_mut(|slot| {
            if let (Some(slot), Some(location)) = (slot.as_mut(), info.location()) {
                *slot = location.to_string();
            }
            slot.is_some()
        })
    });
}

/// Replaces the panic hook, once, with one that passes to the previous hook what `handle` returns
/// false for.
pub(crate) fn wrap_hook(
    once: &Once,
    handle: impl Fn(&PanicHookInfo<'_>) -> bool + Send + Sync + 'static,
) {
    // A thread that is panicking (a pool used by a destructor) must not touch the hook; then that
    // one panic is reported twice.
    if std::thread::panicking() {
        return;
    }
    once.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !handle(info) {
                previous(info);
            }
        }));
    });
}

/// Whether this thread is inside [`catch`].
pub(crate) fn is_active() -> bool {
    LOCATION.with_borrow(|slot| slot.is_some())
}

/// Leaves [`catch`], in a forked process: its frames belong to the parent.
pub(crate) fn reset() {
    LOCATION.set(None);
}

/// Like [`panic::catch_unwind`], but prints no message. The error is the panic's payload and its
/// location in the source (empty if unknown).
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, (Box<dyn Any + Send>, String)> {
    // A thread that helps its pool while it waits runs one item inside another.
    let outer = LOCATION.replace(Some(String::new()));
    // The caller gets the panic, so unwind safety is its business.
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    let location = LOCATION.replace(outer).unwrap_or_default();
    result.map_err(|payload| (payload, location))
}
