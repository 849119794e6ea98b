//! `check_threads!` and `check_memory!` in processes of their own, where no other test starts
//! threads or allocates; and what a failing check leaves on stderr.
#![cfg(target_os = "linux")]

mod child;

use child::{On, Outcome};
use parcourse::prelude::*;
use std::hint::black_box;

fn run(test: &str, body: impl FnOnce()) -> Outcome {
    child::spawn(test, On::NoKernel, body).finish()
}

/// 5 ms of this thread's CPU time, however long that takes on a busy machine.
fn compute(seed: u64) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let mut used = || {
        // SAFETY: `time` is valid for the result.
        assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let start = used();
    let mut sum = seed as f64;
    while used() - start < Duration::from_millis(5) {
        sum += (0..1000).map(|i| black_box(i as f64).sqrt()).sum::<f64>();
    }
    sum
}

/// The message of a check that must fail.
fn failure(check: impl FnOnce()) -> String {
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(check))
        .expect_err("the check should have failed");
    payload.downcast_ref::<String>().expect("a text").clone()
}

#[test]
fn threads_that_compute_are_counted_whoever_started_them() {
    let outcome = run("threads_that_compute_are_counted_whoever_started_them", || {
        let items: Vec<u64> = (0..24).collect();
        check_threads!(|| items.par_iter().map(|&i| compute(i)).sum::<f64>(), 3, what = "rayon");
        check_threads!(|| Pool::new(3).map(|&i| compute(i), &items[..12]), 3, what = "pool");
        let by_hand = || {
            std::thread::scope(|scope| {
                for i in 0..3 {
                    scope.spawn(move || (0..4).map(|j| compute(i + j)).sum::<f64>());
                }
            })
        };
        check_threads!(by_hand, 3);
    });
    let line = |what| format!("✓ {what} uses 3 threads, at least 3 expected\n");
    assert_eq!(outcome.success(), line("rayon") + &line("pool") + &line("by_hand"));
}

#[test]
fn threads_that_wait_are_counted() {
    let outcome = run("threads_that_wait_are_counted", || {
        let items = [20; 12];
        check_threads!(|| Pool::new(4).map(|&ms| sleep(Duration::from_millis(ms)), &items), 4);
        check_threads!(|| items.par_iter().for_each(|&ms| sleep(Duration::from_millis(ms))), 4);
    });
    assert_eq!(outcome.success().matches(" uses 4 threads, at least 4 expected").count(), 2);
}

/// Threads that exist but do nothing do not count.
#[test]
fn idle_threads_are_not_counted() {
    let outcome = run("idle_threads_are_not_counted", || {
        let items: Vec<u64> = (0..8).collect();
        let serial = || items.iter().map(|&i| compute(i)).sum::<f64>();
        println!("{}", failure(|| check_threads!(serial, 2, hint = "par_iter")));
        println!(
            "{}",
            failure(|| check_threads!(
                || map(|_| sleep(Duration::from_millis(2)), &items),
                2,
                what = "map"
            ))
        );
        let idle_pool =
            || rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap().install(serial);
        println!("{}", failure(|| check_threads!(idle_pool, 2)));
    });
    let line = |what| format!("✗ {what} uses 1 thread, at least 2 expected\n");
    assert_eq!(
        outcome.stdout,
        line("serial").replace("expected\n", "expected\n  Hint: par_iter\n")
            + &line("map")
            + &line("idle_pool")
    );
}

#[test]
fn memory_is_measured_and_the_limit_kept() {
    let outcome = run("memory_is_measured_and_the_limit_kept", || {
        check_memory!(|| vec![1u8; 2 * MIB], 4 * MIB, what = "two");
        println!(
            "{}",
            failure(|| check_memory!(
                || vec![1u8; 16 * MIB],
                4 * MIB,
                what = "sixteen",
                hint = "less"
            ))
        );
        // The first call allocates something that is kept.
        let mut kept = Vec::new();
        check_memory!(|| kept.resize(16 * MIB, 1u8), 4 * MIB, what = "again");
    });
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(
        lines[0].starts_with("✓ two needs 2.")
            && lines[0].ends_with(" MiB, at most 4.00 MiB expected"),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("✗ sixteen needs 16."), "{lines:?}");
    assert_eq!(lines[2], "  Hint: less");
    assert!(lines[3].starts_with("✓ again needs 0."), "{lines:?}");
}

/// The location is that of the check, not of the helper crate; the text is only the message.
#[test]
fn failing_check_is_short_and_names_its_line() {
    let outcome = run("failing_check_is_short_and_names_its_line", || {
        let _ = failure(|| check_eq!(1 + 1, 3, hint = "count"));
    });
    let head = format!("panicked at {}:{}:", file!(), line!() - 2);
    let text = outcome.stderr.split_once(&head).unwrap_or_else(|| panic!("{}", outcome.stderr)).1;
    let text = text.split_once('\n').unwrap().1;
    assert!(text.starts_with("✗ 1 + 1 is 2, expected 3\n  Hint: count\n"), "{text}");
}
