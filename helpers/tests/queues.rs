//! Queues and pipes between processes.
#![cfg(target_os = "linux")]
// Producers that are killed, or stopped by a full queue.
#![allow(clippy::infinite_iter)]

mod child;
mod fork;

use child::On;
use fork::{descriptors, fork, wait_until, within};
use parcourse::interrupt::{self, Interrupted};
use parcourse::ndarray::Array2;
use parcourse::processes::{Disconnected, Queue, SharedArray, SharedCounter, pipe};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::sleep;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(20);

/// Both kinds of queue: limited by the system, and by a number of values.
fn kinds<T: serde::Serialize + serde::de::DeserializeOwned + 'static>() -> [Queue<T>; 3] {
    [Queue::new(), Queue::bounded(1), Queue::bounded(7)]
}

use parcourse::serde;

#[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
#[serde(crate = "parcourse::serde")]
struct Order {
    cake: String,
    slices: Option<u8>,
}

#[test]
fn any_type_in_order() {
    let queue = Queue::new();
    queue.put(Order { cake: "plum".into(), slices: None });
    queue.put(Order { cake: String::new(), slices: Some(12) });
    assert_eq!(queue.get().cake, "plum");
    assert_eq!(queue.try_get(), Some(Order { cake: String::new(), slices: Some(12) }));
    assert_eq!(queue.try_get(), None);
    let nothing = Queue::new();
    nothing.put(());
    assert_eq!((nothing.try_get(), nothing.try_get()), (Some(()), None));
}

#[test]
fn messages_of_all_sizes() {
    within(60, || {
        let queue = Queue::new();
        let edge = 32 << 10;
        for len in [
            0,
            1,
            100,
            edge - 5,
            edge - 4,
            edge - 3,
            edge - 2,
            edge - 1,
            edge,
            edge + 1,
            1 << 20,
            10_000_000,
        ] {
            let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let child = fork(|| queue.put(bytes.clone()));
            assert!(queue.get() == bytes, "{len} bytes");
            child.join();
        }
        let floats: Vec<f64> = (0..1_250_000).map(f64::from).collect();
        let queue = Queue::new();
        queue.put(floats.clone());
        assert!(queue.get() == floats);
        // Not contiguous, not plain numbers, two dimensions.
        let texts: Vec<String> = (0..100_000).map(|i| format!("{i}")).collect();
        let queue = Queue::new();
        queue.put(texts.clone());
        assert!(queue.get() == texts);
        let queue = Queue::new();
        let array = Array2::from_shape_fn((300, 400), |(i, j)| (i * j) as f64);
        queue.put(array.clone());
        queue.put(array.clone().reversed_axes());
        assert!(queue.get() == array && queue.get() == array.t());
    });
}

#[test]
fn many_producers_and_consumers() {
    const VALUES: usize = 3000;
    within(60, || {
        for queue in kinds() {
            let seen = SharedArray::<u32>::zeros(3 * VALUES);
            let produce = |number| (0..VALUES).for_each(|i| queue.put(number * VALUES + i));
            let consume = || queue.iter().for_each(|i| _ = seen.add(i, 1));
            let consumers = [fork(consume), fork(consume)];
            let producers: Vec<_> = (0..3).map(|number| fork(move || produce(number))).collect();
            producers.into_iter().for_each(|child| child.join());
            queue.close();
            consumers.into_iter().for_each(|child| child.join());
            assert!(seen.iter().all(|times| times == 1));
            assert!(queue.is_empty());
        }
    });
}

#[test]
fn one_process_is_enough() {
    within(30, || {
        for queue in kinds() {
            let clone = queue.clone();
            let sum: u64 = std::thread::scope(|scope| {
                scope.spawn(move || (0..2000).for_each(|i| clone.put(i)));
                (0..2000).map(|_| queue.get()).sum()
            });
            assert_eq!(sum, 1_999_000);
        }
    });
}

#[test]
fn bounds_are_kept() {
    within(30, || {
        let (queue, put) = (Queue::bounded(3), SharedCounter::new(0));
        let producer = fork(|| {
            for i in 0..10 {
                queue.put(i);
                put.add(1);
            }
        });
        for i in 0..10 {
            wait_until("three values are there", || put.get() >= (i + 3).min(10));
            sleep(Duration::from_millis(2));
            assert_eq!(put.get(), (i + 3).min(10));
            assert_eq!(queue.get(), i);
        }
        producer.join();
        assert!(catch_unwind(|| Queue::<u8>::bounded(0)).is_err());
    });
}

#[test]
fn timeouts_are_kept() {
    for queue in kinds::<u8>() {
        let start = Instant::now();
        assert_eq!(queue.get_timeout(Duration::from_millis(50)), None);
        assert!(start.elapsed() >= Duration::from_millis(50));
        let child = fork(|| {
            sleep(Duration::from_millis(30));
            queue.put(1);
        });
        assert_eq!(queue.get_timeout(LONG), Some(1));
        child.join();
    }
    let (ours, theirs) = pipe::<u8>();
    assert_eq!(ours.recv_timeout(Duration::from_millis(20)), Ok(None));
    theirs.send(3).unwrap();
    assert_eq!(ours.recv_timeout(Duration::from_millis(20)), Ok(Some(3)));
}

#[test]
fn closed_queues_are_emptied() {
    within(30, || {
        for queue in kinds() {
            queue.put(1);
            fork(|| queue.close()).join();
            assert!(catch_unwind(AssertUnwindSafe(|| queue.put(2))).is_err());
            assert_eq!(queue.iter().collect::<Vec<_>>(), [1]);
            assert_eq!((queue.try_get(), queue.get_timeout(LONG)), (None, None));
            assert!(catch_unwind(AssertUnwindSafe(|| queue.get())).is_err());
        }
        // A process that waits for room is woken.
        let queue = Queue::bounded(1);
        queue.put(1);
        let producer = fork(|| assert!(catch_unwind(AssertUnwindSafe(|| queue.put(2))).is_err()));
        sleep(Duration::from_millis(30));
        queue.close();
        producer.join();
    });
}

/// Each time at another moment of a put or a get. What arrives must be whole and in order.
#[test]
fn killed_processes_leave_the_queue_whole() {
    within(60, || {
        for queue in kinds() {
            for round in 0..40u64 {
                let long = if round % 4 == 0 { 40_000 } else { 5 };
                let producer = fork(|| (0..).for_each(|i: usize| queue.put(vec![i; long])));
                let consumer = fork(|| {
                    queue.iter().for_each(|values| assert_eq!(values, vec![values[0]; long]))
                });
                let mut last = queue.get();
                sleep(Duration::from_micros(round * 53 % 1000));
                producer.kill();
                consumer.kill();
                while let Some(values) = queue.try_get() {
                    assert_eq!(values, vec![values[0]; long]);
                    assert!(values[0] > last[0]);
                    last = values;
                }
                // Nothing is blocked, and a bounded queue has all its room.
                queue.put(vec![0]);
                assert_eq!(queue.get(), [0]);
            }
        }
    });
}

#[test]
fn bounded_queue_has_all_its_places_after_a_kill() {
    within(30, || {
        let queue = Queue::bounded(5);
        for _ in 0..20 {
            let consumer = fork(|| queue.iter().for_each(drop));
            (0..200).for_each(|i| queue.put(i));
            consumer.kill();
            queue.try_get();
            while queue.try_get().is_some() {}
            (0..5).for_each(|i| queue.put(i));
            assert_eq!([(); 5].map(|()| queue.get()), [0, 1, 2, 3, 4]);
        }
    });
}

#[track_caller]
fn assert_interrupted(test: &str, operation: impl FnOnce()) {
    let body = || {
        let result = catch_unwind(AssertUnwindSafe(|| {
            interrupt::scope(|| {
                println!("ready");
                operation();
            })
        }));
        println!("interrupted: {}", result.is_err_and(|payload| payload.is::<Interrupted>()));
    };
    let mut child = child::spawn(test, On::Parcourse, body);
    child.wait_for("ready").interrupt();
    assert!(child.finish().success().ends_with("interrupted: true\n"));
}

#[test]
fn get_is_interrupted() {
    assert_interrupted("get_is_interrupted", || _ = Queue::<u8>::new().get());
}

#[test]
fn put_is_interrupted() {
    assert_interrupted("put_is_interrupted", || {
        let queue = Queue::new();
        (0..).for_each(|i: u64| queue.put(i));
    });
}

#[test]
fn bounded_put_is_interrupted() {
    assert_interrupted("bounded_put_is_interrupted", || {
        let queue = Queue::bounded(2);
        (0..).for_each(|i: u64| queue.put(i));
    });
}

#[test]
fn recv_is_interrupted() {
    assert_interrupted("recv_is_interrupted", || {
        let (ours, _theirs) = pipe::<u8>();
        let _ = ours.recv();
    });
}

#[test]
fn pipes_go_both_ways() {
    within(30, || {
        let (parent, child) = pipe::<Vec<f64>>();
        let process = fork(|| {
            while let Ok(mut values) = child.recv() {
                values.push(0.5);
                child.send(values).unwrap();
            }
        });
        for len in [0, 1, 10_000, 200_000] {
            parent.send(vec![1.5; len]).unwrap();
            let answer = parent.recv().unwrap();
            assert_eq!((answer.len(), answer[len]), (len + 1, 0.5));
        }
        // The child gets to the end of its loop.
        drop(parent);
        process.join();
    });
}

#[test]
fn both_ends_in_one_process() {
    let (left, right) = pipe();
    left.send(1).unwrap();
    right.send(2).unwrap();
    assert_eq!((left.recv(), right.recv()), (Ok(2), Ok(1)));
    left.send(3).unwrap();
    drop(left);
    assert_eq!((right.recv(), right.recv()), (Ok(3), Err(Disconnected)));
    assert_eq!(right.send(4), Err(Disconnected));
}

/// Both ends are in a child that closes neither, as with `map`'s closure.
#[test]
fn end_of_a_process_is_the_end_of_its_end() {
    within(30, || {
        for killed in [false, true] {
            let (parent, child) = pipe();
            let process = fork(|| {
                child.send(1).unwrap();
                if killed {
                    sleep(LONG);
                }
            });
            assert_eq!(parent.recv(), Ok(1));
            if killed {
                process.kill()
            } else {
                process.join()
            }
            assert_eq!(parent.recv(), Err(Disconnected));
            // A large one, too: its descriptor must not get lost.
            assert_eq!(parent.send(2), Err(Disconnected));
        }
    });
}

/// The parent keeps its own copy of the child's end until the child uses it.
#[test]
fn child_that_ends_while_the_parent_waits() {
    within(30, || {
        let (parent, child) = pipe::<u8>();
        let process = fork(|| _ = child.recv_timeout(Duration::from_millis(50)));
        assert_eq!(parent.recv(), Err(Disconnected));
        process.join();
        // Never used its end; the parent has dropped its own copy.
        let (parent, child) = pipe::<u8>();
        let process = fork(|| ());
        drop(child);
        assert_eq!(parent.recv(), Err(Disconnected));
        process.join();
    });
}

#[test]
fn two_children_talk() {
    within(30, || {
        let (left, right) = pipe();
        let first = fork(|| {
            left.send(20).unwrap();
            assert_eq!(left.recv(), Ok(21));
            assert_eq!(left.recv(), Err(Disconnected));
        });
        let second = fork(|| right.send(right.recv().unwrap() + 1).unwrap());
        drop((left, right));
        second.join();
        first.join();
    });
}

#[test]
fn senders_wait_for_slow_receivers() {
    within(30, || {
        let (parent, child) = pipe();
        let process = fork(|| (0..5000).for_each(|i| child.send(i).unwrap()));
        sleep(Duration::from_millis(20));
        (0..5000).for_each(|i| assert_eq!(parent.recv(), Ok(i)));
        process.join();
    });
}

#[test]
fn no_descriptor_leaks() {
    let body = || {
        let round = |_| {
            let queue = Queue::bounded(3);
            queue.put(vec![0u8; 100_000]);
            queue.put(vec![0u8; 100_000]);
            queue.get();
            let (left, right) = pipe();
            left.send(vec![0u8; 100_000]).unwrap();
            right.recv().unwrap();
            left.send(vec![0u8; 100_000]).unwrap();
        };
        round(0);
        let before = descriptors();
        (1..1000).for_each(round);
        println!("{}", descriptors() == before);
    };
    assert_eq!(
        child::spawn("no_descriptor_leaks", On::NoKernel, body).finish().success(),
        "true\n"
    );
}
