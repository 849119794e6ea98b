//! Interrupts: SIGINT to a process that is inside, or outside, of one of our long operations.
#![cfg(unix)]

mod child;

use child::On;
use parcourse::interrupt::{self, Interrupted};
use parcourse::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

const LONG: Duration = Duration::from_secs(60);
const MESSAGE: &str = "EVCXR_BEGIN_CONTENT application/vnd.parcourse.message+json\n\
                       {\"msg\":\"interrupted\"}\nEVCXR_END_CONTENT\n";

/// What SIGINT does in this process right now.
fn action() -> libc::sighandler_t {
    // SAFETY: only reads the action; a zeroed sigaction is valid for the answer.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        assert_eq!(libc::sigaction(libc::SIGINT, std::ptr::null(), &mut action), 0);
        action.sa_sigaction
    }
}

/// Prints `ready` as soon as an interrupt does not end the process any more.
fn say_when_protected() {
    std::thread::spawn(|| {
        while action() == libc::SIG_DFL {
            std::thread::yield_now();
        }
        println!("ready");
    });
}

/// Runs an operation and prints how it ended, and whether a later interrupt has its previous
/// effect.
fn report(operation: impl FnOnce()) {
    match catch_unwind(AssertUnwindSafe(operation)) {
        Ok(()) => println!("finished"),
        Err(payload) if payload.is::<Interrupted>() => println!("interrupted"),
        Err(_) => println!("panicked"),
    }
    println!(
        "handler restored: {}, flag cleared: {}",
        action() == libc::SIG_DFL,
        !interrupt::requested()
    );
}

/// The operation unwinds silently, the kernel gets one message, and everything is as before.
#[track_caller]
fn assert_interrupted(test: &str, operation: impl FnOnce()) {
    let body = || {
        say_when_protected();
        report(operation);
    };
    let mut child = child::spawn(test, On::Parcourse, body);
    child.wait_for("ready").interrupt();
    let stdout = child.finish().success();
    assert!(
        stdout.starts_with(MESSAGE) && stdout.matches("\"interrupted\"").count() == 1,
        "{stdout}"
    );
    assert!(
        stdout.ends_with("\ninterrupted\nhandler restored: true, flag cleared: true\n"),
        "{stdout}"
    );
}

#[test]
fn sleep_is_interrupted() {
    assert_interrupted("sleep_is_interrupted", || sleep(LONG));
}

#[test]
fn serial_map_is_interrupted() {
    assert_interrupted("serial_map_is_interrupted", || {
        map(|_| std::thread::sleep(Duration::from_millis(1)), &[(); 60_000]);
    });
}

#[test]
fn loop_with_progress_is_interrupted() {
    assert_interrupted("loop_with_progress_is_interrupted", || for _ in progress(0..u64::MAX) {});
}

/// In the middle of a run too, not only between runs.
#[test]
fn timeit_is_interrupted() {
    assert_interrupted("timeit_is_interrupted", || {
        timeit!(loops = 60_000, runs = 1, std::thread::sleep(Duration::from_millis(1)));
    });
}

#[test]
fn scaling_is_interrupted() {
    assert_interrupted("scaling_is_interrupted", || {
        scaling([1; 1], |_| {
            (0..60_000).into_par_iter().for_each(|_| sleep(Duration::from_millis(1)))
        });
    });
}

#[test]
fn own_loop_in_a_scope_is_interrupted() {
    assert_interrupted("own_loop_in_a_scope_is_interrupted", || {
        interrupt::scope(|| {
            loop {
                interrupt::check();
            }
        })
    });
}

/// The interrupt arrives, nothing checks the flag, the operation ends: it still counts as
/// interrupted.
#[test]
fn interrupt_nobody_noticed_is_answered_at_the_end() {
    assert_interrupted("interrupt_nobody_noticed_is_answered_at_the_end", || {
        interrupt::scope(|| while !interrupt::requested() {})
    });
}

/// Waiting tasks in several threads: all of them notice, one message is sent.
#[test]
fn pool_of_waiting_tasks_is_interrupted() {
    assert_interrupted("pool_of_waiting_tasks_is_interrupted", || {
        Pool::new(3).map(|_| sleep(LONG), &[0; 9]);
    });
}

#[test]
fn pool_stops_between_items() {
    const ITEMS: usize = 1_000_000;
    let body = || {
        say_when_protected();
        let done = AtomicUsize::new(0);
        report(|| {
            Pool::new(2).map(
                |_| {
                    std::thread::sleep(Duration::from_millis(1));
                    done.fetch_add(1, Ordering::Relaxed);
                },
                &[(); ITEMS],
            );
        });
        println!("items left out: {}", done.load(Ordering::Relaxed) < ITEMS);
    };
    let mut child = child::spawn("pool_stops_between_items", On::Parcourse, body);
    child.wait_for("ready").interrupt();
    let stdout = child.finish().success();
    assert!(
        stdout.ends_with(
            "interrupted\nhandler restored: true, flag cleared: true\nitems left out: true\n"
        ),
        "{stdout}"
    );
}

/// A panic while an interrupt is pending must not become a second panic, which would abort the
/// process.
#[test]
fn destructors_may_use_interruptible_operations() {
    struct Sleepy;
    impl Drop for Sleepy {
        fn drop(&mut self) {
            sleep(Duration::from_millis(30));
        }
    }
    assert_interrupted("destructors_may_use_interruptible_operations", || {
        let _sleepy = Sleepy;
        sleep(LONG);
    });
}

#[test]
fn inner_scope_does_not_end_the_outer_one() {
    let body = || {
        report(|| {
            interrupt::scope(|| {
                sleep(Duration::from_millis(1));
                Pool::new(2).map(|x| x + 1, &[1, 2, 3]);
                println!("ready");
                sleep(LONG);
            })
        })
    };
    let mut child = child::spawn("inner_scope_does_not_end_the_outer_one", On::Parcourse, body);
    child.wait_for("ready").interrupt();
    assert_eq!(
        child.finish().success(),
        format!("{MESSAGE}interrupted\nhandler restored: true, flag cleared: true\n")
    );
}

/// The second interrupt is a new one: it is announced again, and works like the first.
#[test]
fn every_interrupt_is_announced() {
    let body = || {
        for _ in 0..2 {
            report(|| {
                interrupt::scope(|| {
                    println!("ready");
                    sleep(LONG);
                })
            });
        }
    };
    let mut child = child::spawn("every_interrupt_is_announced", On::Parcourse, body);
    child.wait_for("ready").interrupt();
    child.wait_for("{\"msg\":\"interrupted\"}").wait_for("ready").interrupt();
    assert_eq!(
        child.finish().success(),
        format!("{MESSAGE}interrupted\nhandler restored: true, flag cleared: true\n")
    );
}

#[test]
fn handler_of_the_program_itself_is_put_back() {
    let body = || {
        // SAFETY: ignoring a signal is a valid action.
        unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
        interrupt::scope(|| println!("replaced: {}", action() != libc::SIG_IGN));
        println!("put back: {}", action() == libc::SIG_IGN);
    };
    let child = child::spawn("handler_of_the_program_itself_is_put_back", On::Parcourse, body);
    assert_eq!(child.finish().success(), "replaced: true\nput back: true\n");
}

/// Outside our operations an interrupt ends the process: that is how the kernel stops a computation
/// that never checks the flag.
#[test]
fn interrupt_outside_of_a_scope_ends_the_process() {
    let body = || {
        sleep(Duration::from_millis(1));
        println!("ready");
        std::thread::sleep(LONG);
    };
    let mut child =
        child::spawn("interrupt_outside_of_a_scope_ends_the_process", On::Parcourse, body);
    child.wait_for("ready").interrupt();
    assert_eq!(child.finish().signal(), Some(libc::SIGINT));
}

/// Elsewhere Ctrl-C means what it always means, and the stock kernel kills anyway.
#[test]
fn nothing_is_installed_on_other_kernels() {
    let body = || {
        interrupt::scope(|| {
            println!("ready");
            sleep(LONG);
        })
    };
    let mut child = child::spawn("nothing_is_installed_on_other_kernels", On::Stock, body);
    child.wait_for("ready").interrupt();
    assert_eq!(child.finish().signal(), Some(libc::SIGINT));
}
