//! `fork` in a program with several threads; `README.md` beside this file explains what can go
//! wrong.

use super::lifeline;
use crate::base::panic_message::panic_message;
use crate::base::{panic_capture, per_process, thread_activity};
use crate::output::protocol;
use crate::{interrupt, memory, profile, tasks};
use std::io::{self, PipeReader, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// Locked while a child is made, so that no other thread's child inherits the descriptors of this
/// one. Contains the descriptors that every child closes at once, because they are the parent's
/// ends of connections: a second holder would keep them open.
static FORKING: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

fn forking() -> MutexGuard<'static, Vec<RawFd>> {
    FORKING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While the guard lives, no child is made that would inherit what is opened meanwhile.
pub(crate) fn block_forks() -> impl Sized {
    forking()
}

/// A child process. Dropping it kills the child and waits for its end, so that no zombie remains.
#[derive(Debug)]
pub(crate) struct Process {
    pid: libc::pid_t,
    ended: Option<ExitStatus>,
    /// When this is closed, the child is killed.
    _lifeline: ParentFd,
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ExitStatus {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

/// Starts a child process that runs `work` and ends: with code 0, or with 101 after a panic, whose
/// message is then on stderr.
///
/// The child has a copy of all memory, and only the calling thread. It never returns from here, and
/// runs no destructors except those of `work`'s own variables. It dies with its parent at the
/// latest. Its output goes where the parent's output goes.
#[cfg(test)]
pub(crate) fn fork(work: impl FnOnce()) -> io::Result<Process> {
    fork_with(|_| Ok(((), ())), |()| work()).map(|(process, ())| process)
}

/// Like `fork`, with a connection between parent and child that `connect` makes: the parent's end
/// and the child's.
///
/// Each process drops the end that is not its own; the descriptors in the parent's end must be
/// [`ParentFd`]s.
pub(crate) fn fork_with<P, C>(
    connect: impl FnOnce(&mut ChildSetup) -> io::Result<(P, C)>,
    work: impl FnOnce(C),
) -> io::Result<(Process, P)> {
    prepare();
    // The order matters: a thread that holds stdout may fork, so a thread that forks must not wait
    // for stdout while it holds the fork lock.
    let mut stdout = io::stdout().lock();
    let mut stderr = io::stderr().lock();
    let _ = stdout.flush();
    let _ = stderr.flush();
    let mut setup = ChildSetup(forking());
    let (lifeline, child_lifeline) = match lifeline::new() {
        Ok((parent_end, child_end)) => (setup.parent_fd(parent_end), child_end),
        Err(error) => return Err(error),
    };
    let (parent_end, child_end) = match connect(&mut setup) {
        Ok(ends) => ends,
        Err(error) => {
            // Dropping an end takes the lock.
            drop(setup);
            return Err(error);
        }
    };
    let held = (
        interrupt::lock_for_fork(),
        tasks::lock_for_fork(),
        thread_activity::lock_for_fork(),
        profile::lock_for_fork(),
        memory::lock_for_fork(),
        per_process::lock_for_fork(),
    );
    // SAFETY: the child's copy of memory is consistent as far as this crate, the standard library's
    // output and the allocator go: their locks are held by this thread (the allocator's by the C
    // library), which is the one that lives on in the child.
    match unsafe { libc::fork() } {
        0 => {
            drop((held, stderr, stdout));
            let mut registry = setup.0;
            close_all(&mut registry);
            // The child's own descriptors, for the children it may make.
            registry.push(child_lifeline.as_raw_fd());
            drop(registry);
            // Not dropped: the descriptors in it are closed already, and its destructors belong to
            // the parent.
            std::mem::forget((lifeline, parent_end));
            run(child_lifeline, move || work(child_end))
        }
        -1 => {
            let error = io::Error::last_os_error();
            drop((held, setup, stderr, stdout));
            Err(error)
        }
        pid => {
            drop((held, child_lifeline, child_end));
            drop((setup, stderr, stdout));
            Ok((Process { pid, ended: None, _lifeline: lifeline }, parent_end))
        }
    }
}

/// Completes what must not be half done when the process forks: the child would wait for a thread
/// that it does not have.
fn prepare() {
    install_panic_hook();
    panic_capture::install_hook();
    protocol::on_parcourse_kernel();
}

/// Replaces the panic hook, once, with one that prints the panics of children as text. In a
/// notebook, the previous hook reports to the kernel that the *cell* panicked.
fn install_panic_hook() {
    static ONCE: Once = Once::new();
    panic_capture::wrap_hook(&ONCE, |info| {
        if !per_process::in_child() || panic_capture::is_active() {
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

/// Runs in the child until its end.
fn run(child_lifeline: PipeReader, work: impl FnOnce()) -> ! {
    let result = catch_unwind(AssertUnwindSafe(|| {
        per_process::mark_as_child();
        lifeline::attach(child_lifeline);
        interrupt::leave_to_parent();
        // What was recorded before belongs to the parent, and so does whoever would catch a panic.
        panic_capture::reset();
        drop(tasks::take());
        close_stdin();
        with_a_rayon_pool(work);
    }));
    let _ = catch_unwind(|| {
        let _ = io::stdout().flush();
    });
    // SAFETY: ends this process, whose memory no other process sees. Not `exit`: destructors and
    // exit handlers belong to the parent.
    unsafe { libc::_exit(if result.is_ok() { 0 } else { 101 }) }
}

/// Input belongs to the parent: the child reads an empty file.
fn close_stdin() {
    if let Ok(nothing) = std::fs::File::open("/dev/null") {
        // SAFETY: both descriptors are open or, if 0 is not, may be opened.
        unsafe { libc::dup2(nothing.as_raw_fd(), libc::STDIN_FILENO) };
    }
}

/// The threads of rayon's pool do not exist in the child, which would wait for them forever. It
/// gets a pool of one thread, its own.
fn with_a_rayon_pool(work: impl FnOnce()) {
    let run = move || {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
        work();
        drop(pool);
    };
    if rayon::current_thread_index().is_none() {
        return run();
    }
    // A thread that belongs to rayon still does in the child, and would wait for the others. A new
    // thread does not.
    struct Sent<T>(T);
    // SAFETY: the thread that `work` comes from only waits until it is done.
    unsafe impl<T> Send for Sent<T> {}
    impl<F: FnOnce()> Sent<F> {
        fn call(self) {
            (self.0)()
        }
    }
    let sent = Sent(run);
    let result = std::thread::scope(|scope| {
        let name = std::thread::current().name().unwrap_or("child").to_string();
        std::thread::Builder::new()
            .name(name)
            .spawn_scoped(scope, || sent.call())
            .map(|thread| thread.join())
    });
    match result {
        Ok(Ok(())) => {}
        Ok(Err(payload)) => std::panic::resume_unwind(payload),
        Err(error) => panic!("failed to start a thread in a child process: {error}"),
    }
}

impl Process {
    /// The id of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid as u32
    }

    /// Ends the process, if it has not ended. Does not wait for that.
    pub(crate) fn kill(&mut self) {
        self.signal(libc::SIGKILL);
    }

    pub(crate) fn signal(&mut self, signal: libc::c_int) {
        if self.ended.is_none() && self._lifeline.is_ours() {
            // SAFETY: the process was not waited for yet, so the id is still its own.
            unsafe { libc::kill(self.pid, signal) };
        }
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.wait_with(0).expect("waits for as long as it takes")
    }

    /// How it ended, if it has.
    pub(crate) fn try_wait(&mut self) -> Option<ExitStatus> {
        self.wait_with(libc::WNOHANG)
    }

    fn wait_with(&mut self, options: libc::c_int) -> Option<ExitStatus> {
        if self.ended.is_none() {
            let mut status = 0;
            // SAFETY: waits for one of our children and writes its status to a valid place.
            while unsafe { libc::waitpid(self.pid, &mut status, options) } != self.pid {
                match io::Error::last_os_error().raw_os_error() {
                    Some(libc::EINTR) => continue,
                    // Something else has waited for it, or SIGCHLD is ignored: it has ended, and
                    // its status is lost.
                    Some(libc::ECHILD) => break,
                    _ => return None,
                }
            }
            self.ended = Some(ExitStatus::of(status));
        }
        self.ended
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // In a child, a copy of its parent's handle does nothing.
        if self.ended.is_none() && self._lifeline.is_ours() {
            self.kill();
            self.wait();
        }
    }
}

impl ExitStatus {
    fn of(status: libc::c_int) -> ExitStatus {
        if libc::WIFSIGNALED(status) {
            ExitStatus::Killed(libc::WTERMSIG(status))
        } else {
            ExitStatus::Exited(libc::WEXITSTATUS(status))
        }
    }
}

/// Makes connections between parent and child, while no other child is made.
pub(crate) struct ChildSetup(MutexGuard<'static, Vec<RawFd>>);

impl ChildSetup {
    /// Makes a descriptor the parent's end of a connection.
    pub(crate) fn parent_fd(&mut self, descriptor: impl Into<OwnedFd>) -> ParentFd {
        let descriptor: OwnedFd = descriptor.into();
        self.0.push(descriptor.as_raw_fd());
        ParentFd { descriptor: descriptor.into_raw_fd(), owner: std::process::id() }
    }
}

/// A descriptor that children close. In a child, a copy of this does nothing.
#[derive(Debug)]
pub(crate) struct ParentFd {
    descriptor: RawFd,
    owner: u32,
}

impl ParentFd {
    /// Whether this process has made it.
    pub(crate) fn is_ours(&self) -> bool {
        self.owner == std::process::id()
    }
}

impl AsFd for ParentFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: open until this is dropped.
        unsafe { BorrowedFd::borrow_raw(self.descriptor) }
    }
}

impl Drop for ParentFd {
    fn drop(&mut self) {
        if self.is_ours() {
            let mut registry = forking();
            registry.retain(|descriptor| *descriptor != self.descriptor);
            // SAFETY: it is ours, and is not used after this.
            drop(unsafe { OwnedFd::from_raw_fd(self.descriptor) });
        }
    }
}

/// In a child: closes the parent's descriptors.
fn close_all(registry: &mut Vec<RawFd>) {
    for descriptor in registry.drain(..) {
        // SAFETY: open in the parent while the lock was held, hence in its copy; the copy of its
        // owner does not use it.
        drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    /// Ends the child, and with it the test, if it takes too long.
    fn fork_for_a_while(work: impl FnOnce()) -> Process {
        fork(|| {
            // SAFETY: takes a number of seconds and cannot fail.
            unsafe { libc::alarm(20) };
            work();
        })
        .unwrap()
    }

    #[test]
    fn children_end_as_they_like() {
        assert_eq!(fork_for_a_while(|| ()).wait(), ExitStatus::Exited(0));
        assert_eq!(fork_for_a_while(|| std::process::exit(3)).wait(), ExitStatus::Exited(3));
        assert_eq!(
            fork_for_a_while(|| std::process::abort()).wait(),
            ExitStatus::Killed(libc::SIGABRT)
        );
        assert_eq!(
            fork_for_a_while(|| std::panic::resume_unwind(Box::new(()))).wait(),
            ExitStatus::Exited(101)
        );
    }

    #[test]
    fn a_handle_that_is_dropped_ends_the_child() {
        let forever = fork_for_a_while(|| std::thread::sleep(std::time::Duration::from_secs(3600)));
        let pid = forever.pid() as libc::pid_t;
        drop(forever);
        // SAFETY: signal 0 asks whether the process exists.
        assert_eq!(unsafe { libc::kill(pid, 0) }, -1);
    }

    #[test]
    fn rayon_works_in_children_of_every_kind_of_thread() {
        let sum = || assert_eq!((0..1000).into_par_iter().sum::<i32>(), 499_500);
        sum();
        assert_eq!(fork_for_a_while(sum).wait(), ExitStatus::Exited(0));
        let statuses: Vec<ExitStatus> =
            (0..8).into_par_iter().map(|_| fork_for_a_while(sum).wait()).collect();
        assert_eq!(statuses, [ExitStatus::Exited(0); 8]);
        let grandchild = || assert_eq!(fork_for_a_while(sum).wait(), ExitStatus::Exited(0));
        assert_eq!(fork_for_a_while(grandchild).wait(), ExitStatus::Exited(0));
    }
}
