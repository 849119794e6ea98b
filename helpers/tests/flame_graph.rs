//! `profile::flame_graph`: which functions appear, under which callers, from which threads. Only
//! clear-cut shares, never absolute numbers of samples.
#![cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]

mod child;

use child::On;
use parcourse::prelude::*;

/// Computes until this thread has used this much CPU time.
#[inline(never)]
fn burn(milliseconds: u64) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let mut used = || {
        // SAFETY: `time` is valid for the result.
        assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let start = used();
    let mut sum = 0;
    while used() - start < Duration::from_millis(milliseconds) {
        sum += heat(100_000);
    }
    sum
}

#[inline(never)]
fn heat(n: u64) -> u64 {
    (0..n).map(std::hint::black_box).sum()
}

#[inline(never)]
fn long() -> u64 {
    std::hint::black_box(burn(500)) + 1
}

#[inline(never)]
fn short() -> u64 {
    std::hint::black_box(burn(200)) + 1
}

#[inline(never)]
fn deep(n: u32) -> u64 {
    if n == 0 { std::hint::black_box(burn(200)) } else { std::hint::black_box(deep(n - 1)) + 1 }
}

/// Whether some stack starts, at the outer end, with these functions in this order.
fn has(graph: &profile::FlameGraph, names: &[&str]) -> bool {
    graph.stacks().iter().any(|(stack, _)| {
        let mut frames = stack.iter();
        names.iter().all(|name| frames.any(|frame| frame.ends_with(name)))
    })
}

#[test]
fn shares_follow_the_time() {
    let body = || {
        let graph = profile::flame_graph(|| long() + short());
        let share = |name: &str| {
            graph.function(name).map_or(0.0, |hot| hot.total as f64 / graph.samples() as f64)
        };
        // A busy virtual machine loses ticks of its clock, so only the order is certain.
        println!("{}", graph.samples() > 20);
        println!("{} {}", share("long") > 0.5, share("short") > 0.0);
        println!(
            "{}",
            has(&graph, &["long", "burn", "heat"]) && has(&graph, &["short", "burn", "heat"])
        );
        println!("{}", share("heat") > 0.8 && graph.hottest()[0].name.ends_with("heat"));
        // Nothing from below the work.
        println!(
            "{}",
            graph.stacks().iter().all(|(stack, _)| !stack
                .iter()
                .any(|name| name.contains("main") || name.contains("lang_start")))
        );
        if std::env::var_os("SHOW").is_some() {
            println!("{graph}\n{:#?}", graph.stacks());
        }
    };
    let child = child::spawn("shares_follow_the_time", On::NoKernel, body);
    assert_eq!(child.finish().success(), "true\ntrue true\ntrue\ntrue\ntrue\n");
}

#[test]
fn all_threads_are_seen_and_waiting_ones_are_not() {
    let body = || {
        let graph = profile::flame_graph(|| {
            std::thread::scope(|scope| {
                scope.spawn(long);
                scope.spawn(|| std::thread::sleep(Duration::from_millis(300)));
                scope.spawn(short);
            });
            Pool::new(2).map(|_| deep(2), &[1, 2]);
            (0..2).into_par_iter().map(|_| deep(1)).sum::<u64>()
        });
        for name in ["long", "short", "deep"] {
            println!("{}", graph.function(name).is_some_and(|hot| hot.total > 0));
        }
        println!(
            "{}",
            has(&graph, &["deep", "deep", "deep", "burn"])
                && has(&graph, &["rayon", "deep", "deep", "burn"])
        );
        println!("{}", graph.function("deep").is_some_and(|hot| hot.total <= graph.samples()));
        println!(
            "{}",
            graph.function("heat").is_some_and(|hot| hot.total * 10 > graph.samples() * 8)
        );
        if std::env::var_os("SHOW").is_some() {
            println!("{graph}\n{:#?}", graph.stacks());
        }
    };
    let child = child::spawn("all_threads_are_seen_and_waiting_ones_are_not", On::NoKernel, body);
    assert_eq!(child.finish().success(), "true\n".repeat(6));
}

/// The signal must not make system calls fail, and a panic must end the sampling.
#[test]
fn panics_end_it_and_one_can_be_made_after_another() {
    let body = || {
        let caught = std::panic::catch_unwind(|| {
            profile::flame_graph(|| std::panic::resume_unwind(Box::new(1)))
        });
        println!("{}", caught.is_err());
        let inner = profile::flame_graph(|| {
            burn(50);
            println!(
                "{}",
                std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(2))).is_err()
            );
        });
        println!("{}", inner.samples() > 2);
        for _ in 0..3 {
            println!("{}", profile::flame_graph(|| burn(50)).samples() > 2);
        }
    };
    let child = child::spawn("panics_end_it_and_one_can_be_made_after_another", On::NoKernel, body);
    assert_eq!(child.finish().success(), "true\n".repeat(6));
}

#[test]
fn nothing_to_sample_is_said() {
    let body = || {
        println!(
            "{}",
            profile::flame_graph(|| sleep(Duration::from_millis(30)))
                .to_string()
                .contains("too few to be meaningful")
        )
    };
    assert_eq!(
        child::spawn("nothing_to_sample_is_said", On::NoKernel, body).finish().success(),
        "true\n"
    );
}
