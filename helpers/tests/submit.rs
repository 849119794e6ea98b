//! What a pool does in the background: submitted functions and iterators of results; and what
//! remains of pools that are gone.
#![cfg(unix)]

mod child;

use child::On;
use parcourse::pool::Cause;
use parcourse::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// Longer than any test takes: a wait this long has failed.
const LONG: Duration = Duration::from_secs(60);

/// The result of `f`; fails instead of hanging.
#[track_caller]
fn in_time<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(f()));
    receiver.recv_timeout(LONG).expect("a result in time")
}

#[test]
fn submitted_functions_run_at_the_same_time() {
    let pool = Pool::new(2);
    let (to_left, from_right) = mpsc::channel();
    let (to_right, from_left) = mpsc::channel();
    let left = pool.submit(move || {
        to_right.send(1).unwrap();
        from_right.recv_timeout(LONG).unwrap()
    });
    let right = pool.submit(move || {
        to_left.send(2).unwrap();
        from_left.recv_timeout(LONG).unwrap()
    });
    assert_eq!((left.get(), right.get()), (2, 1));
}

#[test]
fn future_tells_whether_it_is_ready() {
    let pool = Pool::new(1);
    let (go, wait) = mpsc::channel::<()>();
    let future = pool.submit(move || wait.recv_timeout(LONG).is_ok());
    assert!(!future.is_ready() && !future.wait_for(Duration::from_millis(5)));
    let future = future.get_timeout(Duration::from_millis(5)).expect_err("nobody said go");
    assert_eq!(format!("{future:?}"), "Future { is_ready: false, .. }");
    go.send(()).unwrap();
    assert!(future.wait_for(LONG) && future.is_ready());
    assert!(future.get_timeout(Duration::ZERO).expect("ready"));
    assert!(pool.submit(|| true).get_timeout(Duration::MAX).expect("in time"));
}

#[test]
fn submitted_functions_begin_in_order() {
    let pool = Pool::new(1);
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let futures: Vec<_> = (0..50)
        .map(|number| {
            let order = order.clone();
            pool.submit(move || order.lock().unwrap().push(number))
        })
        .collect();
    futures.into_iter().for_each(|future| future.get());
    assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
}

#[test]
fn panic_comes_out_of_get() {
    let pool = Pool::new(2);
    let failure = pool.submit(|| -> i32 { panic!("no flour") }).try_get().unwrap_err();
    assert!(
        matches!(&failure.cause, Cause::Panicked { message, .. } if message == "no flour"),
        "{failure}"
    );
    let future = pool.submit(|| -> i32 { panic!("no eggs") });
    let payload = catch_unwind(AssertUnwindSafe(|| future.get())).unwrap_err();
    let message = payload.downcast_ref::<String>().unwrap();
    assert!(
        message.starts_with("a submitted function panicked: no eggs (at ")
            && message.contains(file!()),
        "{message}"
    );
    assert_eq!(pool.submit(|| 1).get(), 1);
}

/// With one thread, which waits for what only it can do.
#[test]
fn task_may_wait_for_a_task_of_its_own_pool() {
    let total = in_time(|| {
        let pool = Pool::new(1);
        let inner = pool.clone();
        let fib = move |n| fib(&inner, n);
        pool.submit(move || fib(10)).get()
    });
    assert_eq!(total, 55);

    fn fib(pool: &Pool, n: u64) -> u64 {
        if n < 2 {
            return n;
        }
        let again = pool.clone();
        let left = pool.submit(move || fib(&again, n - 1));
        fib(pool, n - 2) + left.get()
    }
}

#[test]
fn task_may_iterate_over_results_of_its_own_pool() {
    for threads in 1..=3 {
        let sums = in_time(move || {
            let pool = Pool::new(threads);
            let inner = pool.clone();
            let sum = move |n: &u64| {
                let unordered = inner.imap_unordered(|x| x, 0..*n).map(|(_, x)| x).sum::<u64>();
                inner.imap(|x| x, 0..*n).sum::<u64>() + unordered
            };
            pool.map(sum, &[10, 100, 1000])
        });
        assert_eq!(sums, [90, 9900, 999_000]);
    }
}

#[test]
fn task_of_a_dropped_future_and_a_dropped_pool_is_done() {
    let (sender, receiver) = mpsc::channel();
    let pool = Pool::new(1);
    drop(pool.submit(move || sender.send("done")));
    drop(pool);
    assert_eq!(receiver.recv_timeout(LONG), Ok("done"));
}

#[test]
fn endless_items_are_taken_as_needed() {
    for chunk_size in [1, 5] {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = taken.clone();
        let items = (0u64..).inspect(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        let mut squares = Pool::new(2).chunk_size(chunk_size).imap(|x| x * x, items);
        assert_eq!(taken.load(Ordering::SeqCst), 0, "nothing before the first result is asked for");
        assert_eq!(
            squares.by_ref().take(10).collect::<Vec<_>>(),
            (0..10).map(|x| x * x).collect::<Vec<_>>()
        );
        let taken = taken.load(Ordering::SeqCst);
        assert!(taken <= 10 + 5 * chunk_size, "{taken} items taken for 10 results");
        let unordered = Pool::new(2).chunk_size(chunk_size).imap_unordered(|x| x, 0u64..);
        assert_eq!(unordered.take(100).count(), 100);
    }
}

/// Dropping the iterator of the results skips the items that were not begun.
#[test]
fn dropped_iterator_stops_the_work() {
    let begun = Arc::new(AtomicUsize::new(0));
    let counter = begun.clone();
    let pool = Pool::new(1);
    let mut results = pool.imap(move |_| counter.fetch_add(1, Ordering::SeqCst), 0..1000);
    results.next();
    drop(results);
    // One thread: what is submitted now comes after everything before.
    pool.submit(|| ()).get();
    assert!(begun.load(Ordering::SeqCst) < 10);
}

#[test]
fn slow_items_do_not_hold_up_fast_ones() {
    let gate = Arc::new(AtomicBool::new(false));
    let waiting = gate.clone();
    let f = move |index: usize| {
        while index == 0 && !waiting.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        index
    };
    let mut done = Pool::new(2).chunk_size(1).imap_unordered(f, 0..100);
    assert!(done.by_ref().take(99).all(|(index, result)| index == result && index != 0));
    gate.store(true, Ordering::SeqCst);
    assert_eq!(done.next(), Some((0, 0)));
    assert_eq!(done.next(), None);
}

#[test]
fn panic_in_an_iterator_names_the_item() {
    let pool = Pool::new(2);
    let mut results = pool.imap(|x: i32| 6 / x, [3, 2, 1, 0, 1]);
    assert_eq!(results.by_ref().take(3).collect::<Vec<_>>(), [2, 3, 6]);
    let payload = catch_unwind(AssertUnwindSafe(|| results.next())).unwrap_err();
    let message = payload.downcast_ref::<String>().unwrap();
    assert!(
        message
            .starts_with("the function panicked on items[3] = 0: attempt to divide by zero (at "),
        "{message}"
    );
    assert_eq!(results.next(), Some(6));
    let unordered = AssertUnwindSafe(|| pool.imap_unordered(|x: i32| 6 / x, [1, 0]).count());
    let payload = catch_unwind(unordered).unwrap_err();
    assert!(payload.downcast_ref::<String>().unwrap().contains("items[1] = 0"));
}

/// Interrupted: the cell's thread unwinds at once, whatever it was waiting for.
#[track_caller]
fn assert_interrupted(test: &str, operation: impl FnOnce()) {
    let body = || {
        std::thread::spawn(|| {
            while is_deadly() {
                std::thread::yield_now();
            }
            println!("ready");
        });
        let outcome = catch_unwind(AssertUnwindSafe(operation));
        println!(
            "interrupted: {}",
            outcome.is_err_and(|payload| payload.is::<interrupt::Interrupted>())
        );
    };
    let mut child = child::spawn(test, On::Parcourse, body);
    child.wait_for("ready").interrupt();
    let stdout = child.finish().success();
    assert!(
        stdout.contains("\ninterrupted: true\n") && stdout.matches("\"interrupted\"").count() == 1,
        "{stdout}"
    );
}

/// Whether SIGINT would end this process.
fn is_deadly() -> bool {
    // SAFETY: only reads the action; a zeroed sigaction is valid for the answer.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        assert_eq!(libc::sigaction(libc::SIGINT, std::ptr::null(), &mut action), 0);
        action.sa_sigaction == libc::SIG_DFL
    }
}

#[test]
fn get_is_interrupted() {
    assert_interrupted("get_is_interrupted", || {
        Pool::new(1).submit(|| std::thread::sleep(LONG)).get()
    });
}

#[test]
fn wait_for_is_interrupted() {
    assert_interrupted("wait_for_is_interrupted", || {
        let _ = Pool::new(1).submit(|| std::thread::sleep(LONG)).wait_for(LONG);
    });
}

#[test]
fn submitted_sleep_is_interrupted() {
    assert_interrupted("submitted_sleep_is_interrupted", || {
        Pool::new(1).submit(|| sleep(LONG)).get()
    });
}

#[test]
fn imap_is_interrupted() {
    assert_interrupted("imap_is_interrupted", || {
        Pool::new(2).imap(|_| sleep(LONG), 0..9).for_each(drop)
    });
}

#[test]
fn imap_unordered_is_interrupted() {
    assert_interrupted("imap_unordered_is_interrupted", || {
        Pool::new(2).imap_unordered(|_| std::thread::sleep(LONG), 0..9).for_each(drop);
    });
}

#[test]
fn try_map_is_interrupted() {
    assert_interrupted("try_map_is_interrupted", || {
        drop(Pool::new(2).try_map(|_| sleep(LONG), &[0; 9]))
    });
}

/// The bar ends where the work ended.
#[test]
fn progress_is_shown() {
    let child = child::spawn("progress_is_shown", On::Stock, || {
        Pool::new(2).progress().map(|x| x + 1, &[0; 1000]);
    });
    let stdout = child.finish().success();
    assert!(
        stdout
            .trim_end()
            .lines()
            .last()
            .is_some_and(|line| line.starts_with("[####################] 100 %, 1000 of 1000")),
        "{stdout}"
    );
}

/// A thousand pools, used in every way, leave no thread, no file descriptor and no memory.
#[cfg(target_os = "linux")]
#[test]
fn pools_leave_nothing_behind() {
    let child = child::spawn("pools_leave_nothing_behind", On::Stock, || {
        // The thread of the test harness and that of the test.
        let idle = count("/proc/self/task");
        let use_pools = |number: usize| {
            for _ in 0..number {
                let pool = Pool::new(3);
                assert_eq!(pool.map(|x| x + 1, &[1, 2, 3]), [2, 3, 4]);
                assert_eq!(pool.submit(|| 7).get(), 7);
                assert_eq!(pool.imap(|x| x, 0..10).take(3).sum::<i32>(), 3);
                drop(pool.submit(|| vec![0; 1000]));
            }
        };
        use_pools(100);
        let (threads, files, pages) = settled(idle);
        use_pools(1000);
        let (threads_after, files_after, pages_after) = settled(idle);
        assert_eq!((threads, files), (threads_after, files_after));
        // What the allocator keeps differs between runs; a kilobyte lost per pool would be 256
        // pages.
        println!(
            "{}",
            if pages_after < pages + 250 {
                "nothing".to_string()
            } else {
                format!("{} pages", pages_after - pages)
            }
        );
    });
    assert_eq!(child.finish().success(), "nothing\n");

    fn count(directory: &str) -> usize {
        std::fs::read_dir(directory).unwrap().count()
    }

    /// Threads, open files and resident pages, once the last pools' threads have ended.
    fn settled(idle: usize) -> (usize, usize, usize) {
        let begin = Instant::now();
        while count("/proc/self/task") > idle {
            assert!(begin.elapsed() < LONG, "{} threads are left", count("/proc/self/task"));
            std::thread::sleep(Duration::from_millis(5));
        }
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let resident = statm.split(' ').nth(1).unwrap().parse().unwrap();
        (count("/proc/self/task"), count("/proc/self/fd"), resident)
    }
}
