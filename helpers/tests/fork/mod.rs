//! Child processes by fork, for tests of what they share. The system ends a child that takes too
//! long, and with it its test.
#![allow(dead_code, reason = "no test program uses all of it")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// A forked child; killed when it is dropped.
pub struct Child(pub libc::pid_t);

/// Forks a child that runs `body` and ends with code 0, or with 101 if `body` panics.
pub fn fork(body: impl FnOnce()) -> Child {
    // SAFETY: the child uses what it has inherited from this thread, and ends without running
    // inherited destructors.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", std::io::Error::last_os_error()),
        0 => {
            // SAFETY: takes a number of seconds and cannot fail.
            unsafe { libc::alarm(30) };
            let code = if catch_unwind(AssertUnwindSafe(body)).is_ok() { 0 } else { 101 };
            // SAFETY: ends the child.
            unsafe { libc::_exit(code) }
        }
        pid => Child(pid),
    }
}

impl Child {
    /// Sends SIGKILL and waits for the end.
    pub fn kill(self) {}

    /// Waits for the end; the child must have ended well.
    #[track_caller]
    pub fn join(self) {
        let mut status = 0;
        // SAFETY: waits for our child.
        assert_eq!(unsafe { libc::waitpid(self.0, &mut status, 0) }, self.0);
        std::mem::forget(self);
        assert_eq!(status, 0, "signal or exit code of a child");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: the child is ours and was not waited for yet, so the id is its own.
        unsafe {
            libc::kill(self.0, libc::SIGKILL);
            libc::waitpid(self.0, std::ptr::null_mut(), 0);
        }
    }
}

/// Waits until the condition holds, and fails if that takes too long.
#[track_caller]
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "never happened: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Ends the whole test program if `body` takes too long.
pub fn within<R: Send>(seconds: u64, body: impl FnOnce() -> R + Send) -> R {
    let (done, ended) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if ended.recv_timeout(Duration::from_secs(seconds))
                == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                eprintln!("a test hangs");
                std::process::abort();
            }
        });
        let result = body();
        drop(done);
        result
    })
}

/// The number of open file descriptors of this process.
pub fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
