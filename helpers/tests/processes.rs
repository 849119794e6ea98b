//! Pools of processes against their serial twin; and what processes are for: they share nothing,
//! they may die, and nothing of them remains.

mod child;
mod work;

use child::On;
use parcourse::pool::Cause;
use parcourse::prelude::*;
use parcourse::processes::{self, PersistentPool};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use work::{collatz_steps, numbers};

/// Runs a test's body on a thread, and fails if it takes too long.
#[track_caller]
fn within<R: Send + 'static>(seconds: u64, body: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let result = body();
        let _ = sender.send(());
        result
    });
    match receiver.recv_timeout(Duration::from_secs(seconds)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("still not done after {seconds} s"),
        _ => thread.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload)),
    }
}

#[track_caller]
fn panic_message<R>(f: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).err().expect("should have panicked");
    payload.downcast_ref::<String>().expect("a formatted message").clone()
}

fn sizes(n: usize) -> [usize; 8] {
    [0, 1, n - 1, n, n + 1, 10, 100, 1001]
}

fn pid<T>(_: &T) -> u32 {
    std::process::id()
}

fn die(signal: libc::c_int) -> ! {
    // SAFETY: ends this process, which is a child made for that.
    unsafe { libc::kill(libc::getpid(), signal) };
    std::thread::sleep(Duration::from_secs(3600));
    unreachable!("killed")
}

fn exists(pid: u32) -> bool {
    // SAFETY: signal 0 asks whether the process exists.
    unsafe { libc::kill(pid as libc::pid_t, 0) == 0 }
}

#[track_caller]
fn wait_until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn agrees_with_its_serial_twin_at_every_size() {
    within(100, || {
        for n in 1..=8 {
            for length in sizes(n) {
                let items = numbers(length);
                assert_eq!(
                    processes::Pool::new(n).map(collatz_steps, &items),
                    map(collatz_steps, &items),
                    "{length} items, {n} processes"
                );
            }
        }
    });
}

#[test]
fn a_persistent_pool_agrees_with_its_serial_twin_at_every_size() {
    within(100, || {
        for n in 1..=8 {
            let pool = PersistentPool::new(n);
            for length in sizes(n) {
                let items = numbers(length);
                assert_eq!(
                    pool.map(collatz_steps, &items),
                    map(collatz_steps, &items),
                    "{length} items, {n} processes"
                );
            }
        }
    });
}

#[test]
fn every_chunk_size_gives_the_same() {
    within(60, || {
        let items = numbers(100);
        let expected = map(collatz_steps, &items);
        for k in [1, 2, 3, 99, 100, 101, usize::MAX] {
            assert_eq!(processes::Pool::new(3).chunk_size(k).map(collatz_steps, &items), expected);
            assert_eq!(PersistentPool::new(3).chunk_size(k).map(collatz_steps, &items), expected);
            let owned = |x: u64| collatz_steps(&x);
            assert_eq!(
                processes::Pool::new(3)
                    .chunk_size(k)
                    .imap(owned, items.clone())
                    .collect::<Vec<_>>(),
                expected
            );
            assert_eq!(
                PersistentPool::new(3).chunk_size(k).imap(owned, items.clone()).collect::<Vec<_>>(),
                expected
            );
        }
    });
}

#[test]
fn streams_agree_with_their_serial_twin_at_every_size() {
    within(100, || {
        for n in [1, 2, 3] {
            for length in sizes(n) {
                let items = numbers(length);
                let expected = map(collatz_steps, &items);
                let owned = |x: u64| collatz_steps(&x);
                let kept = PersistentPool::new(n);
                let made = processes::Pool::new(n);
                assert_eq!(made.imap(owned, items.clone()).collect::<Vec<_>>(), expected);
                assert_eq!(kept.imap(owned, items.clone()).collect::<Vec<_>>(), expected);
                for mut results in [
                    made.imap_unordered(owned, items.clone()).collect::<Vec<_>>(),
                    kept.imap_unordered(owned, items.clone()).collect::<Vec<_>>(),
                ] {
                    results.sort_unstable();
                    assert_eq!(results, expected.iter().copied().enumerate().collect::<Vec<_>>());
                }
            }
        }
    });
}

#[test]
fn other_kinds_of_map() {
    within(60, || {
        let words = ["computer", "thesis", "mom"].map(String::from);
        let labels = ["0: computer", "1: thesis", "2: mom"];
        let label = |i: usize, word: &String| format!("{i}: {word}");
        assert_eq!(processes::Pool::new(2).map_indexed(label, &words), labels);
        assert_eq!(PersistentPool::new(2).map_indexed(label, &words), labels);
        assert_eq!(processes::Pool::new(2).starmap(u64::pow, &[(2, 5), (3, 2)]), [32, 9]);
        assert_eq!(PersistentPool::new(2).starmap(u64::pow, &[(2, 5), (3, 2)]), [32, 9]);
    });
}

/// Three tasks that wait for each other can only end if all three run at once, however few cores
/// there are.
#[test]
fn three_processes_are_three_at_once() {
    within(60, || {
        let (receivers, senders): (Vec<_>, Vec<_>) =
            (0..3).map(|_| std::io::pipe().unwrap()).unzip();
        let meet = |&i: &usize| {
            use std::io::{Read, Write};
            (0..3)
                .filter(|&other| other != i)
                .for_each(|other| (&senders[other]).write_all(&[1]).unwrap());
            (&receivers[i]).read_exact(&mut [0; 2]).is_ok()
        };
        assert_eq!(processes::Pool::new(3).map(meet, &[0, 1, 2]), [true, true, true]);
    });
}

#[test]
fn processes_are_others_and_as_many_as_asked_for() {
    within(60, || {
        let slow_pid = |_: &i32| {
            std::thread::sleep(Duration::from_millis(20));
            std::process::id()
        };
        for pids in [
            processes::Pool::new(3).map(slow_pid, &[0; 12]),
            PersistentPool::new(3).map(slow_pid, &[0; 12]),
        ] {
            let different: std::collections::HashSet<u32> = pids.into_iter().collect();
            assert!(
                different.len() == 3 && !different.contains(&std::process::id()),
                "{different:?}"
            );
        }
    });
}

#[test]
fn anything_may_be_captured_and_changes_stay_in_the_copy() {
    let counter = Cell::new(0);
    let list = RefCell::new(vec![1]);
    let shared = std::rc::Rc::new(5);
    let numbers = processes::Pool::new(1).map(
        |x| {
            counter.set(counter.get() + x);
            list.borrow_mut().push(counter.get());
            list.borrow().len() as i32 + *shared
        },
        &[10, 20],
    );
    assert_eq!((numbers, counter.get(), list.into_inner()), (vec![7, 8], 0, vec![1]));
}

#[test]
fn a_second_map_of_a_persistent_pool_has_the_same_processes() {
    within(60, || {
        let pool = PersistentPool::new(2);
        let pids = pool.pids();
        assert_eq!(pids.len(), 2);
        for _ in 0..20 {
            assert!(pool.map(pid, &[0; 10]).iter().all(|pid| pids.contains(pid)));
            assert!(pids.contains(&pool.submit(std::process::id).get()));
            assert!(pool.imap(|_| std::process::id(), 0..10).all(|pid| pids.contains(&pid)));
        }
        assert_eq!(pool.pids(), pids);
        drop(pool);
        assert!(!pids.into_iter().any(exists));
    });
}

static STATE: AtomicU64 = AtomicU64::new(0);

#[test]
fn what_a_persistent_process_keeps_it_has_next_time() {
    within(60, || {
        let pool = PersistentPool::new(1);
        let count = || STATE.fetch_add(1, Ordering::Relaxed);
        assert_eq!([pool.submit(count).get(), pool.submit(count).get()], [0, 1]);
        assert_eq!(STATE.load(Ordering::Relaxed), 0);
    });
}

#[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Debug)]
#[serde(crate = "parcourse::serde")]
struct Cake {
    name: String,
    layers: Vec<(f64, Option<char>)>,
}

use parcourse::serde;

#[test]
fn structures_travel() {
    within(60, || {
        let bake = |&n: &usize| Cake {
            name: format!("cake {n}"),
            layers: vec![(n as f64, None), (0.5, Some('x'))],
        };
        let items: Vec<usize> = (0..100).collect();
        let cakes = processes::Pool::new(2).map(bake, &items);
        assert_eq!(cakes, map(bake, &items));
        assert_eq!(PersistentPool::new(2).map(|cake: &Cake| cake.clone(), &cakes), cakes);
    });
}

#[test]
fn large_arrays_travel_both_ways() {
    within(100, || {
        const LENGTH: usize = 50_000_000 / 8;
        let check =
            |numbers: &[f64], x: f64| numbers.len() == LENGTH && numbers.iter().all(|&y| y == x);
        let made = processes::Pool::new(2).map(|&x| vec![x; LENGTH], &[1.0, 2.0, 3.0]);
        assert!(made.iter().zip([1.0, 2.0, 3.0]).all(|(numbers, x)| check(numbers, x)));
        let doubled = PersistentPool::new(2)
            .map(|numbers: &Vec<f64>| numbers.iter().map(|x| 2.0 * x).collect::<Vec<f64>>(), &made);
        assert!(doubled.iter().zip([2.0, 4.0, 6.0]).all(|(numbers, x)| check(numbers, x)));
        // Not numbers, so encoded by serde; and a result in two dimensions.
        let flags = processes::Pool::new(2).map(|&n| vec![true; n], &[50_000_000, 3]);
        assert!(
            flags[0].len() == 50_000_000
                && flags[0].iter().all(|&flag| flag)
                && flags[1] == [true; 3]
        );
        let sums = processes::Pool::new(2)
            .map(|&n| Array2::from_shape_fn((n, 2 * n), |(i, j)| i + j), &[700, 2]);
        assert!(
            sums[0].dim() == (700, 1400)
                && sums[0].indexed_iter().all(|((i, j), &sum)| sum == i + j)
        );
    });
}

#[test]
fn a_panic_names_the_item_and_the_place() {
    within(60, || {
        let fail =
            |word: &String| if word.len() == 3 { panic!("no fifth letter") } else { word.len() };
        let words = ["computer", "thesis", "mom"].map(String::from);
        for message in [
            panic_message(|| processes::Pool::new(2).map(fail, &words)),
            panic_message(|| PersistentPool::new(2).map(fail, &words)),
        ] {
            assert!(
                message.starts_with(
                    "the function panicked on items[2] = \"mom\": no fifth letter (at "
                ),
                "{message}"
            );
            assert!(message.contains("processes.rs:"), "{message}");
        }
    });
}

#[test]
fn a_failure_cancels_what_is_not_begun() {
    within(60, || {
        let begun = processes::Pool::new(2);
        let (reader, writer) = std::io::pipe().unwrap();
        let message = panic_message(|| {
            begun.map(
                |&i| {
                    use std::io::Write;
                    (&writer).write_all(&[i as u8]).unwrap();
                    std::thread::sleep(Duration::from_millis(5));
                    assert!(i != 3, "three");
                },
                &(0..200).collect::<Vec<i32>>(),
            )
        });
        assert!(message.contains("items[3] = 3: three"), "{message}");
        drop(writer);
        let mut items = Vec::new();
        std::io::Read::read_to_end(&mut { reader }, &mut items).unwrap();
        assert!(items.len() < 200, "all items were begun");
    });
}

#[test]
fn a_killed_worker_is_reported_with_its_item() {
    within(60, || {
        let suicidal = |&x: &i32| if x == 5 { die(libc::SIGKILL) } else { 2 * x };
        let items: Vec<i32> = (0..10).collect();
        let pool = PersistentPool::new(2);
        for message in [
            panic_message(|| processes::Pool::new(2).map(suicidal, &items)),
            panic_message(|| pool.map(suicidal, &items)),
        ] {
            assert!(
                message.contains("was killed by signal 9 (SIGKILL")
                    && message.ends_with("while it worked on items[5] = 5"),
                "{message}"
            );
        }
        for results in
            [processes::Pool::new(2).try_map(suicidal, &items), pool.try_map(suicidal, &items)]
        {
            for (x, result) in items.iter().zip(results) {
                match result {
                    Ok(value) => assert!(value == 2 * x && *x != 5),
                    Err(failure) => assert!(
                        *x == 5
                            && matches!(failure.cause, Cause::Killed { signal: libc::SIGKILL, .. }),
                        "{failure}"
                    ),
                }
            }
        }
        // The pool still works.
        assert_eq!(pool.map(|x: &i32| x + 1, &items), map(|x| x + 1, &items));
        assert_eq!(pool.pids().len(), 2);
    });
}

/// Of many short items in one chunk, exactly those that kill their process have no result.
#[test]
fn the_dead_are_replaced_however_many() {
    within(100, || {
        let deadly = |&x: &u64| if x % 50 == 7 { std::process::exit(3) } else { x };
        let items: Vec<u64> = (0..1000).collect();
        for results in [
            processes::Pool::new(3).try_map(deadly, &items),
            PersistentPool::new(3).try_map(deadly, &items),
        ] {
            for (x, result) in items.iter().zip(results) {
                match result {
                    Ok(value) => assert!(value == *x && x % 50 != 7),
                    Err(failure) => {
                        assert!(
                            x % 50 == 7 && matches!(failure.cause, Cause::Exited { code: 3, .. }),
                            "{failure}"
                        );
                        assert_eq!((failure.index, failure.item), (*x as usize, x.to_string()));
                    }
                }
            }
        }
    });
}

/// Kills the pool's idle workers, and waits until they are dead, which takes the system a moment.
fn kill_workers(pool: &PersistentPool) {
    for pid in pool.pids() {
        // SAFETY: a child of ours, not waited for.
        unsafe { libc::kill(pid as libc::pid_t, libc::SIGKILL) };
        // SAFETY: writes to memory of its own; the child stays to be waited for.
        let dead = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_PID, pid, &mut info, libc::WEXITED | libc::WNOWAIT)
        };
        assert_eq!(dead, 0);
    }
}

#[test]
fn a_worker_killed_between_two_maps_is_replaced() {
    within(60, || {
        let pool = PersistentPool::new(2);
        kill_workers(&pool);
        assert_eq!(pool.map(|x: &i32| x + 1, &[1, 2, 3]), [2, 3, 4]);
        kill_workers(&pool);
        assert_eq!(pool.submit(|| 7).get(), 7);
        kill_workers(&pool);
        assert_eq!(pool.imap(|x: i32| x + 1, 0..3).collect::<Vec<_>>(), [1, 2, 3]);
    });
}

#[test]
fn failures_in_streams_come_when_their_turn_comes() {
    within(60, || {
        for how in [|| panic!("on purpose"), || std::process::exit(3)] {
            let mut results = processes::Pool::new(2)
                .chunk_size(4)
                .imap(move |x: i32| if x == 5 { how() } else { x }, 0..10);
            assert_eq!(results.by_ref().take(5).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
            let message = panic_message(|| results.next());
            assert!(message.contains("items[5] = 5"), "{message}");
            assert_eq!(results.collect::<Vec<_>>(), [6, 7, 8, 9]);
        }
        let mut results = PersistentPool::new(2)
            .imap(|x: i32| if x == 5 { std::process::exit(3) } else { x }, 0..10);
        assert_eq!(results.by_ref().take(5).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert!(
            panic_message(|| results.next())
                .ends_with("ended with exit code 3 while it worked on items[5] = 5")
        );
        assert_eq!(results.collect::<Vec<_>>(), [6, 7, 8, 9]);
    });
}

#[test]
fn results_come_as_soon_as_they_are_there() {
    within(60, || {
        let wait = |ms: u64| {
            std::thread::sleep(Duration::from_millis(ms));
            ms
        };
        assert_eq!(processes::Pool::new(2).imap_unordered(wait, [500, 1]).next(), Some((1, 1)));
        assert_eq!(PersistentPool::new(2).imap_unordered(wait, [500, 1]).next(), Some((1, 1)));
    });
}

/// A result that serde can write but not read.
#[derive(PartialEq, Debug)]
struct Unreadable;

impl serde::Serialize for Unreadable {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(0)
    }
}

impl<'de> serde::Deserialize<'de> for Unreadable {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Unreadable, D::Error> {
        Err(serde::de::Error::custom("unreadable"))
    }
}

/// One that it cannot write.
#[derive(PartialEq, Debug, serde::Deserialize)]
#[serde(crate = "parcourse::serde")]
struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("unwritable"))
    }
}

#[test]
fn results_that_cannot_be_sent_are_reported() {
    within(60, || {
        let unwritable = processes::Pool::new(2).try_map(|_| Unwritable, &[1, 2]);
        assert!(
            unwritable.iter().all(|result| matches!(
                result.as_ref().unwrap_err().cause,
                Cause::NotSerializable { .. }
            )),
            "{unwritable:?}"
        );
        let unreadable = processes::Pool::new(2).try_map(|_| Unreadable, &[1]);
        assert!(
            matches!(unreadable[0].as_ref().unwrap_err().cause, Cause::NotSerializable { .. }),
            "{unreadable:?}"
        );
    });
}

#[test]
fn submitted_functions_run_in_processes_of_their_own() {
    within(60, || {
        let pool = processes::Pool::new(2);
        let captured = "text".to_string();
        let text = pool.submit(move || captured + "!");
        let number = pool.submit(|| (1..=10u64).product::<u64>());
        let pid = pool.submit(std::process::id);
        let panics = pool.submit(|| {
            if true {
                panic!("on purpose")
            }
        });
        let dies = pool.submit(|| {
            if true {
                die(libc::SIGTERM)
            }
        });
        let large = pool.submit(|| vec![1.5; 1_000_000]);
        assert_eq!((text.get(), number.get()), ("text!".to_string(), 3_628_800));
        assert_ne!(pid.get(), std::process::id());
        assert!(
            panics
                .try_get()
                .unwrap_err()
                .to_string()
                .starts_with("a submitted function panicked: on purpose (at ")
        );
        assert!(matches!(
            dies.try_get().unwrap_err().cause,
            Cause::Killed { signal: libc::SIGTERM, .. }
        ));
        assert_eq!(large.get(), vec![1.5; 1_000_000]);
    });
}

#[test]
fn dropping_a_future_ends_the_process() {
    within(60, || {
        let pool = PersistentPool::new(1);
        let worker = pool.pids()[0];
        let forever = pool.submit(|| std::thread::sleep(Duration::from_secs(3600)));
        assert!(!forever.wait_for(Duration::from_millis(50)));
        let forever = forever.get_timeout(Duration::from_millis(10)).unwrap_err();
        drop(forever);
        wait_until(|| !exists(worker));
        assert_eq!(pool.submit(|| 3).get(), 3);
    });
}

#[test]
fn no_more_than_asked_for_are_submitted_at_once() {
    within(60, || {
        let pool = processes::Pool::new(2);
        let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let spans = (0..8).map(|_| {
            pool.submit(move || {
                let start = now();
                std::thread::sleep(Duration::from_millis(20));
                (start, now())
            })
        });
        let spans: Vec<_> =
            spans.collect::<Vec<_>>().into_iter().map(|future| future.get()).collect();
        for (start, _) in &spans {
            assert!(
                spans.iter().filter(|(begin, end)| begin <= start && start < end).count() <= 2,
                "{spans:?}"
            );
        }
    });
}

#[test]
fn pools_work_in_pools_of_all_kinds() {
    within(100, || {
        let items: Vec<u64> = (0..20).collect();
        let expected: u64 = items.iter().map(|x| x + 1).sum();
        let inner: [fn(&[u64]) -> u64; 4] = [
            |items| Pool::new(2).map(|x| x + 1, items).iter().sum(),
            |items| processes::Pool::new(2).map(|x| x + 1, items).iter().sum(),
            |items| PersistentPool::new(2).map(|x: &u64| x + 1, items).iter().sum(),
            |items| items.par_iter().map(|x| x + 1).sum(),
        ];
        for inner in inner {
            let f = |_: &i32| inner(&items);
            assert_eq!(Pool::new(3).map(f, &[0; 6]), [expected; 6]);
            assert_eq!(processes::Pool::new(3).map(f, &[0; 6]), [expected; 6]);
            assert_eq!(
                (0..6).into_par_iter().map(|_| inner(&items)).collect::<Vec<_>>(),
                [expected; 6]
            );
        }
        let sum = |_: &i32| {
            processes::Pool::new(2)
                .map(|x| x + 1, &(0..20).collect::<Vec<u64>>())
                .iter()
                .sum::<u64>()
        };
        assert_eq!(PersistentPool::new(3).map(sum, &[0; 6]), [expected; 6]);
    });
}

/// A forked process has neither the threads nor the children of its parent's pools.
#[test]
fn pools_that_are_older_than_the_copy_work_in_it() {
    within(60, || {
        let persistent = PersistentPool::new(2);
        let made = processes::Pool::new(2);
        made.submit(|| ()).get();
        let threads = Pool::new(2);
        threads.map(|_| (), &[0; 4]);
        let all = |_: &i32| threads.map(|x| x + 1, &[1, 2]).len() + threads.submit(|| 5).get() - 7;
        assert_eq!(processes::Pool::new(2).map(all, &[0; 4]), [0; 4]);
        let both = |_: &i32| {
            persistent.map(|x: &i32| x + 1, &[1, 2]).len()
                + persistent.submit(|| 3).get()
                + made.submit(|| 4).get()
        };
        assert_eq!(processes::Pool::new(2).map(both, &[0; 4]), [9; 4]);
        assert_eq!(persistent.map(|x: &i32| x + 1, &[1, 2]), [2, 3]);
    });
}

#[test]
fn a_persistent_pool_works_inside_of_its_own_stream() {
    within(60, || {
        let pool = PersistentPool::new(2);
        for x in pool.imap(|x: i32| x, 0..10) {
            assert_eq!(pool.map(|y: &i32| y + 1, &[x]), [x + 1]);
            assert_eq!(pool.submit(|| 5).get(), 5);
        }
        wait_until(|| pool.pids().len() == 2);
        let results: Vec<i32> =
            Pool::new(4).map(|&x| pool.map(|y: &i32| y + 1, &[x])[0], &[1, 2, 3, 4]);
        assert_eq!(results, [2, 3, 4, 5]);
    });
}

/// Forks a process whose other threads hold the locks that the copy will need.
#[test]
fn works_while_other_threads_allocate_print_and_use_rayon() {
    let outcome = child::spawn(
        "works_while_other_threads_allocate_print_and_use_rayon",
        On::NoKernel,
        || {
            let stop = AtomicBool::new(false);
            let go_on = || !stop.load(Ordering::Relaxed);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while go_on() {
                        std::hint::black_box(
                            (0..50).map(|i| vec![0u8; 1 << (i % 16)]).collect::<Vec<_>>(),
                        );
                    }
                });
                scope.spawn(|| {
                    while go_on() {
                        println!("parent");
                    }
                });
                scope.spawn(|| {
                    while go_on() {
                        assert_eq!((0..10_000u64).into_par_iter().sum::<u64>(), 49_995_000);
                    }
                });
                scope.spawn(|| {
                    while go_on() {
                        interrupt::scope(|| {
                            parcourse::tasks::task("something", std::thread::yield_now)
                        });
                    }
                });
                for i in 0..150 {
                    let work = |x: &u64| {
                        println!("child");
                        String::from("x").len() as u64 + (0..*x).into_par_iter().sum::<u64>()
                    };
                    assert_eq!(
                        processes::Pool::new(2).map(work, &[i, i + 1]),
                        [1 + i * i.saturating_sub(1) / 2, 1 + i * (i + 1) / 2]
                    );
                }
                stop.store(true, Ordering::Relaxed);
            });
            println!("\nend");
        },
    );
    let stdout = within(100, || outcome.finish().success());
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines.iter().all(|line| ["parent", "child", "", "end"].contains(line)));
    assert_eq!(lines.iter().filter(|line| **line == "child").count(), 300);
}

/// Whole lines, everything, once; on stderr, too; also of processes that die.
#[test]
fn what_children_print_comes_out_whole_and_once() {
    let outcome =
        child::spawn("what_children_print_comes_out_whole_and_once", On::NoKernel, || {
            print!("held back,");
            let talk = |&i: &usize| {
                for j in 0..100 {
                    print!("{i} ");
                    print!("says {j}");
                    println!(" to everybody");
                    eprintln!("{i} complains {j}");
                }
                if i % 2 == 1 {
                    println!("last words of {i}");
                    die(libc::SIGKILL);
                }
            };
            std::thread::scope(|scope| {
                scope.spawn(|| (0..1000).for_each(|j| println!("parent {j}")));
                assert_eq!(
                    processes::Pool::new(4)
                        .try_map(talk, &[0, 1, 2, 3])
                        .iter()
                        .filter(|result| result.is_ok())
                        .count(),
                    2
                );
            });
            PersistentPool::new(2).map(|_: &i32| print!("no end of line;"), &[0, 1]);
        });
    let outcome = within(100, || outcome.finish());
    assert!(outcome.status.success(), "{}", outcome.stderr);
    let mut expected: Vec<String> = (0..1000).map(|j| format!("parent {j}")).collect();
    expected
        .extend((0..4).flat_map(|i| (0..100).map(move |j| format!("{i} says {j} to everybody"))));
    expected.extend([1, 3].map(|i| format!("last words of {i}")));
    expected.push("no end of line;no end of line;".to_string());
    let mut lines: Vec<&str> = outcome.stdout.strip_prefix("held back,").unwrap().lines().collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    let mut complaints: Vec<String> =
        (0..4).flat_map(|i| (0..100).map(move |j| format!("{i} complains {j}"))).collect();
    let mut lines: Vec<&str> = outcome.stderr.lines().collect();
    lines.sort_unstable();
    complaints.sort_unstable();
    assert_eq!(lines, complaints);
}

#[test]
fn blocks_of_rich_output_stay_whole() {
    let outcome = child::spawn("blocks_of_rich_output_stay_whole", On::Stock, || {
        processes::Pool::new(4).map(
            |i| (0..50).for_each(|j| display(Html::new(format!("<b>\n{i} {j}\n</b>")))),
            &[0, 1, 2, 3],
        );
    });
    let stdout = within(60, || outcome.finish().success());
    let mut lines = stdout.lines();
    let mut blocks = 0;
    while let Some(line) = lines.next() {
        if line == "EVCXR_BEGIN_CONTENT text/html" {
            let block: Vec<&str> = lines.by_ref().take(4).collect();
            assert!(
                block[0] == "<b>" && block[2] == "</b>" && block[3] == "EVCXR_END_CONTENT",
                "{block:?}"
            );
            blocks += 1;
        }
    }
    assert_eq!(blocks, 200);
}

/// One panic, one message: nothing on stderr.
#[test]
fn panics_of_children_are_told_once() {
    let outcome = child::spawn("panics_of_children_are_told_once", On::NoKernel, || {
        let results = processes::Pool::new(2).try_map(
            |_| {
                if true {
                    panic!("on purpose")
                }
            },
            &[1, 2],
        );
        assert!(
            results.iter().all(|result| result
                .as_ref()
                .unwrap_err()
                .to_string()
                .contains("on purpose"))
        );
    });
    within(60, || outcome.finish().success());
}

/// In a notebook, the parent's hook would report to the kernel that the cell has panicked.
#[test]
fn panics_of_other_threads_of_children_are_text() {
    let outcome =
        child::spawn("panics_of_other_threads_of_children_are_text", On::NoKernel, || {
            std::panic::set_hook(Box::new(|_| std::process::abort()));
            let panics = |_: &i32| {
                std::thread::spawn(|| assert!(std::hint::black_box(false), "elsewhere"))
                    .join()
                    .is_err()
            };
            assert_eq!(processes::Pool::new(1).map(panics, &[1]), [true]);
        });
    let outcome = within(60, || outcome.finish());
    assert!(
        outcome.status.success()
            && outcome.stderr.contains("elsewhere")
            && outcome.stderr.lines().count() == 2,
        "{}",
        outcome.stderr
    );
}

#[test]
fn an_interrupt_ends_all_children() {
    let mut child = child::spawn("an_interrupt_ends_all_children", On::Parcourse, || {
        let (reader, writer) = std::io::pipe().unwrap();
        let sleepy = |_: &i32| {
            use std::io::Write;
            (&writer).write_all(&std::process::id().to_ne_bytes()).unwrap();
            std::thread::sleep(Duration::from_secs(3600));
        };
        child::say_when_protected();
        let start = Instant::now();
        let payload =
            catch_unwind(AssertUnwindSafe(|| processes::Pool::new(3).map(sleepy, &[0; 5])))
                .unwrap_err();
        assert!(
            payload.is::<interrupt::Interrupted>() && start.elapsed() < Duration::from_secs(20)
        );
        drop(writer);
        let mut pids = Vec::new();
        std::io::Read::read_to_end(&mut { reader }, &mut pids).unwrap();
        assert!(pids.as_chunks().0.iter().all(|pid| !exists(u32::from_ne_bytes(*pid))));
        assert_eq!(processes::Pool::new(3).map(|x| x + 1, &[1]), [2]);
        println!("survived");
    });
    child.wait_for("ready").interrupt();
    let outcome = within(60, || child.finish());
    assert!(
        outcome.status.success() && outcome.stdout.contains("survived"),
        "{}{}",
        outcome.stdout,
        outcome.stderr
    );
}

#[test]
fn an_interrupt_ends_persistent_processes_streams_and_futures() {
    let mut child = child::spawn(
        "an_interrupt_ends_persistent_processes_streams_and_futures",
        On::Parcourse,
        || {
            let pool = PersistentPool::new(2);
            let sleepy = |_: &i32| std::thread::sleep(Duration::from_secs(3600));
            let interrupted = |f: &dyn Fn()| {
                child::say_when_protected();
                let payload = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
                assert!(payload.is::<interrupt::Interrupted>());
                assert_eq!(pool.map(|x: &i32| x + 1, &[1, 2, 3]), [2, 3, 4]);
            };
            interrupted(&|| drop(pool.map(sleepy, &[0; 3])));
            interrupted(&|| {
                assert!(
                    pool.imap(|_: i32| std::thread::sleep(Duration::from_secs(3600)), 0..3)
                        .next()
                        .is_none()
                )
            });
            interrupted(&|| pool.submit(|| std::thread::sleep(Duration::from_secs(3600))).get());
            println!("survived");
        },
    );
    for _ in 0..3 {
        child.wait_for("ready").interrupt();
    }
    let outcome = within(60, || child.finish());
    assert!(
        outcome.status.success() && outcome.stdout.contains("survived"),
        "{}{}",
        outcome.stdout,
        outcome.stderr
    );
}

/// However the parent ends: here it has no chance to clean up. Children of all kinds and their
/// children, busy, idle and asleep.
#[test]
fn children_die_with_a_killed_parent() {
    let child = child::spawn("children_die_with_a_killed_parent", On::NoKernel, || {
        fn tell() {
            println!("pid {}", std::process::id());
        }
        let pool = PersistentPool::new(2);
        pool.pids().iter().for_each(|pid| println!("pid {pid}"));
        let _future = processes::Pool::new(1).submit(|| {
            tell();
            while std::hint::black_box(true) {}
        });
        let nested = |&i: &i32| {
            tell();
            let inner = |_: &i32| {
                tell();
                std::thread::sleep(Duration::from_secs(3600));
            };
            if i == 0 {
                processes::Pool::new(1).map(inner, &[0]);
            }
            // From a thread that soon ends.
            let thread =
                std::thread::spawn(move || processes::Pool::new(1).submit(move || inner(&0)));
            thread.join().unwrap().get();
        };
        let ending = std::thread::spawn(|| std::thread::sleep(Duration::from_secs(2)));
        std::thread::spawn(move || {
            ending.join().unwrap();
            die(libc::SIGKILL);
        });
        processes::Pool::new(2).map(nested, &[0, 1]);
    });
    let outcome = within(60, || child.finish());
    assert_eq!(outcome.signal(), Some(libc::SIGKILL));
    let pids: Vec<u32> =
        outcome.stdout.lines().filter_map(|line| line.strip_prefix("pid ")?.parse().ok()).collect();
    assert_eq!(pids.len(), 7, "{}", outcome.stdout);
    wait_until(|| !pids.iter().any(|&pid| exists(pid) && !is_zombie(pid)));
}

/// A process that its new parent has not waited for yet.
fn is_zombie(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z'))
}

/// Many ranges return as few messages, and a worker with many items returns those that turn out to
/// be slow.
#[test]
fn slow_items_behind_fast_ones_are_shared() {
    within(60, || {
        let items: Vec<u64> = (0..4000).collect();
        let pids = processes::Pool::new(2).map(
            |&i| {
                if i >= 3900 {
                    std::thread::sleep(Duration::from_millis(5));
                }
                std::process::id()
            },
            &items,
        );
        let last: std::collections::HashSet<u32> = pids[3900..].iter().copied().collect();
        assert_eq!(last.len(), 2);
    });
}

#[cfg(target_os = "linux")]
mod leaks {
    use super::*;

    fn descriptors() -> usize {
        std::fs::read_dir("/proc/self/fd").unwrap().count()
    }

    fn children() -> Vec<u32> {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let lists =
            tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        lists
            .flat_map(|list| {
                list.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<u32>>()
            })
            .collect()
    }

    #[test]
    fn a_thousand_pools_leave_nothing() {
        let outcome = child::spawn("leaks::a_thousand_pools_leave_nothing", On::NoKernel, || {
            let one = |i: usize| match i % 10 {
                0 => drop(catch_unwind(|| {
                    processes::Pool::new(2).map(|x| assert!(*x < 2), &[1, 2, 3])
                })),
                1 => drop(processes::Pool::new(2).try_map(
                    |x| if *x == 2 { die(libc::SIGKILL) } else { vec![*x; 100_000] },
                    &[1, 2, 3],
                )),
                2 => drop(PersistentPool::new(2).map(|x: &i32| x + 1, &[1, 2, 3])),
                3 => {
                    drop(processes::Pool::new(2).imap(|x| x + 1, 0..).take(5).collect::<Vec<i32>>())
                }
                4 => drop(processes::Pool::new(2).submit(|| 3).get()),
                _ => drop(processes::Pool::new(2).map(|x| x + 1, &[1, 2, 3])),
            };
            std::panic::set_hook(Box::new(|_| ()));
            (0..50).for_each(one);
            wait_until(|| children().is_empty());
            let before = (descriptors(), memory::resident().unwrap());
            (0..1000).for_each(one);
            wait_until(|| children().is_empty());
            wait_until(|| descriptors() == before.0);
            let growth = memory::resident().unwrap() - before.1;
            assert!(growth < 8.0, "{growth} MiB more than before");
        });
        within(200, || outcome.finish().success());
    }
}
