//! A timer for every thread, on the thread's own CPU clock. One timer for the process is not
//! enough: older kernels tend to send its signal to the main thread, whichever thread used the
//! time.

use std::collections::HashMap;

/// CPU time between two samples of a thread.
const INTERVAL_NS: libc::c_long = 1_000_000;

/// The running timers. They never leave the collector's thread.
pub struct Timers {
    /// The thread that is not sampled.
    collector: libc::pid_t,
    timers: HashMap<libc::pid_t, libc::timer_t>,
}

pub fn this_thread() -> libc::pid_t {
    // SAFETY: takes no arguments and cannot fail.
    unsafe { libc::gettid() }
}

impl Timers {
    pub fn new(collector: libc::pid_t) -> Timers {
        Timers { collector, timers: HashMap::new() }
    }

    /// Creates timers for new threads and removes those of ended ones.
    pub fn update(&mut self) {
        let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return };
        let threads: Vec<libc::pid_t> =
            tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok()).collect();
        self.timers.retain(|thread, timer| {
            let lives = threads.contains(thread);
            if !lives {
                delete(*timer);
            }
            lives
        });
        for thread in threads {
            if thread != self.collector
                && !self.timers.contains_key(&thread)
                && let Some(timer) = create(thread)
            {
                self.timers.insert(thread, timer);
            }
        }
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        self.timers.values().for_each(|timer| delete(*timer));
    }
}

/// A running timer; `None` if the thread has ended, or the system has no timers left.
fn create(thread: libc::pid_t) -> Option<libc::timer_t> {
    // The same as pthread_getcpuclockid, which takes a pthread_t: all bits of the number inverted,
    // "of a thread", "scheduler's clock".
    let clock = (!thread << 3) | 4 | 2;
    let interval = libc::timespec { tv_sec: 0, tv_nsec: INTERVAL_NS };
    // SAFETY: all zeros is a valid sigevent, filled in as SIGEV_THREAD_ID requires; the other
    // arguments are valid. The kernel rejects a thread that is not ours or has ended.
    unsafe {
        let mut event: libc::sigevent = std::mem::zeroed();
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = libc::SIGPROF;
        event.sigev_notify_thread_id = thread;
        let mut timer: libc::timer_t = std::mem::zeroed();
        if libc::timer_create(clock, &mut event, &mut timer) != 0 {
            return None;
        }
        let setting = libc::itimerspec { it_interval: interval, it_value: interval };
        libc::timer_settime(timer, 0, &setting, std::ptr::null_mut());
        Some(timer)
    }
}

fn delete(timer: libc::timer_t) {
    // SAFETY: the timer comes from `create` and is deleted once.
    unsafe { libc::timer_delete(timer) };
}
