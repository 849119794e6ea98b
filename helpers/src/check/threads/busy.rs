//! Which threads computed: reads their CPU clocks several thousand times per second while they
//! live.

use std::time::Duration;

/// A thread takes part if it computed for at least one part in this many of the busiest one's time.
#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "threads have no CPU clocks to compare")
)]
const SHARES: u32 = 20;

#[cfg(not(target_os = "linux"))]
pub(super) struct Busy;

#[cfg(not(target_os = "linux"))]
impl Busy {
    pub const IS_KNOWN: bool = false;

    pub fn watch() -> Busy {
        Busy
    }

    pub fn stop(self, _least: Duration) -> Vec<u64> {
        Vec::new()
    }
}

#[cfg(target_os = "linux")]
pub(super) use linux::Busy;

#[cfg(target_os = "linux")]
mod linux {
    use super::{Duration, SHARES};
    use crate::base::thread_activity::thread_id;
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::thread::JoinHandle;

    /// A thread that dies between two readings loses this much.
    const INTERVAL: Duration = Duration::from_micros(300);

    /// Watches all threads of the process, from a thread of its own.
    pub struct Busy {
        stop: Arc<AtomicBool>,
        watcher: Option<JoinHandle<Clocks>>,
    }

    /// A thread's CPU time at the first and the last reading.
    type Clocks = HashMap<u64, (Duration, Duration)>;

    impl Busy {
        pub const IS_KNOWN: bool = true;

        /// Starts watching; earlier CPU time does not count.
        pub fn watch() -> Busy {
            let stop = Arc::new(AtomicBool::new(false));
            let (ready, is_ready) = mpsc::channel();
            let stopped = stop.clone();
            let watcher = std::thread::spawn(move || {
                let mut clocks: Clocks = threads()
                    .filter_map(|thread| Some((thread, (cpu_time(thread)?, Duration::ZERO))))
                    .collect();
                // The receiver is gone only if the watching thread's creator has died.
                let _ = ready.send(());
                loop {
                    let is_last = stopped.load(Ordering::Acquire);
                    read_clocks(&mut clocks);
                    if is_last {
                        clocks.remove(&thread_id());
                        return clocks;
                    }
                    std::thread::sleep(INTERVAL);
                }
            });
            // An error means that the watcher has panicked, which `stop` reports.
            let _ = is_ready.recv();
            Busy { stop, watcher: Some(watcher) }
        }

        /// The threads that have computed at least this long since the start.
        pub fn stop(mut self, least: Duration) -> Vec<u64> {
            self.stop.store(true, Ordering::Release);
            let clocks =
                self.watcher.take().and_then(|watcher| watcher.join().ok()).unwrap_or_default();
            busy(&clocks, least)
        }
    }

    impl Drop for Busy {
        fn drop(&mut self) {
            self.stop.store(true, Ordering::Release);
        }
    }

    fn read_clocks(clocks: &mut Clocks) {
        for thread in threads() {
            if let Some(time) = cpu_time(thread) {
                clocks.entry(thread).or_default().1 = time;
            }
        }
    }

    fn busy(clocks: &Clocks, least: Duration) -> Vec<u64> {
        let worked =
            || clocks.iter().map(|(thread, (first, last))| (*thread, last.saturating_sub(*first)));
        let most = worked().map(|(_, time)| time).max().unwrap_or_default();
        worked()
            .filter(|(_, time)| *time >= least && *time * SHARES >= most)
            .map(|(thread, _)| thread)
            .collect()
    }

    fn threads() -> impl Iterator<Item = u64> {
        let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        tasks.filter_map(|task| task.file_name().to_str()?.parse().ok())
    }

    /// The CPU time of the thread so far; `None` if it has ended.
    fn cpu_time(thread: u64) -> Option<Duration> {
        // The same as pthread_getcpuclockid, which takes a pthread_t: all bits of the number
        // inverted, "of a thread", "scheduler's clock".
        let clock = (!(thread as libc::pid_t) << 3) | 4 | 2;
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is valid. The kernel rejects a thread that is not ours or has ended.
        let known = unsafe { libc::clock_gettime(clock, &mut time) } == 0;
        known.then(|| Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn idle_and_hardly_busy_threads_do_not_count() {
            let ms = Duration::from_millis;
            let clocks = HashMap::from([
                (1, (ms(500), ms(600))),
                (2, (ms(0), ms(6))),
                (3, (ms(0), ms(4))),
                (4, (ms(900), ms(900))),
            ]);
            let mut threads = busy(&clocks, ms(1));
            threads.sort_unstable();
            assert_eq!(threads, [1, 2]);
            assert_eq!(busy(&HashMap::from([(1, (ms(0), ms(3)))]), ms(4)), []);
        }

        #[test]
        fn clock_of_a_thread_runs_while_it_computes() {
            let before = cpu_time(thread_id()).unwrap();
            while cpu_time(thread_id()).unwrap() == before {
                std::hint::black_box((0..1000u64).map(std::hint::black_box).sum::<u64>());
            }
            assert!(threads().any(|thread| thread == thread_id()));
        }
    }
}
