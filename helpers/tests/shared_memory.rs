//! Memory that processes share: arrays, counters, locks, and how pages are mapped.
#![cfg(target_os = "linux")]

mod child;
mod fork;

use child::On;
use fork::{descriptors, fork, wait_until, within};
use parcourse::interrupt::Interrupted;
use parcourse::processes::{
    Page, Pages, Pool, SharedArray, SharedCounter, SharedMutex, page_map, pages,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A name that no other test, and no other run of this one, uses.
fn name(of: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{of} {} {}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn children_write_what_the_parent_reads() {
    let shared = SharedArray::from([1, 2, 3]);
    let mut plain = vec![1, 2, 3];
    fork(|| {
        assert_eq!(shared.to_vec(), [1, 2, 3]);
        shared.set(1, 20);
        plain[1] = 20;
    })
    .join();
    assert_eq!(shared.to_vec(), [1, 20, 3]);
    assert_eq!(plain, [1, 2, 3]);
}

#[test]
fn parents_write_what_children_read() {
    let shared = SharedArray::<bool>::zeros(2);
    let child = fork(|| {
        wait_until("the parent's question", || shared.get(0));
        shared.set(1, true);
    });
    shared.set(0, true);
    wait_until("the child's answer", || shared.get(1));
    child.join();
}

#[test]
fn lengths_around_the_size_of_a_page() {
    for len in [0, 1, 2, 511, 512, 513, 1024] {
        let array = SharedArray::<f64>::zeros(len);
        assert_eq!((array.len(), array.is_empty()), (len, len == 0));
        assert_eq!(array.to_vec(), vec![0.0; len]);
        array.fill(0.5);
        fork(|| (0..len).for_each(|i| _ = array.add(i, i as f64))).join();
        let expected: Vec<f64> = (0..len).map(|i| i as f64 + 0.5).collect();
        assert_eq!(array.iter().collect::<Vec<_>>(), expected);
        assert_eq!(SharedArray::from(&expected).to_vec(), expected);
    }
}

#[test]
fn all_types_of_numbers() {
    macro_rules! check {
        ($($number:ty)*) => {$({
            let array = SharedArray::<$number>::from([1 as $number, 100 as $number]);
            assert_eq!(array.add(1, 3 as $number), 100 as $number);
            assert_eq!(array.update(0, |x| x * (2 as $number)), 1 as $number);
            assert_eq!(array.to_vec(), [2 as $number, 103 as $number]);
        })*};
    }
    check!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize f32 f64);
    assert_eq!(SharedArray::from([u8::MAX]).add(0, 2), u8::MAX);
    assert_eq!(format!("{:?}", SharedArray::from([true, false])), "[true, false]");
}

#[test]
fn indices_out_of_range_are_told() {
    let array = SharedArray::<f64>::zeros(3);
    let payload = catch_unwind(AssertUnwindSafe(|| array.get(3))).unwrap_err();
    assert_eq!(payload.downcast_ref::<String>().unwrap(), "no element 3 in a shared array of 3");
    assert!(catch_unwind(|| SharedArray::<f64>::zeros(usize::MAX)).is_err());
    assert!(catch_unwind(|| SharedArray::<f64>::zeros(isize::MAX as usize / 8)).is_err());
}

#[test]
fn sums_of_many_processes_are_exact() {
    const PROCESSES: usize = 4;
    const TIMES: usize = 20_000;
    let integers = SharedArray::<u32>::zeros(2);
    let floats = SharedArray::<f64>::zeros(2);
    let singles = SharedArray::<f32>::zeros(1);
    let counter = SharedCounter::new(5);
    let locked = SharedMutex::new((0u64, 0.0));
    let seen = SharedArray::<u8>::zeros(PROCESSES * TIMES);
    let work = || {
        for i in 0..TIMES {
            integers.add(i % 2, 1);
            floats.add(i % 2, 0.5);
            singles.add(0, 1.0);
            // Every value is returned once.
            seen.add(counter.add(1) as usize - 5, 1);
            let mut pair = locked.lock().unwrap();
            *pair = (pair.0 + 1, pair.1 + 0.25);
        }
    };
    let children: Vec<_> = (0..PROCESSES).map(|_| fork(work)).collect();
    children.into_iter().for_each(|child| child.join());
    let all = PROCESSES * TIMES;
    assert_eq!(integers.to_vec(), [all as u32 / 2; 2]);
    assert_eq!(floats.to_vec(), [all as f64 / 4.0; 2]);
    assert_eq!(singles.get(0), all as f32);
    assert_eq!(counter.get(), all as i64 + 5);
    assert!(seen.iter().all(|times| times == 1));
    assert_eq!(*locked.lock().unwrap(), (all as u64, all as f64 / 4.0));
}

#[test]
fn threads_share_too() {
    let (floats, locked) = (SharedArray::<f64>::zeros(1), SharedMutex::new([0i32; 3]));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    floats.add(0, 1.0);
                    locked.lock().unwrap()[1] += 1;
                }
            });
        }
    });
    assert_eq!((floats.get(0), *locked.lock().unwrap()), (30_000.0, [0, 30_000, 0]));
}

#[test]
fn clones_are_the_same_memory() {
    let array = SharedArray::from([1.5]);
    let clone = array.clone();
    drop(array);
    fork(|| clone.set(0, 2.5)).join();
    assert_eq!(clone.get(0), 2.5);
    let mutex = SharedMutex::new(1u8);
    *mutex.clone().lock().unwrap() = 2;
    assert_eq!(*mutex.lock().unwrap(), 2);
}

#[test]
fn lock_of_a_killed_process_is_noticed() {
    within(30, || {
        let (mutex, has_it) = (SharedMutex::new((1, 1)), SharedArray::<bool>::zeros(1));
        let holder = fork(|| {
            let mut pair = mutex.lock().unwrap();
            pair.0 = 2;
            has_it.set(0, true);
            std::thread::sleep(Duration::from_secs(60));
            pair.1 = 2;
        });
        wait_until("the child has the lock", || has_it.get(0));
        assert!(mutex.try_lock().is_none());
        assert_eq!(format!("{mutex:?}"), "SharedMutex { value: (locked) }");
        // Another one waits for it meanwhile, and must be woken.
        let waiting = fork(|| assert!(mutex.lock().is_err()));
        std::thread::sleep(Duration::from_millis(30));
        let pid = holder.0 as u32;
        holder.kill();
        waiting.join();
        let poisoned = mutex.lock().unwrap_err();
        assert_eq!(poisoned.pid(), pid);
        let text = format!(
            "process {pid} died or panicked while it held the lock: what the lock guards may be \
             half changed"
        );
        assert_eq!((poisoned.to_string(), format!("{poisoned:?}")), (text.clone(), text));
        drop(poisoned);
        // It is reported until the value has been looked at.
        assert!(mutex.try_lock().unwrap().is_err());
        {
            let mut pair = mutex.lock().unwrap_err().into_inner();
            assert_eq!(*pair, (2, 1));
            *pair = (2, 2);
        }
        assert_eq!(*mutex.lock().unwrap(), (2, 2));
        assert_eq!(format!("{mutex:?}"), "SharedMutex { value: (2, 2) }");
    });
}

#[test]
fn lock_of_a_panic_is_noticed() {
    let mutex = SharedMutex::new(1);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _guard = mutex.lock().unwrap();
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(result.is_err());
    assert_eq!(mutex.lock().unwrap_err().pid(), process::id());
}

#[test]
fn nobody_waits_for_itself() {
    let mutex = SharedMutex::new(1);
    let _guard = mutex.lock().unwrap();
    let payload = catch_unwind(AssertUnwindSafe(|| drop(mutex.lock()))).unwrap_err();
    assert!(
        payload.downcast_ref::<&str>().unwrap().starts_with("this thread has the lock already")
    );
}

/// A leaked guard would leave a pointer to unmapped memory in the list that the system walks when
/// the thread ends.
#[test]
fn leaked_guards_do_no_harm() {
    std::thread::spawn(|| {
        let mutex = SharedMutex::new(1);
        std::mem::forget(mutex.lock());
        drop(mutex);
    })
    .join()
    .unwrap();
}

#[test]
fn waiting_for_a_lock_is_interrupted() {
    let body = || {
        let (mutex, has_it) = (SharedMutex::new(1), SharedArray::<bool>::zeros(1));
        let holder = fork(|| {
            let _guard = mutex.lock().unwrap();
            has_it.set(0, true);
            std::thread::sleep(Duration::from_secs(60));
        });
        wait_until("the child has the lock", || has_it.get(0));
        let result = parcourse::interrupt::scope(|| {
            println!("ready");
            catch_unwind(AssertUnwindSafe(|| drop(mutex.lock())))
        });
        println!("interrupted: {}", result.is_err_and(|payload| payload.is::<Interrupted>()));
        holder.kill();
    };
    let mut child = child::spawn("waiting_for_a_lock_is_interrupted", On::Parcourse, || {
        // The scope around it unwinds, too.
        let _ = catch_unwind(AssertUnwindSafe(body));
    });
    child.wait_for("ready").interrupt();
    assert!(child.finish().success().contains("\"interrupted\""));
}

#[test]
fn arrays_are_found_by_name() {
    let name = name("found: by (name)");
    let ours = SharedArray::<f32>::create(&name, 3).unwrap();
    let theirs = SharedArray::<f32>::attach(&name).unwrap();
    assert_ne!(ours.as_ptr(), theirs.as_ptr());
    theirs.set(2, 7.0);
    assert_eq!(ours.to_vec(), [0.0, 0.0, 7.0]);
    drop(ours);
    // As long as one process has it.
    assert_eq!(SharedArray::<f32>::attach(&name).unwrap().get(2), 7.0);
    drop(theirs);
    // A child that another test has forked meanwhile has it, too, until it ends.
    wait_until("the array is gone", || SharedArray::<f32>::attach(&name).is_err());
    assert_eq!(SharedArray::<f32>::create(&name, 0).unwrap().len(), 0);
}

#[test]
fn errors_of_names_say_what_is_wrong() {
    let text = |error: parcourse::processes::Error| error.to_string();
    let name = name("wrong");
    let error = text(SharedArray::<f64>::attach(&name).unwrap_err());
    assert_eq!(
        error,
        format!(
            "failed to attach to the shared array `{name}`: no process of yours has one of this \
             name"
        )
    );
    let _array = SharedArray::<f64>::create(&name, 3).unwrap();
    let error = text(SharedArray::<f64>::create(&name, 4).unwrap_err());
    assert_eq!(
        error,
        format!(
            "failed to create the shared array `{name}`: process {} has one of this name",
            process::id()
        )
    );
    let error = text(SharedArray::<i32>::attach(&name).unwrap_err());
    assert_eq!(
        error,
        format!("failed to attach to the shared array `{name}`: its elements are f64, not i32")
    );
    for bad in ["", "a\0b", &"x".repeat(151)] {
        assert!(
            text(SharedArray::<f64>::create(bad, 1).unwrap_err())
                .ends_with("a name has 1 to 150 bytes, none of them zero")
        );
    }
    let longest = "é".repeat(75);
    SharedArray::<usize>::create(&longest, 1).unwrap();
}

/// In a process of its own, where no other test makes children that inherit what is open here.
#[test]
fn a_name_is_given_to_one() {
    let body = || {
        for _ in 0..5 {
            let (name, winners) = (name("race"), SharedCounter::new(0));
            let done = SharedCounter::new(0);
            let compete = || {
                let array = SharedArray::<u8>::create(&name, 1);
                winners.add(array.is_ok().into());
                done.add(1);
                wait_until("all have tried", || done.get() == 4);
            };
            let children: Vec<_> = (0..4).map(|_| fork(compete)).collect();
            children.into_iter().for_each(|child| child.join());
            println!("{}", winners.get());
        }
    };
    assert_eq!(
        child::spawn("a_name_is_given_to_one", On::NoKernel, body).finish().success(),
        "1\n".repeat(5)
    );
}

/// A program that knows only the name; it dies without cleaning up.
#[test]
fn unrelated_processes_attach_and_nothing_is_left_after_kill() {
    const NAME: &str = "PARCOURSE_TEST_ARRAY";
    let before: Vec<_> = std::fs::read_dir("/dev/shm")
        .map(|folder| folder.flatten().map(|file| file.path()).collect())
        .unwrap_or_default();
    let body = || {
        let name = std::env::var(NAME).unwrap();
        let theirs = SharedArray::<i64>::attach(&name).unwrap();
        let own = SharedArray::<i64>::create(&(name + " of the child"), 1 << 20).unwrap();
        own.fill(1);
        theirs.set(0, own.iter().sum());
        println!("ready");
        std::thread::sleep(Duration::from_secs(60));
    };
    // The child, which also runs this test, gets the name from its parent.
    let name = std::env::var(NAME).unwrap_or_else(|_| name("unrelated"));
    let ours = SharedArray::<i64>::create(&name, 1);
    // SAFETY: the other tests of this program neither read nor write the environment.
    unsafe { std::env::set_var(NAME, &name) };
    let mut child = child::spawn(
        "unrelated_processes_attach_and_nothing_is_left_after_kill",
        On::NoKernel,
        body,
    );
    child.wait_for("ready");
    assert_eq!(ours.unwrap().get(0), 1 << 20);
    let of_child = name + " of the child";
    let attached = SharedArray::<i64>::attach(&of_child).unwrap();
    child.kill();
    assert_eq!(child.finish().signal(), Some(libc::SIGKILL));
    assert_eq!(attached.iter().sum::<i64>(), 1 << 20);
    drop(attached);
    wait_until("the array of the killed child is gone", || {
        SharedArray::<i64>::attach(&of_child).is_err()
    });
    let after: Vec<_> = std::fs::read_dir("/dev/shm")
        .map(|folder| folder.flatten().map(|file| file.path()).collect())
        .unwrap_or_default();
    assert!(
        after
            .iter()
            .all(|path| before.contains(path) || !path.to_string_lossy().contains("parcourse")),
        "{after:?}"
    );
}

#[test]
fn nothing_leaks() {
    let body = || {
        let mappings = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
        let round = |number: usize| {
            SharedArray::<f64>::zeros(1000).fill(1.0);
            *SharedMutex::new(0).lock().unwrap() += 1;
            if number.is_multiple_of(20) {
                let name = name("leak");
                let _array = SharedArray::<f64>::create(&name, 10).unwrap();
                SharedArray::<f64>::attach(&name).unwrap();
                assert!(SharedArray::<u8>::attach(&name).is_err());
            }
        };
        round(0);
        let before = (descriptors(), mappings());
        (0..1000).for_each(round);
        let after = (descriptors(), mappings());
        println!("{}", before.0 == after.0 && after.1 <= before.1 + 2);
    };
    assert_eq!(child::spawn("nothing_leaks", On::NoKernel, body).finish().success(), "true\n");
}

#[test]
fn pages_are_private_copied_or_shared() {
    // Larger than what the allocator takes from a heap that others write to.
    let mut plain = vec![1u8; 64 * 4096];
    let shared = SharedArray::<u8>::zeros(64 * 4096);
    let Some(before) = pages(&plain) else {
        eprintln!("skipped: this system does not tell how pages are mapped");
        return;
    };
    assert!(before.private >= 64 && before.copy_on_write <= 1, "{before}");
    assert_eq!(Pages::count(&shared.page_map().unwrap()).absent, 64);
    // Other values may be on the first and the last page, too.
    let inner = |values: &[u8]| page_map(values).unwrap()[1..64].to_vec();
    fork(|| {
        assert_eq!(inner(&plain), [Page::CopyOnWrite; 63]);
        plain[4096 * 10] = 2;
        let map = inner(&plain);
        assert_eq!(map.iter().filter(|&&page| page == Page::Private).count(), 1, "{map:?}");
        shared.fill(1);
        assert_eq!(shared.page_map().unwrap(), [Page::Shared; 64]);
    })
    .join();
    // What the child had as copies belongs to the parent alone again.
    assert_eq!(inner(&plain), [Page::Private; 63]);
    assert!(shared.iter().all(|value| value == 1));
    assert_eq!(shared.page_map().unwrap(), [Page::Shared; 64]);
    assert_eq!(before.to_string().split(' ').nth(1), Some("pages:"));
}

#[test]
fn chunks_are_ordinary_slices() {
    within(60, || {
        for len in [0, 1, 9, 10, 11, 99, 100, 101] {
            for chunk_len in [1, 10, 1000] {
                let mut array = SharedArray::<f64>::zeros(len);
                let sums = array.map_chunks(&Pool::new(3), chunk_len, |number, chunk| {
                    assert_eq!(chunk.len(), chunk_len.min(len - number * chunk_len));
                    chunk
                        .iter_mut()
                        .enumerate()
                        .for_each(|(i, x)| *x += (number * chunk_len + i) as f64);
                    chunk.iter().sum::<f64>()
                });
                let expected: Vec<f64> = (0..len).map(|i| i as f64).collect();
                let expected_sums: Vec<f64> =
                    expected.chunks(chunk_len).map(|chunk| chunk.iter().sum()).collect();
                assert_eq!((array.to_vec(), sums), (expected, expected_sums), "{len} {chunk_len}");
            }
        }
    });
}

#[test]
fn chunks_belong_to_one() {
    let mut array = SharedArray::<u8>::zeros(3);
    let clone = array.clone();
    let pool = Pool::new(2);
    let message = |f: &mut dyn FnMut()| {
        *catch_unwind(AssertUnwindSafe(f)).unwrap_err().downcast::<String>().unwrap()
    };
    let refused =
        catch_unwind(AssertUnwindSafe(|| array.for_each_chunk(&pool, 1, |_, _| ()))).unwrap_err();
    assert!(
        refused.downcast_ref::<&str>().unwrap().starts_with("a clone of the shared array exists")
    );
    drop(clone);
    let failed = message(&mut || {
        array.for_each_chunk(&pool, 2, |_, chunk| assert_ne!(chunk.len(), 1, "short"))
    });
    assert!(failed.contains("items[1] = elements 2..3"), "{failed}");
    let killed = message(&mut || array.for_each_chunk(&pool, 2, |_, _| process::abort()));
    assert!(killed.contains("= elements"), "{killed}");
}
