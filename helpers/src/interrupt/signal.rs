//! The signal handler, and the scopes that install it and restore the previous one.

use crate::output::protocol;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Set by the signal handler; cleared when the outermost scope begins and ends.
pub(super) static REQUESTED: AtomicBool = AtomicBool::new(false);

/// The number of open scopes, and what handled SIGINT before the first one.
struct OpenScopes {
    count: usize,
    previous: Option<libc::sigaction>,
}

static OPEN: Mutex<OpenScopes> = Mutex::new(OpenScopes { count: 0, previous: None });

/// While one of these lives, an interrupt sets the flag instead of ending the process (on the
/// Parcourse kernel only).
#[derive(Debug)]
pub(crate) struct Scope(());

impl Scope {
    pub(crate) fn enter() -> Scope {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if open.count == 0 {
            REQUESTED.store(false, Ordering::Relaxed);
            super::ANNOUNCED.store(false, Ordering::Relaxed);
            open.previous = protocol::on_parcourse_kernel().then(install).flatten();
        }
        open.count += 1;
        Scope(())
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.count -= 1;
        if open.count == 0 {
            if let Some(previous) = open.previous.take() {
                // SAFETY: `previous` is what sigaction reported for this very signal.
                unsafe { libc::sigaction(libc::SIGINT, &previous, std::ptr::null_mut()) };
            }
            REQUESTED.store(false, Ordering::Relaxed);
        }
    }
}

/// Locks the scopes while the process forks, so that no other thread holds the lock in the child.
pub(crate) fn lock_for_fork() -> impl Sized {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In a forked process: an interrupt does nothing from now on. The parent gets it too, and ends its
/// children.
///
/// Installs a handler that does nothing rather than "ignore", which programs started from here
/// would inherit.
pub(crate) fn leave_to_parent() {
    extern "C" fn nothing(_: libc::c_int) {}
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    // This scope is never left, so no other scope is the outermost.
    open.count += 1;
    open.previous = None;
    set_handler(nothing);
    REQUESTED.store(false, Ordering::Relaxed);
}

/// Installs the handler and returns the action it replaces; `None` if the system refuses, and then
/// nothing has changed.
fn install() -> Option<libc::sigaction> {
    set_handler(request)
}

fn set_handler(handler: extern "C" fn(libc::c_int)) -> Option<libc::sigaction> {
    // SAFETY: all zeros is a valid sigaction (no flags, empty mask). The handlers do nothing but
    // store to an atomic, which a signal handler may do. They live in this library, which is never
    // unloaded while a scope, whose code is here too, is open.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let mut previous: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        // Reads and writes that the signal interrupts go on instead of failing with EINTR.
        action.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&mut action.sa_mask);
        (libc::sigaction(libc::SIGINT, &action, &mut previous) == 0).then_some(previous)
    }
}

extern "C" fn request(_: libc::c_int) {
    REQUESTED.store(true, Ordering::Relaxed);
}
