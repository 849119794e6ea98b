//! What children say.

use super::fork::in_child;
use crate::threads::quiet;
use crate::threads::report::message;
use std::io::Write;
use std::sync::Once;

/// Replaces the panic hook, once, with one that prints the panics of children as text. In a
/// notebook the hook that was there before tells the kernel that the *cell* panicked.
pub(super) fn install_panic_hook() {
    static ONCE: Once = Once::new();
    quiet::wrap_hook(&ONCE, |info| {
        if !in_child() || quiet::is_active() {
            return false;
        }
        let place = info.location().map(|location| format!(" at {location}")).unwrap_or_default();
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        let pid = std::process::id();
        let _ = writeln!(
            std::io::stderr().lock(),
            "thread '{name}' of process {pid} panicked{place}:\n{}",
            message(info.payload())
        );
        true
    });
}
