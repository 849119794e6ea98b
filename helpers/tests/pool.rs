//! `Pool::map` against its serial twin, and what makes it parallel: thread identities and overlap,
//! never absolute times.

mod work;

use parcourse::prelude::*;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use work::{collatz_steps, numbers};

/// Waits until this many threads are here at the same time; returns false if they do not come.
struct Meeting {
    present: Mutex<usize>,
    arrival: Condvar,
}

impl Meeting {
    fn new() -> Meeting {
        Meeting { present: Mutex::new(0), arrival: Condvar::new() }
    }

    fn wait_for(&self, number: usize) -> bool {
        let mut present = self.present.lock().unwrap();
        *present += 1;
        self.arrival.notify_all();
        let (_guard, timeout) = self
            .arrival
            .wait_timeout_while(present, Duration::from_secs(20), |present| *present < number)
            .unwrap();
        !timeout.timed_out()
    }
}

/// The result of `f`; fails instead of hanging.
#[track_caller]
fn within_a_minute<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || sender.send(f()));
    receiver.recv_timeout(Duration::from_secs(60)).expect("a result within a minute")
}

#[track_caller]
fn panic_message(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("should have panicked");
    let message = payload.downcast_ref::<String>().expect("a formatted message");
    // The location is tested by `one_panic_is_one_message`.
    message.split(" (at ").next().unwrap().to_string()
}

#[test]
fn agrees_with_its_serial_twin_at_every_size() {
    for num_threads in 1..=8 {
        let pool = Pool::new(num_threads);
        for length in [0, 1, num_threads - 1, num_threads, num_threads + 1, 100, 1001, 10_000] {
            let items = numbers(length);
            let serial = map(collatz_steps, &items);
            let indexed = |index: usize, x: &u64| (index, collatz_steps(x));
            let in_chunks = pool.clone().chunk_size(7);
            let what = format!("{length} items on {num_threads} threads");
            assert_eq!(pool.map(collatz_steps, &items), serial, "{what}");
            assert_eq!(in_chunks.map(collatz_steps, &items), serial, "{what}");
            assert_eq!(
                pool.map_indexed(indexed, &items),
                serial.iter().copied().enumerate().collect::<Vec<_>>(),
                "{what}"
            );
            assert_eq!(
                pool.try_map(collatz_steps, &items)
                    .into_iter()
                    .collect::<Result<Vec<_>, _>>()
                    .as_ref(),
                Ok(&serial),
                "{what}"
            );
        }
    }
}

/// The iterators, too; with fewer sizes, because items are submitted one by one at first.
#[test]
fn iterators_agree_with_the_serial_twin() {
    for num_threads in 1..=8 {
        let pool = Pool::new(num_threads);
        for length in [0, 1, num_threads - 1, num_threads, num_threads + 1, 100, 5000] {
            let items = numbers(length);
            let serial = map(collatz_steps, &items);
            let what = format!("{length} items on {num_threads} threads");
            for pool in [pool.clone(), pool.clone().chunk_size(3)] {
                assert_eq!(
                    pool.imap(|x| collatz_steps(&x), items.clone()).collect::<Vec<_>>(),
                    serial,
                    "{what}"
                );
                let mut unordered: Vec<_> =
                    pool.imap_unordered(|x| collatz_steps(&x), items.clone()).collect();
                unordered.sort_unstable_by_key(|(index, _)| *index);
                assert_eq!(
                    unordered,
                    serial.iter().copied().enumerate().collect::<Vec<_>>(),
                    "{what}"
                );
            }
        }
    }
}

#[test]
fn functions_of_several_parameters() {
    let pool = Pool::new(2);
    assert_eq!(pool.starmap(u64::pow, &[(2, 5), (3, 2)]), [32, 9]);
    assert_eq!(pool.starmap(|a, b, c| a + b * c, &[(1, 2, 3), (4, 5, 6)]), [7, 34]);
    assert_eq!(
        pool.starmap(
            |a: i32, b: String, c, d, e, f| format!("{a}{b}{c}{d}{e}{f}"),
            &[(1, "2".to_string(), 3, 4, 5, 6)]
        ),
        ["123456"]
    );
    let message = panic_message(|| drop(pool.starmap(|a: i32, b: i32| a / b, &[(1, 1), (1, 0)])));
    assert_eq!(message, "the function panicked on items[1] = (1, 0): attempt to divide by zero");
}

/// Tasks that wait are taken one by one, even after thousands of short ones: no thread keeps a
/// chunk of them.
#[test]
fn slow_items_behind_fast_ones_are_shared() {
    let items: Vec<usize> = (0..20_000).collect();
    let threads = Pool::new(4).map(
        |&index| {
            if index >= items.len() - 40 {
                thread::sleep(Duration::from_millis(2));
            }
            thread::current().id()
        },
        &items,
    );
    let mut slow: HashMap<_, usize> = HashMap::new();
    threads[items.len() - 40..].iter().for_each(|id| *slow.entry(id).or_default() += 1);
    assert!(slow.len() == 4 && slow.values().all(|&number| number <= 30), "{slow:?}");
}

/// The threads stay: a second `map` finds the same ones.
#[test]
fn threads_stay_between_calls() {
    let pool = Pool::new(3);
    let identities = || {
        let meeting = Meeting::new();
        let identity = |_: &i32| {
            meeting.wait_for(3);
            (thread::current().id(), thread::current().name().map(str::to_string))
        };
        pool.map(identity, &[0; 3]).into_iter().collect::<HashSet<_>>()
    };
    let first = identities();
    assert_eq!(first.len(), 3);
    assert_eq!(first, identities());
    let names: HashSet<_> = first.into_iter().filter_map(|(_, name)| name).collect();
    assert_eq!(names, HashSet::from(["pool-0", "pool-1", "pool-2"].map(str::to_string)));
}

/// Three tasks that wait for each other can only end if all three run at once, however few cores
/// there are.
#[test]
fn three_threads_are_three_at_once() {
    let meeting = Meeting::new();
    let met = Pool::new(3).map(|_| meeting.wait_for(3), &["computer", "thesis", "mom"]);
    assert_eq!(met, [true, true, true]);
}

#[test]
fn works_on_threads_of_its_own() {
    let meeting = Meeting::new();
    let identity = |_: &i32| {
        meeting.wait_for(4);
        thread::current().id()
    };
    let threads: HashSet<_> = Pool::new(4).map(identity, &[0; 4]).into_iter().collect();
    assert_eq!(threads.len(), 4);
    assert!(!threads.contains(&thread::current().id()));
    let of_one = Pool::new(1).map(|_| thread::current().id(), &[0; 5]);
    assert_eq!(HashSet::<_>::from_iter(of_one).len(), 1);
}

#[test]
fn never_more_threads_than_asked_for() {
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    Pool::new(3).map(
        |_| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(1));
            running.fetch_sub(1, Ordering::SeqCst);
        },
        &[0; 60],
    );
    assert!(most.into_inner() <= 3);
}

#[test]
fn every_item_is_done_once() {
    let counts: Vec<AtomicUsize> =
        std::iter::repeat_with(|| AtomicUsize::new(0)).take(5000).collect();
    let items: Vec<usize> = (0..counts.len()).collect();
    Pool::new(4).map(|&index| counts[index].fetch_add(1, Ordering::Relaxed), &items);
    assert!(counts.into_iter().all(|count| count.into_inner() == 1));
}

/// All four inner tasks meet: a pool inside a pool has threads of its own, and waiting for it
/// blocks no other thread.
#[test]
fn pools_nest() {
    let meeting = Meeting::new();
    let row = |&y: &u32| Pool::new(2).map(|&x| meeting.wait_for(4).then_some(10 * y + x), &[1, 2]);
    let expected = vec![vec![Some(11), Some(12)], vec![Some(21), Some(22)]];
    assert_eq!(Pool::new(2).map(row, &[1, 2]), expected);
}

/// A pool inside itself, three deep: the threads that wait do the inner work.
#[test]
fn pool_in_itself_ends() {
    for num_threads in 1..=3 {
        let pool = Pool::new(num_threads);
        let ends = within_a_minute(move || {
            let sum = |x: &u64, y: &u64| {
                pool.map(|z| 100 * x + 10 * y + z, &[1, 2, 3]).iter().sum::<u64>()
            };
            let row = |x: &u64| pool.map(|y| sum(x, y), &[1, 2, 3]).iter().sum::<u64>();
            pool.map(row, &[1, 2, 3]).iter().sum::<u64>()
        });
        assert_eq!(ends, 27 * 222);
    }
}

/// Two pools that call each other, one thread each: the thread that waits for the other works for
/// its own.
#[test]
fn pools_that_call_each_other_end() {
    let (a, b) = (Pool::new(1), Pool::new(1));
    let ends = within_a_minute(move || {
        let inner = |x: &u64| a.map(|y| x + y, &[1, 2]).iter().sum::<u64>();
        let middle = |x: &u64| b.map(|y| inner(&(x + y)), &[10, 20]).iter().sum::<u64>();
        a.map(middle, &[100, 200]).iter().sum::<u64>()
    });
    assert_eq!(ends, (111 + 112 + 121 + 122) + (211 + 212 + 221 + 222));
}

/// rayon inside the pool inside rayon: no thread waits without working.
#[test]
fn pools_and_rayon_nest() {
    let pool = Pool::new(2);
    let ends = within_a_minute(move || {
        let inner = |x: u64| {
            pool.map(|y| (0..100).into_par_iter().map(|z| x + y + z).sum::<u64>(), &[1, 2])
                .iter()
                .sum::<u64>()
        };
        (0..64u64).into_par_iter().map(inner).sum::<u64>()
    });
    assert_eq!(ends, (0..64u64).map(|x| 2 * 4950 + 200 * x + 300).sum::<u64>());
}

#[test]
fn several_threads_may_use_one_pool() {
    let pool = Pool::new(2);
    let items = numbers(2000);
    let serial = map(collatz_steps, &items);
    thread::scope(|scope| {
        let users: Vec<_> =
            (0..4).map(|_| scope.spawn(|| pool.map(collatz_steps, &items))).collect();
        users.into_iter().for_each(|user| assert_eq!(user.join().unwrap(), serial));
    });
}

#[test]
fn function_and_results_may_borrow() {
    let suffix = String::from("!");
    let words = vec![String::from(" computer "), String::from(" mom ")];
    let shouted = Pool::new(2).map(|word| word.to_uppercase() + &suffix, &words);
    assert_eq!(shouted, [" COMPUTER !", " MOM !"]);
    let trimmed: Vec<&str> = Pool::new(2).map(|word| word.trim(), &words);
    assert_eq!(trimmed, ["computer", "mom"]);
}

#[test]
fn panic_names_the_item() {
    let words = ["computer", "thesis", "mom"];
    let letter = |word: &&str| word.chars().nth(4).expect("fifth letter");
    let message = panic_message(|| drop(Pool::new(2).map(letter, &words)));
    assert_eq!(message, "the function panicked on items[2] = \"mom\": fifth letter");
}

#[test]
fn panic_of_the_smallest_index_is_reported() {
    let meeting = Meeting::new();
    // Both panic, and neither before the other has begun.
    let message = panic_message(|| {
        Pool::new(2).map(
            |x: &i32| {
                meeting.wait_for(2);
                panic!("no {x}");
            },
            &[7, 8],
        );
    });
    assert_eq!(message, "the function panicked on items[0] = 7: no 7");
}

/// The items that run when a panic happens are finished, items that were not begun are skipped, and
/// nothing leaks.
#[test]
fn panic_ends_the_work_and_drops_the_results() {
    static ALIVE: AtomicUsize = AtomicUsize::new(0);
    #[derive(Debug)]
    struct Counted;
    impl Counted {
        fn new() -> Counted {
            ALIVE.fetch_add(1, Ordering::SeqCst);
            Counted
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            ALIVE.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let begun = AtomicUsize::new(0);
    let items: Vec<usize> = (0..100_000).collect();
    let f = |&index: &usize| {
        begun.fetch_add(1, Ordering::SeqCst);
        assert!(index != 100, "that one");
        thread::sleep(Duration::from_micros(50));
        Counted::new()
    };
    let message = panic_message(|| drop(Pool::new(3).map(f, &items)));
    assert_eq!(message, "the function panicked on items[100] = 100: that one");
    assert!(begun.into_inner() < items.len());
    assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
}

/// The panic's location is the line that called `map`, which in a notebook is the learner's cell.
#[test]
fn panic_points_to_the_caller() {
    static PLACE: Mutex<Option<(String, u32)>> = Mutex::new(None);
    let ours = thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if thread::current().id() == ours {
            let place = info.location().unwrap();
            *PLACE.lock().unwrap() = Some((place.file().to_string(), place.line()));
        }
        before(info);
    }));
    let line = line!() + 1;
    let _ = catch_unwind(|| Pool::new(2).map(|x: &i32| 1 / (x - 1), &[0, 1, 2]));
    assert_eq!(*PLACE.lock().unwrap(), Some((file!().to_string(), line)));
}

#[test]
fn pool_is_usable_after_a_panic() {
    let pool = Pool::new(2);
    let _ = catch_unwind(|| pool.map(|x: &i32| 1 / x, &[0]));
    assert_eq!(pool.map(|x| 6 / x, &[1, 2, 3]), [6, 3, 2]);
}

#[test]
fn try_map_has_a_result_or_a_reason_for_every_item() {
    let items: Vec<i32> = (0..1000).collect();
    for pool in [Pool::new(1), Pool::new(3), Pool::new(3).chunk_size(64)] {
        let results = pool.try_map(|x| 1000 / (x % 10), &items);
        assert_eq!(results.len(), items.len());
        for (index, result) in results.into_iter().enumerate() {
            match result {
                Ok(value) => assert_eq!(value, 1000 / (index as i32 % 10)),
                Err(failure) => {
                    assert!(
                        index.is_multiple_of(10)
                            && failure.index == index
                            && failure.item == index.to_string(),
                        "{failure}"
                    );
                    assert!(
                        failure.to_string().contains("attempt to divide by zero (at "),
                        "{failure}"
                    );
                }
            }
        }
    }
}

/// The item is named even if it fails in the middle of a chunk.
#[test]
fn panic_in_a_chunk_names_its_item() {
    let items: Vec<u32> = (0..100_000).collect();
    for pool in [Pool::new(3), Pool::new(3).chunk_size(1000)] {
        let message =
            panic_message(|| drop(pool.map(|&x| assert!(x != 54_321, "that one"), &items)));
        assert_eq!(message, "the function panicked on items[54321] = 54321: that one");
    }
}

#[test]
fn rayon_uses_as_many_threads_as_said() {
    for number in [1, 2, 5] {
        let seen = Mutex::new(HashSet::new());
        let count = threads::with_num_threads(number, || {
            let meeting = Meeting::new();
            rayon::broadcast(|_| {
                meeting.wait_for(number);
                seen.lock().unwrap().insert(thread::current().id());
            });
            rayon::current_num_threads()
        });
        assert_eq!((count, seen.into_inner().unwrap().len()), (number, number));
    }
}

#[test]
fn default_pool_uses_the_usable_cores() {
    assert_eq!(Pool::default().num_threads(), cores().usable);
    assert_eq!(format!("{:?}", Pool::new(3)), "Pool { num_threads: 3 }");
}

#[test]
#[should_panic(expected = "a pool needs at least one thread")]
fn pool_of_nobody_is_refused() {
    let _ = Pool::new(0);
}
