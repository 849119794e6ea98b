//! The signal handler, and the scopes that install it and put back what was there before.

use crate::display::protocol;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Set by the signal handler; cleared when the outermost scope begins and ends.
pub(super) static REQUESTED: AtomicBool = AtomicBool::new(false);

/// How many scopes are open, and what handled SIGINT before the first one.
struct Open {
    scopes: usize,
    before: Option<libc::sigaction>,
}

static OPEN: Mutex<Open> = Mutex::new(Open { scopes: 0, before: None });

/// While one of these lives, an interrupt sets the flag instead of ending the process (on the Parcourse kernel only).
#[derive(Debug)]
pub(crate) struct Scope(());

impl Scope {
    pub(crate) fn enter() -> Scope {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if open.scopes == 0 {
            REQUESTED.store(false, Ordering::Relaxed);
            super::ANNOUNCED.store(false, Ordering::Relaxed);
            open.before = protocol::on_our_kernel().then(install).flatten();
        }
        open.scopes += 1;
        Scope(())
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.scopes -= 1;
        if open.scopes == 0 {
            if let Some(before) = open.before.take() {
                // SAFETY: `before` is what sigaction reported as the previous action of this very signal.
                unsafe { libc::sigaction(libc::SIGINT, &before, std::ptr::null_mut()) };
            }
            REQUESTED.store(false, Ordering::Relaxed);
        }
    }
}

/// Installs the handler and gives back the action it replaces; `None` if the system refuses, and then nothing has changed.
fn install() -> Option<libc::sigaction> {
    let handler: extern "C" fn(libc::c_int) = request;
    // SAFETY: all zeros is a valid sigaction (no flags, empty mask). The handler does nothing but store to an atomic, which a signal
    // handler may do. It lives in this library, which is never unloaded while a scope, whose code is here too, is open.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let mut before: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        // Reads and writes that the signal happens to hit go on instead of failing with EINTR.
        action.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&mut action.sa_mask);
        (libc::sigaction(libc::SIGINT, &action, &mut before) == 0).then_some(before)
    }
}

extern "C" fn request(_: libc::c_int) {
    REQUESTED.store(true, Ordering::Relaxed);
}
