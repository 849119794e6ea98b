//! Functions that wait: what they return, what overlaps, what an interrupt does, and how they nest.

mod child;

use child::On;
use parcourse::asynchronous::{self, block_on, gather};
use parcourse::interrupt::Interrupted;
use parcourse::prelude::*;
use parcourse::tokio;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

const LONG: Duration = Duration::from_secs(60);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Fails instead of hanging.
fn limited(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = channel();
    let thread = std::thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match ended.recv_timeout(LONG) {
        Ok(()) | Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic)
            }
        }
        Err(_) => panic!("the test did not end within {LONG:?}"),
    }
}

#[test]
fn gather_keeps_the_order() {
    limited(|| {
        for size in [0, 1, 2, 29, 30, 31, 32, 1000] {
            let futures = (0..size).map(|i: u64| async move {
                // Later ones complete earlier.
                asynchronous::sleep(MILLISECOND * (size - i) as u32 / 20).await;
                i * i
            });
            assert_eq!(block_on(gather(futures)), (0..size).map(|i| i * i).collect::<Vec<_>>());
        }
    });
}

#[test]
fn ten_thousand_wait_together() {
    limited(|| {
        // Neither `Send` nor `'static`. None goes on before all wait.
        let (done, all) = (Cell::new(0), tokio::sync::Barrier::new(10_000));
        let wait = async || {
            all.wait().await;
            asynchronous::sleep(50 * MILLISECOND).await;
            done.set(done.get() + 1);
        };
        block_on(gather((0..10_000).map(|_| wait())));
        assert_eq!(done.get(), 10_000);
    });
}

#[test]
fn a_panic_is_passed_on_and_ends_the_others() {
    limited(|| {
        let finished = Cell::new(0);
        let one = async |i: u32| {
            asynchronous::sleep(MILLISECOND).await;
            assert!(i != 1, "number {i} is bad");
            asynchronous::sleep(LONG).await;
            finished.set(finished.get() + 1);
        };
        let panic =
            catch_unwind(AssertUnwindSafe(|| block_on(gather((0..3).map(one))))).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().unwrap(), "number 1 is bad");
        assert_eq!(finished.get(), 0);
        assert_eq!(block_on(async { 7 }), 7, "the runtime is none the worse");
    });
}

#[test]
fn waiting_needs_no_core_and_macros_need_no_closure() {
    limited(|| {
        let (value, timing) = block_on(async {
            let same = time!(gather((0..10).map(|_| asynchronous::sleep(100 * MILLISECOND))).await);
            assert_eq!(same.len(), 10);
            timed!({
                asynchronous::sleep(100 * MILLISECOND).await;
                5
            })
        });
        assert_eq!(value, 5);
        assert!(timing.wall >= 100 * MILLISECOND);
        let fallible = async || -> Result<u32, tokio::time::error::Elapsed> {
            timed!(tokio::time::timeout(MILLISECOND, asynchronous::sleep(LONG)).await?);
            Ok(1)
        };
        assert!(block_on(fallible()).is_err());
    });
}

#[test]
fn the_limit_of_open_files_is_not_lowered() {
    let most = asynchronous::raise_open_file_limit();
    assert!(most >= 256, "{most}");
    assert_eq!(asynchronous::raise_open_file_limit(), most);
}

#[test]
fn block_on_inside_of_block_on_waits() {
    limited(|| {
        let nested = |x: u32| block_on(async move { block_on(async move { x + 1 }) });
        assert_eq!(nested(1), 2);
        // In a task, on a thread of the runtime; more of them than threads.
        let tasks = (0..20).map(|x| {
            tokio::spawn(async move {
                block_on(async move {
                    asynchronous::sleep(MILLISECOND).await;
                    x
                })
            })
        });
        let results =
            block_on(
                async move { gather(tasks).await.into_iter().map(Result::unwrap).sum::<u32>() },
            );
        assert_eq!(results, 190);
        let result = block_on(async {
            tokio::task::spawn_blocking(|| block_on(async { 3 })).await.unwrap()
        });
        assert_eq!(result, 3);
        // As in a cell.
        assert_eq!(asynchronous::run_cell(async { block_on(async { 4 }) }), 4);
    });
}

#[test]
fn a_runtime_of_one_thread_is_refused_clearly() {
    limited(|| {
        let single = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let panic =
            catch_unwind(AssertUnwindSafe(|| single.block_on(async { block_on(async {}) })))
                .unwrap_err();
        let message = panic.downcast_ref::<&str>().unwrap();
        assert!(message.contains("Use `.await`"), "{message}");
    });
}

#[test]
fn tasks_go_on_between_calls_and_share_the_runtime() {
    limited(|| {
        let count = Arc::new(AtomicUsize::new(0));
        let counting = count.clone();
        let task = asynchronous::runtime().spawn(async move {
            loop {
                asynchronous::sleep(MILLISECOND).await;
                counting.fetch_add(1, Ordering::Relaxed);
            }
        });
        while count.load(Ordering::Relaxed) < 5 {
            std::thread::sleep(MILLISECOND);
        }
        let id = |handle: tokio::runtime::Handle| handle.id();
        assert_eq!(
            id(block_on(async { tokio::runtime::Handle::current() })),
            id(asynchronous::runtime().handle().clone())
        );
        task.abort();
        assert!(block_on(task).unwrap_err().is_cancelled());
    });
}

#[test]
fn a_task_runs_piece_by_piece() {
    limited(|| {
        let result = block_on(gather((0..3).map(|i| {
            asynchronous::task(format!("task {i}"), async move {
                asynchronous::sleep(MILLISECOND).await;
                i
            })
        })));
        assert_eq!(result, [0, 1, 2]);
    });
}

/// The child is interrupted while it waits: the wait unwinds, the kernel gets one message,
/// everything is dropped, the next wait works.
#[test]
fn a_wait_is_interrupted() {
    let mut child = child::spawn("a_wait_is_interrupted", On::Parcourse, || {
        struct Dropped;
        impl Drop for Dropped {
            fn drop(&mut self) {
                // Timers and spawning need the runtime, in destructors too.
                drop(tokio::spawn(async {}));
                println!("dropped");
            }
        }
        for nested in [false, true] {
            let started = Instant::now();
            let wait = async {
                let _dropped = Dropped;
                // The first wait makes it interruptible.
                asynchronous::sleep(MILLISECOND).await;
                println!("ready");
                if nested {
                    block_on(asynchronous::sleep(LONG))
                } else {
                    drop(gather((0..100).map(|_| asynchronous::sleep(LONG))).await)
                }
            };
            let panic =
                catch_unwind(AssertUnwindSafe(|| asynchronous::run_cell(wait))).unwrap_err();
            println!(
                "interrupted: {}, soon: {}",
                panic.is::<Interrupted>(),
                started.elapsed() < LONG / 2
            );
            println!("cleared: {}", !interrupt::requested());
        }
        println!("then {}", block_on(async { tokio::spawn(async { 5 }).await.unwrap() }));
    });
    child.wait_for("ready").interrupt();
    child.wait_for("cleared: true").wait_for("ready").interrupt();
    let stdout = child.finish().success();
    assert!(
        stdout.contains("dropped\n")
            && stdout.contains("interrupted: true, soon: true\ncleared: true\nthen 5\n"),
        "{stdout}"
    );
    assert_eq!(stdout.matches("\"interrupted\"").count(), 1, "{stdout}");
}

/// A future that never waits is as interruptible as any computation, no more and no less.
#[test]
fn a_future_that_computes_is_ended_by_the_signal() {
    let mut child =
        child::spawn("a_future_that_computes_is_ended_by_the_signal", On::Parcourse, || {
            asynchronous::run_cell(async {
                println!("ready");
                loop {
                    std::hint::spin_loop();
                }
            })
        });
    child.wait_for("ready").interrupt();
    assert_eq!(child.finish().signal(), Some(libc::SIGINT));
}

/// After a fork the parent's threads do not exist.
#[test]
fn a_forked_process_gets_a_runtime_of_its_own() {
    let child = child::spawn("a_forked_process_gets_a_runtime_of_its_own", On::NoKernel, || {
        block_on(asynchronous::sleep(MILLISECOND));
        // SAFETY: the only threads besides this one are the runtime's, which sleep, and the test's
        // main thread, which waits for this one.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            block_on(async {
                asynchronous::sleep(MILLISECOND).await;
                tokio::spawn(async { println!("child") }).await.unwrap()
            });
            std::process::exit(0);
        }
        let mut status = 1;
        // SAFETY: the child is ours and not waited for yet.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        println!("parent {status} {}", block_on(async { 1 }));
    });
    let stdout = child.finish().success();
    assert!(stdout.contains("child\nparent 0 1\n"), "{stdout}");
}
