//! What children say.

use super::fork::in_child;
use crate::threads::quiet;
use crate::threads::report::message;
use std::io::Write;
use std::panic;
use std::sync::Once;

/// Replaces the panic hook, once, with one that prints the panics of children as text. In a notebook the hook that was there before tells
/// the kernel that the *cell* panicked.
pub(super) fn install_panic_hook() {
    static ONCE: Once = Once::new();
    // A thread that panics right now must not touch the hook.
    if std::thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !in_child() || quiet::is_active() {
                return before(info);
            }
            let place = info.location().map(|location| format!(" at {location}")).unwrap_or_default();
            let thread = std::thread::current();
            let name = thread.name().unwrap_or("<unnamed>");
            let pid = std::process::id();
            let _ = writeln!(std::io::stderr().lock(), "thread '{name}' of process {pid} panicked{place}:\n{}", message(info.payload()));
        }));
    });
}
