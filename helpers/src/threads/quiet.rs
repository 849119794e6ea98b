//! One panic, one message: a pool's thread keeps the panic of an item to itself, because `map`
//! reports it, with the item's name, on the thread that called it.
//!
//! Without this, the panic hook would print the item's panic on stderr as well, in a notebook with
//! a backtrace of two dozen lines; the message that says which item it was would drown in it. (A
//! panic that an item catches itself is not printed either.)

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

thread_local! {
    /// `Some` while this thread works for a pool: where its last panic happened, once there was
    /// one.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Replaces the panic hook, once, with one that leaves out panics caught by [`catch`] and hands on
/// all others to the hook before.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    wrap_hook(&ONCE, |info| {
        PLACE.with_borrow_mut(|place| {
            if let (Some(place), Some(location)) = (place.as_mut(), info.location()) {
                *place = location.to_string();
            }
            place.is_some()
        })
    });
}

/// Replaces the panic hook, once, with one that hands on to the hook before what `deals_with` does
/// not deal with.
pub(crate) fn wrap_hook(
    once: &Once,
    deals_with: impl Fn(&PanicHookInfo<'_>) -> bool + Send + Sync + 'static,
) {
    // A thread that panics right now (a pool used by a destructor) must not touch the hook; then
    // that one panic is reported twice.
    if std::thread::panicking() {
        return;
    }
    once.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !deals_with(info) {
                before(info);
            }
        }));
    });
}

/// Whether a panic of this thread would be kept for whoever called [`catch`].
pub(crate) fn is_active() -> bool {
    PLACE.with_borrow(|place| place.is_some())
}

/// In a copy of the process: what [`catch`] was called for is the original's business.
pub(crate) fn forget() {
    PLACE.set(None);
}

/// Like [`panic::catch_unwind`], without a message; an error is the panic's payload, and its place
/// in the source (empty if unknown).
pub(crate) fn catch<R>(
    f: impl FnOnce() -> R,
) -> Result<R, (Box<dyn std::any::Any + Send>, String)> {
    // A thread that helps its pool while it waits does an item inside of another.
    let outer = PLACE.replace(Some(String::new()));
    // Unwind safety is the caller's business, to whom the panic is passed on.
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    let place = PLACE.replace(outer).unwrap_or_default();
    result.map_err(|payload| (payload, place))
}
