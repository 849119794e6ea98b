//! Task streams: which tasks they contain, where they are drawn, and how they end.

mod child;

use child::On;
use parcourse::prelude::*;
use parcourse::tasks::{TaskStream, live, record, task};
use parcourse::tokio;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
use std::thread;

const MS: Duration = Duration::from_millis(1);

/// A recording contains the tasks of all threads, even those of other tests, so the tests take
/// turns.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn names(stream: &TaskStream) -> Vec<&str> {
    stream.entries().iter().map(|entry| entry.task.as_str()).collect()
}

fn workers(stream: &TaskStream) -> Vec<&str> {
    stream.workers().iter().map(|worker| worker.name.as_str()).collect()
}

#[test]
fn value_and_tasks_come_back() {
    let _alone = alone();
    let (value, stream) = record(|| {
        task("a", || 1) + task(format_args!("b {}", 2), || 2) + task(String::from("c"), || 3)
    });
    assert_eq!((value, names(&stream)), (6, vec!["a", "b 2", "c"]));
    assert_eq!(record(|| 7).1.to_string(), "0 tasks");
    assert!(
        stream.entries().is_sorted_by_key(|entry| entry.end)
            && stream.entries()[2].end == stream.makespan()
    );
}

#[test]
fn every_task_is_there_once_at_any_size() {
    let _alone = alone();
    for threads in 1..=8 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for count in [0, 1, threads - 1, threads, threads + 1, 1000] {
            let (sum, stream) = record(|| {
                pool.install(|| (0..count).into_par_iter().map(|i| task(i, || i)).sum::<usize>())
            });
            assert_eq!(sum, count * count.saturating_sub(1) / 2);
            let mut numbers: Vec<usize> =
                names(&stream).iter().map(|name| name.parse().unwrap()).collect();
            numbers.sort();
            assert_eq!(numbers, (0..count).collect::<Vec<_>>(), "{threads} threads");
            // Including threads that got nothing to do.
            assert_eq!(stream.workers().len(), if count == 0 { 0 } else { threads });
            assert_eq!(stream.workers().iter().map(|worker| worker.tasks).sum::<usize>(), count);
            let all = stream.makespan() * stream.workers().len() as u32;
            assert_eq!(stream.work() + stream.idle(), all);
            assert!(stream.efficiency() <= 1.0 && stream.load_balance() <= 1.0 + 1e-9, "{stream}");
        }
    }
}

#[test]
fn workers_have_readable_names() {
    let _alone = alone();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let (_, stream) = record(|| pool.broadcast(|_| task("a", || ())));
    assert_eq!(workers(&stream), ["rayon 0", "rayon 1"]);

    let named = rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .thread_name(|index| format!("cook {index}"))
        .build()
        .unwrap();
    let (_, stream) = record(|| named.broadcast(|_| task("a", || ())));
    assert_eq!(workers(&stream), ["cook 0", "cook 1"]);

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("tokio 0")
        .build()
        .unwrap();
    let (_, stream) =
        record(|| runtime.block_on(runtime.spawn(async { task("a", || ()) })).unwrap());
    assert_eq!(workers(&stream), ["tokio 0"]);

    let (_, stream) = record(|| thread::scope(|scope| drop(scope.spawn(|| task("a", || ())))));
    assert!(workers(&stream)[0].starts_with("thread "), "{stream}");
}

/// Two pools, or a runtime whose threads all have the same name.
#[test]
fn threads_of_one_name_are_told_apart_while_both_work() {
    let _alone = alone();
    let barrier = Barrier::new(2);
    let twin = || {
        task("a", || {
            barrier.wait();
        })
    };
    let builder = || thread::Builder::new().name("twin".into());
    let (_, stream) = record(|| {
        thread::scope(|scope| {
            builder().spawn_scoped(scope, twin).unwrap();
            builder().spawn_scoped(scope, twin).unwrap();
        })
    });
    assert_eq!(workers(&stream), ["twin", "twin (2)"]);
    let again = || builder().spawn(|| task("a", || ())).unwrap().join().unwrap();
    let (_, stream) = record(|| (0..5).for_each(|_| again()));
    assert_eq!((workers(&stream), stream.entries().len()), (vec!["twin"], 5));
}

#[test]
fn nothing_is_left_for_the_next_recording() {
    let _alone = alone();
    task("before", || ());
    let (_, first) = record(|| task("first", || ()));
    task("between", || ());
    let (_, second) = record(|| task("second", || ()));
    assert_eq!((names(&first), names(&second)), (vec!["first"], vec!["second"]));
}

#[test]
fn recordings_nest() {
    let _alone = alone();
    let (inner, outer) = record(|| {
        task("a", || ());
        let (_, inner) = task("around", || record(|| task("b", || ())));
        task("c", || ());
        inner
    });
    assert_eq!(names(&inner), ["b"]);
    assert_eq!(names(&outer), ["a", "around", "b", "c"]);
    let around = outer.entries()[1].duration();
    assert!(outer.work() >= around && outer.work() <= outer.makespan(), "{outer}");
}

#[test]
fn recordings_at_the_same_time_take_nothing_from_each_other() {
    let _alone = alone();
    let barrier = Barrier::new(4);
    thread::scope(|scope| {
        for number in 0..4 {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                for round in 0..200 {
                    let (_, stream) = record(|| {
                        (0..10).for_each(|i| task(format!("{number} {round} {i}"), || ()))
                    });
                    let own = format!("{number} {round} ");
                    let found = names(&stream).iter().filter(|name| name.starts_with(&own)).count();
                    assert_eq!(found, 10, "{stream}");
                }
            });
        }
    });
}

#[test]
fn a_panic_ends_the_recording_and_is_recorded() {
    let _alone = alone();
    let (_, outer) = record(|| {
        let result = catch_unwind(AssertUnwindSafe(|| {
            record(|| task("fails", || std::panic::resume_unwind(Box::new(3))))
        }));
        assert_eq!(*result.unwrap_err().downcast::<i32>().unwrap(), 3);
    });
    assert_eq!(names(&outer), ["fails"]);
    // Nothing records any more.
    struct Unwritten;
    impl std::fmt::Display for Unwritten {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("written")
        }
    }
    task(Unwritten, || ());
}

#[test]
fn names_and_tasks_may_do_tasks_themselves() {
    let _alone = alone();
    struct Busy;
    impl std::fmt::Display for Busy {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            task("naming", || f.write_str("busy"))
        }
    }
    let (_, stream) = record(|| task(Busy, || task("inner", || ())));
    assert_eq!(names(&stream), ["busy", "inner", "naming"]);
}

#[test]
fn idle_time_is_seen() {
    let _alone = alone();
    let (_, stream) = record(|| {
        thread::scope(|scope| {
            // The long one continues for a while when the short one is done.
            let (done, wait) = std::sync::mpsc::channel();
            let short = move || {
                task("sleep", || thread::sleep(10 * MS));
                done.send(()).unwrap();
            };
            let long = move || {
                task("sleep", || {
                    wait.recv().unwrap();
                    thread::sleep(100 * MS);
                })
            };
            thread::Builder::new().name("short".into()).spawn_scoped(scope, short).unwrap();
            thread::Builder::new().name("long".into()).spawn_scoped(scope, long).unwrap();
        })
    });
    let [long, short] = stream.workers() else { panic!("{stream}") };
    assert_eq!((long.name.as_str(), short.name.as_str()), ("long", "short"));
    assert!(short.idle >= 100 * MS && long.busy >= 100 * MS, "{stream}");
    assert!(
        stream.load_balance() < 1.0 && stream.efficiency() <= stream.load_balance(),
        "{stream}"
    );
    assert!(
        stream.to_table().values("start").len() == 2
            && stream.bundle().get("image/svg+xml").is_some()
    );
}

#[test]
fn too_many_tasks_are_counted() {
    let _alone = alone();
    let (_, stream) = record(|| (0..300_000).for_each(|_| task("a", || ())));
    assert!(
        stream.entries().len() < 300_000 && stream.to_string().contains("did not fit"),
        "{}",
        stream.entries().len()
    );
    assert!(stream.bundle().get("image/svg+xml").unwrap().len() < 1_000_000);
    assert!(!record(|| task("a", || ())).1.to_string().contains("did not fit"));
}

#[test]
fn pools_of_threads_record_their_items() {
    let _alone = alone();
    for threads in 1..=3 {
        let (lengths, stream) =
            record(|| Pool::new(threads).map(|word| word.len(), &["a", "bb", "ccc"]));
        assert_eq!((lengths, stream.entries().len()), (vec![1, 2, 3], 3), "{stream}");
    }
}

#[cfg(unix)]
mod on_kernels {
    use super::*;

    /// Tasks, and tasks within them, travel home with the results.
    #[test]
    fn pools_of_processes_record_their_items() {
        let body = || {
            begin_time_limit();
            let map = || {
                parcourse::processes::Pool::new(2).map(|&x| task("inside", || x + 1), &[1, 2, 3])
            };
            let (found, stream) = record(map);
            assert_eq!((found, stream.entries().len()), (vec![2, 3, 4], 6), "{stream}");
            assert_eq!(
                names(&stream).iter().filter(|name| **name == "inside").count(),
                3,
                "{stream}"
            );
            assert!(
                workers(&stream).iter().all(|worker| worker.starts_with("process ")),
                "{stream}"
            );
            println!("{}", record(map).1.entries().len());
        };
        let stdout =
            child::spawn("on_kernels::pools_of_processes_record_their_items", On::NoKernel, body)
                .finish()
                .success();
        assert_eq!(stdout, "6\n");
    }

    /// A forked child must not inherit a lock that the drawing thread holds.
    #[test]
    fn processes_are_made_while_the_chart_is_drawn() {
        let body = || {
            begin_time_limit();
            let (count, stream) = live(|| {
                // Much to draw.
                (0..100_000).for_each(|i| task(i, || ()));
                let start = Instant::now();
                let map = || {
                    parcourse::processes::Pool::new(2)
                        .map(|&x| task("inside", || x + 1), &[1, 2])
                        .len()
                };
                std::iter::repeat_with(map)
                    .take_while(|_| start.elapsed() < 900 * MS)
                    .sum::<usize>()
            });
            assert_eq!(names(&stream).iter().filter(|name| **name == "inside").count(), count + 2);
        };
        let test = "on_kernels::processes_are_made_while_the_chart_is_drawn";
        child::spawn(test, On::Parcourse, body).finish().success();
    }

    /// Dies instead of hanging.
    fn begin_time_limit() {
        thread::spawn(|| {
            thread::sleep(Duration::from_secs(60));
            std::process::abort()
        });
    }

    fn four_tasks() {
        begin_time_limit();
        let (value, stream) =
            live(|| (0..4).map(|i| task(format!("row {i}"), || thread::sleep(200 * MS))).count());
        assert_eq!((value, stream.entries().len()), (4, 4));
    }

    #[test]
    fn chart_is_redrawn_on_our_kernel() {
        let stdout =
            child::spawn("on_kernels::chart_is_redrawn_on_our_kernel", On::Parcourse, four_tasks)
                .finish()
                .success();
        let messages: Vec<&str> =
            stdout.lines().filter(|line| line.starts_with("{\"msg\"")).collect();
        assert!(messages.len() >= 2 && messages.len() < 20, "{stdout}");
        assert!(
            messages[0].starts_with("{\"msg\":\"display_data\"")
                && !messages[0].contains("4 tasks,"),
            "{stdout}"
        );
        let later = &messages[1..];
        assert!(
            later.iter().all(|message| message.starts_with("{\"msg\":\"update_display_data\"")),
            "{stdout}"
        );
        assert!(
            later.last().unwrap().contains("4 tasks, 1 worker")
                && later.last().unwrap().contains("row 3"),
            "{stdout}"
        );
    }

    #[test]
    fn final_state_is_shown_on_the_stock_kernel() {
        let stdout = child::spawn(
            "on_kernels::final_state_is_shown_on_the_stock_kernel",
            On::Stock,
            four_tasks,
        )
        .finish()
        .success();
        assert_eq!(stdout.matches("EVCXR_BEGIN_CONTENT image/svg+xml").count(), 1, "{stdout}");
    }

    #[test]
    fn text_is_printed_without_a_kernel() {
        let stdout =
            child::spawn("on_kernels::text_is_printed_without_a_kernel", On::NoKernel, four_tasks)
                .finish()
                .success();
        assert!(stdout.starts_with("4 tasks, 1 worker") && stdout.contains("idle"), "{stdout}");
    }

    /// The drawing thread ends, what was done is shown, and the next recording starts empty.
    #[test]
    fn interrupts_end_it() {
        let body = || {
            begin_time_limit();
            let long = || (0..).for_each(|i| task(format!("row {i}"), || sleep(50 * MS)));
            let beginning = thread::spawn(|| {
                child::wait_until_protected();
                thread::sleep(600 * MS);
                println!("ready");
            });
            let ended = catch_unwind(AssertUnwindSafe(|| interrupt::scope(|| live(long))));
            println!("{}", ended.is_err_and(|payload| payload.is::<interrupt::Interrupted>()));
            beginning.join().unwrap();
            println!("{}", record(|| task("a", || ())).1.entries().len());
        };
        let mut child = child::spawn("on_kernels::interrupts_end_it", On::Parcourse, body);
        child.wait_for("ready").interrupt();
        let stdout = child.finish().success();
        assert!(stdout.ends_with("EVCXR_END_CONTENT\ntrue\n1\n"), "{stdout}");
    }
}
