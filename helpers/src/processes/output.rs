//! What children say.

use crate::base::panic_capture;
use crate::base::panic_message::panic_message;
use crate::base::per_process::in_child;
use std::io::Write;
use std::sync::Once;

/// Replaces the panic hook, once, with one that prints the panics of children as text. In a
/// notebook the hook that was there before tells the kernel that the *cell* panicked.
pub(super) fn install_panic_hook() {
    static ONCE: Once = Once::new();
    panic_capture::wrap_hook(&ONCE, |info| {
        if !in_child() || panic_capture::is_active() {
            return false;
        }
        let place = info.location().map(|location| format!(" at {location}")).unwrap_or_default();
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        let pid = std::process::id();
        let _ = writeln!(
            std::io::stderr().lock(),
            "thread '{name}' of process {pid} panicked{place}:\n{}",
            panic_message(info.payload())
        );
        true
    });
}
