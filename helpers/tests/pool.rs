//! `Pool::map` against its serial twin, and what makes it parallel: thread identities and overlap, never absolute times.

use parcourse::prelude::*;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;

/// Waits until so many threads are here at the same time; false if they do not come.
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
        let (_guard, timeout) = self.arrival.wait_timeout_while(present, Duration::from_secs(20), |present| *present < number).unwrap();
        !timeout.timed_out()
    }
}

/// A pseudo-random sequence (Knuth's linear congruential generator), the same in every run.
fn numbers(length: usize) -> Vec<u64> {
    let step = |x: &u64| Some(x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407));
    std::iter::successors(Some(42), step).take(length).collect()
}

/// Takes longer for some items than for others.
fn collatz_steps(start: &u64) -> u32 {
    let mut x = start >> 20;
    let mut steps = 0;
    while x > 1 && steps < 10_000 {
        x = if x.is_multiple_of(2) { x / 2 } else { x.wrapping_mul(3).wrapping_add(1) };
        steps += 1;
    }
    steps
}

#[track_caller]
fn panic_message(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("should have panicked");
    let message = payload.downcast_ref::<String>().expect("a formatted message");
    // The place is tested by `one_panic_is_one_message`.
    message.split(" (at ").next().unwrap().to_string()
}

#[test]
fn agrees_with_its_serial_twin_at_every_size() {
    for num_threads in 1..=4 {
        for length in [0, 1, num_threads - 1, num_threads, num_threads + 1, 100, 1001] {
            let items = numbers(length);
            let parallel = Pool::new(num_threads).map(collatz_steps, &items);
            assert_eq!(parallel, map(collatz_steps, &items), "{length} items on {num_threads} threads");
        }
    }
}

/// Three tasks that wait for one another can only end when all three run at once, however few cores there are.
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
    let counts: Vec<AtomicUsize> = std::iter::repeat_with(|| AtomicUsize::new(0)).take(5000).collect();
    let items: Vec<usize> = (0..counts.len()).collect();
    Pool::new(4).map(|&index| counts[index].fetch_add(1, Ordering::Relaxed), &items);
    assert!(counts.into_iter().all(|count| count.into_inner() == 1));
}

/// All four inner tasks meet: a pool in a pool has threads of its own, and waiting for it blocks nobody.
#[test]
fn pools_nest() {
    let meeting = Meeting::new();
    let row = |&y: &u32| Pool::new(2).map(|&x| meeting.wait_for(4).then_some(10 * y + x), &[1, 2]);
    let expected = vec![vec![Some(11), Some(12)], vec![Some(21), Some(22)]];
    assert_eq!(Pool::new(2).map(row, &[1, 2]), expected);
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

/// What is in work when a panic happens is finished, what was not begun is left out, and nothing leaks.
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

/// The panic's place is the line that called `map`, which in a notebook is the learner's cell.
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
fn default_pool_uses_the_usable_cores() {
    assert_eq!(Pool::default().num_threads(), cores().usable);
    assert_eq!(format!("{:?}", Pool::new(3)), "Pool { num_threads: 3 }");
}

#[test]
#[should_panic(expected = "a pool needs at least one thread")]
fn pool_of_nobody_is_refused() {
    let _ = Pool::new(0);
}
