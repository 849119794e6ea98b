//! `memory_usage` and `memit!` against known allocations, each in a process of its own: other
//! tests' memory would count, too.
#![cfg(target_os = "linux")]

mod child;

use child::On;
use parcourse::prelude::*;
use std::hint::black_box;

const MIB: usize = 1 << 20;

/// This many MiB, with every page touched.
fn touched(mib: usize) -> Vec<u8> {
    black_box(vec![1u8; mib * MIB])
}

/// Runs the body in a process of its own; it reports failures by panicking.
#[track_caller]
fn alone(test: &str, body: impl FnOnce()) -> String {
    child::spawn(test, On::NoKernel, body).finish().success()
}

#[track_caller]
fn assert_near(measured: f64, expected: f64) {
    assert!((measured - expected).abs() < 1.0, "{measured} MiB measured, {expected} MiB expected");
}

#[test]
fn peak_is_that_of_a_known_allocation() {
    alone("peak_is_that_of_a_known_allocation", || {
        for mib in [1, 16, 64] {
            let (length, trace) = memory_usage(|| touched(mib).len());
            assert_eq!(length, mib * MIB);
            assert!(trace.exact);
            assert_near(trace.increment(), mib as f64);
            assert_near(trace.peak, trace.baseline + mib as f64);
            // It has been freed.
            assert_near(trace.samples.last().unwrap().memory, trace.baseline);
        }
    });
}

/// Without a reset, the system's mark counts for the whole life of the process.
#[test]
fn an_earlier_peak_does_not_count() {
    alone("an_earlier_peak_does_not_count", || {
        touched(200);
        let (_, trace) = memory_usage(|| touched(8).len());
        assert_near(trace.increment(), 8.0);
        let (_, trace) = memory_usage(|| ());
        assert_near(trace.increment(), 0.0);
    });
}

/// glibc keeps blocks of this size once one of them has been freed: the next ones seem to cost
/// nothing.
#[test]
fn memory_kept_by_the_allocator_does_not_hide_an_increment() {
    alone("memory_kept_by_the_allocator_does_not_hide_an_increment", || {
        for _ in 0..3 {
            let many: Vec<Vec<u8>> = (0..48).map(|_| black_box(vec![1u8; MIB])).collect();
            // Stays on top of the others, so that the allocator cannot shrink its heap by itself.
            let last = black_box(vec![1u8; 1000]);
            drop(many);
            let (_, trace) = memory_usage(|| {
                (0..48).map(|_| black_box(vec![1u8; MIB])).collect::<Vec<_>>().len()
            });
            assert_near(trace.increment(), 48.0);
            drop(last);
        }
    });
}

#[test]
fn memory_that_is_never_touched_does_not_count() {
    alone("memory_that_is_never_touched_does_not_count", || {
        let (_, trace) = memory_usage(|| black_box(Vec::<u8>::with_capacity(64 * MIB)).capacity());
        assert_near(trace.increment(), 0.0);
    });
}

#[test]
fn threads_of_the_call_are_counted_together() {
    alone("threads_of_the_call_are_counted_together", || {
        let together = std::sync::Barrier::new(2);
        let work = || {
            let memory = touched(20);
            together.wait();
            memory.len()
        };
        let (_, trace) = memory_usage(|| {
            std::thread::scope(|scope| {
                [scope.spawn(work), scope.spawn(work)].map(|t| t.join().unwrap())
            })
        });
        assert_near(trace.increment(), 40.0);
    });
}

#[test]
fn samples_follow_the_memory() {
    alone("samples_follow_the_memory", || {
        let mut kept = Vec::new();
        let (_, trace) = MemoryUsage::new().interval(Duration::from_millis(2)).measure(|| {
            for _ in 0..4 {
                kept.push(touched(10));
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        assert!(trace.samples.len() > 10, "{}", trace.samples.len());
        assert!(trace.samples.is_sorted_by_key(|sample| sample.time));
        assert_eq!(
            (trace.samples[0].time, trace.samples[0].memory),
            (Duration::ZERO, trace.baseline)
        );
        assert_eq!(trace.samples.last().unwrap().time, trace.wall);
        // Each step is visible, at the right time.
        for step in 1..=4 {
            let expected = trace.baseline + 10.0 * step as f64;
            assert!(
                trace.samples.iter().any(|sample| (sample.memory - expected).abs() < 1.0),
                "step {step}: {:?}",
                trace.values()
            );
        }
        assert_near(trace.samples.last().unwrap().memory, trace.baseline + 40.0);
    });
}

/// The inner one resets the system's mark; the outer one must still know about the time before.
#[test]
fn measurements_nest() {
    alone("measurements_nest", || {
        let (inner, outer) = memory_usage(|| {
            touched(50);
            let (_, first) = memory_usage(|| touched(5).len());
            let kept = touched(10);
            let (_, second) = memory_usage(|| touched(20).len());
            drop(kept);
            (first, second)
        });
        assert_near(inner.0.increment(), 5.0);
        assert_near(inner.1.increment(), 20.0);
        assert_near(outer.increment(), 50.0);
        // And the other way round: the higher peak after the inner one.
        let (_, outer) = memory_usage(|| {
            // Too large for the allocator to keep.
            memory_usage(|| touched(40).len());
            touched(70).len()
        });
        assert_near(outer.increment(), 70.0);
    });
}

/// The number of threads of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// A joined thread may be listed for a moment longer.
fn assert_threads(expected: usize) {
    let start = Instant::now();
    while threads() != expected {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{} threads instead of {expected}",
            threads()
        );
        std::thread::yield_now();
    }
}

#[test]
fn a_panic_ends_the_sampling() {
    alone("a_panic_ends_the_sampling", || {
        std::panic::set_hook(Box::new(|_| {}));
        let before = threads();
        let result = std::panic::catch_unwind(|| {
            memory_usage(|| -> usize { panic!("too big: {}", touched(20).len()) })
        });
        let _ = std::panic::take_hook();
        assert_eq!(
            *result.unwrap_err().downcast::<String>().unwrap(),
            format!("too big: {}", 20 * MIB)
        );
        assert_threads(before);
        // Nothing of it is left behind.
        assert_near(memory_usage(|| touched(3).len()).1.increment(), 3.0);
    });
}

#[test]
fn an_interrupt_ends_the_sampling_and_the_program_goes_on() {
    let body = || {
        let before = threads();
        let result = std::panic::catch_unwind(|| {
            memory_usage(|| {
                interrupt::scope(|| {
                    println!("waiting");
                    sleep(Duration::from_secs(60))
                })
            })
        });
        assert!(result.unwrap_err().is::<interrupt::Interrupted>());
        assert_threads(before);
        println!("done");
    };
    let mut child =
        child::spawn("an_interrupt_ends_the_sampling_and_the_program_goes_on", On::Parcourse, body);
    child.wait_for("waiting").interrupt();
    assert!(child.finish().success().ends_with("done\n"));
}

#[test]
fn an_early_return_ends_the_sampling() {
    alone("an_early_return_ends_the_sampling", || {
        let before = threads();
        let fails =
            || -> Result<i32, std::num::ParseIntError> { Ok(memit!("twenty".parse::<i32>()?)) };
        assert!(fails().is_err());
        let measurement = MemoryUsage::new().start();
        assert_threads(before + 1);
        drop(measurement);
        assert_threads(before);
    });
}

#[test]
fn memit_gives_the_value_and_prints_ipythons_line() {
    let stdout = alone("memit_gives_the_value_and_prints_ipythons_line", || {
        let memory = memit!(touched(32));
        println!("{}", memory.len());
        let moved = String::from("x");
        assert_eq!(memit!(moved,), "x");
        assert_eq!(memit!(String::from("temporary").as_str()).len(), 9);
    });
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!((lines.len(), lines[1]), (4, "33554432"), "{stdout}");
    let numbers = lines[0]
        .strip_prefix("peak memory: ")
        .and_then(|rest| rest.strip_suffix(" MiB"))
        .expect("IPython's words");
    let (peak, increment) = numbers.split_once(" MiB, increment: ").expect("IPython's words");
    let (peak, increment): (f64, f64) = (peak.parse().unwrap(), increment.parse().unwrap());
    assert!(peak > increment);
    assert_near(increment, 32.0);
}

/// A child by `fork` shares all pages with its parent until one of them writes; they must not count
/// twice.
#[test]
fn children_count_without_what_they_share() {
    alone("children_count_without_what_they_share", || {
        let mut shared = touched(40);
        // The trace ends while the child lives, so its last sample counts the child, however busy
        // the machine is.
        let run = |own: usize, shared: &mut Vec<u8>, children: bool| {
            let mut pipes = [[0; 2]; 2];
            // SAFETY: each is valid for two descriptors.
            assert!(pipes.iter_mut().all(|pipe| unsafe { libc::pipe(pipe.as_mut_ptr()) } == 0));
            let [[touched, has_touched], [may_end, end]] = pipes;
            let measurement = MemoryUsage::new().include_children(children).start();
            let mut byte = 0u8;
            // SAFETY: the child only touches memory that it already has, waits and exits: nothing
            // that another thread could have locked.
            let child = unsafe {
                let child = libc::fork();
                assert!(child >= 0);
                if child == 0 {
                    shared[..own * MIB].fill(2);
                    libc::write(has_touched, [1u8].as_ptr().cast(), 1);
                    libc::read(may_end, (&raw mut byte).cast(), 1);
                    libc::_exit(0);
                }
                assert_eq!(libc::read(touched, (&raw mut byte).cast(), 1), 1);
                child
            };
            let trace = measurement.stop();
            // SAFETY: the descriptor is ours, and the child has not been waited for.
            unsafe {
                assert_eq!(libc::write(end, [1u8].as_ptr().cast(), 1), 1);
                assert_eq!(libc::waitpid(child, std::ptr::null_mut(), 0), child);
            }
            trace
        };
        let with = run(16, &mut shared, true);
        assert!(!with.exact);
        assert_eq!(with.counted, parcourse::memory::Counted::Proportional);
        assert_near(with.increment(), 16.0);
        // Shared pages count once; by default nothing of the child counts.
        assert_near(run(0, &mut shared, true).increment(), 0.0);
        assert_near(run(16, &mut shared, false).increment(), 0.0);
    });
}
