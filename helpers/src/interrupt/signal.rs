//! The signal handler, and the scopes that install it and put back what was there before.

use crate::output::protocol;
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

/// While one of these lives, an interrupt sets the flag instead of ending the process (on the
/// Parcourse kernel only).
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
                // SAFETY: `before` is what sigaction reported as the previous action of this very
                // signal.
                unsafe { libc::sigaction(libc::SIGINT, &before, std::ptr::null_mut()) };
            }
            REQUESTED.store(false, Ordering::Relaxed);
        }
    }
}

/// Keeps scopes from being opened and closed, while the process is copied: the copy's lock must not
/// be in another thread's hands.
pub(crate) fn lock_for_fork() -> impl Sized {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In a copy of the process: an interrupt does nothing from now on. The original gets it too, and
/// ends its copies.
///
/// A handler that does nothing, and not "ignore", which programs started from here would inherit.
pub(crate) fn leave_to_parent() {
    extern "C" fn nothing(_: libc::c_int) {}
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    // One that is never left: no other scope is the outermost.
    open.scopes += 1;
    open.before = None;
    set_handler(nothing);
    REQUESTED.store(false, Ordering::Relaxed);
}

/// Installs the handler and gives back the action it replaces; `None` if the system refuses, and
/// then nothing has changed.
fn install() -> Option<libc::sigaction> {
    set_handler(request)
}

fn set_handler(handler: extern "C" fn(libc::c_int)) -> Option<libc::sigaction> {
    // SAFETY: all zeros is a valid sigaction (no flags, empty mask). The handlers do nothing but
    // store to an atomic, which a signal handler may do. They live in this library, which is never
    // unloaded while a scope, whose code is here too, is open.
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
