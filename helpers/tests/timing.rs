//! `time!` and `timed!`: which CPU time counts, and what is printed. Lower bounds and ratios, never
//! absolute times.
#![cfg(unix)]

mod child;

use child::On;
use parcourse::prelude::*;
use std::process::Command;

/// Computes until this very thread has used this much CPU time.
fn burn(cpu_time: Duration) {
    let used = || {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is valid for the result.
        assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let start = used();
    while used() - start < cpu_time {
        std::hint::black_box((0..1000u64).map(std::hint::black_box).sum::<u64>());
    }
}

#[test]
fn cpu_time_of_all_threads_is_counted() {
    let share = Duration::from_millis(60);
    let (done, timing) = timed!(Pool::new(3).map(|_| burn(share), &[0; 3]).len());
    assert_eq!(done, 3);
    // The accounting may lag by one tick of the scheduler, at most 10 ms.
    assert!(timing.user + timing.system >= 3 * share - Duration::from_millis(30), "{timing}");
    assert!(timing.wall >= share, "{timing}");
}

#[test]
fn waiting_costs_wall_time_only() {
    let body = || {
        let ((), timing) = timed!(sleep(Duration::from_millis(200)));
        println!("{} {}", timing.wall >= Duration::from_millis(200), timing.cores_busy() < 0.5);
    };
    let child = child::spawn("waiting_costs_wall_time_only", On::NoKernel, body);
    assert_eq!(child.finish().success(), "true true\n");
}

#[test]
fn child_processes_are_counted_apart() {
    let body = || {
        let count = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
        let (status, timing) = timed!(Command::new("sh").args(["-c", count]).status());
        println!("{}", status.is_ok_and(|status| status.success()));
        println!("{}", timing.children() > timing.user + timing.system);
        println!(
            "{}",
            timing
                .to_string()
                .lines()
                .nth(1)
                .is_some_and(|line| line.starts_with("Children:  user "))
        );
    };
    let child = child::spawn("child_processes_are_counted_apart", On::NoKernel, body);
    assert_eq!(child.finish().success(), "true\ntrue\ntrue\n");
}

#[test]
fn value_is_returned_and_three_lines_are_printed() {
    let child = child::spawn("value_is_returned_and_three_lines_are_printed", On::NoKernel, || {
        let lengths = time!(Pool::new(3).map(
            |word| {
                sleep(Duration::from_millis(2));
                word.len()
            },
            &["computer", "thesis", "mom"]
        ));
        println!("{lengths:?}");
    });
    let stdout = child.finish().success();
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{stdout}");
    assert!(
        lines[0].starts_with("CPU times: user ")
            && lines[0].contains(", sys: ")
            && lines[0].contains(", total: "),
        "{stdout}"
    );
    assert!(lines[1].starts_with("Wall time: "), "{stdout}");
    assert!(
        lines[2].starts_with("Cores:     ")
            && lines[2].ends_with(&format!("of {} busy", cores().usable)),
        "{stdout}"
    );
    assert_eq!(lines[3], "[8, 6, 3]");
}

/// The macros must not change what an expression means: `?`, moves, borrows of temporaries, blocks,
/// a trailing comma.
#[test]
fn expressions_keep_their_meaning() {
    fn parse(text: &str) -> Result<i32, std::num::ParseIntError> {
        let (number, _) = timed!(text.parse::<i32>()?);
        Ok(time!({
            let doubled = number * 2;
            doubled + 1
        }))
    }
    assert_eq!(parse("20"), Ok(41));
    assert!(parse("twenty").is_err());
    let moved = String::from("x");
    let (moved, _) = timed!(moved,);
    assert_eq!(moved, "x");
    assert_eq!(time!(String::from("temporary").as_str()).len(), 9);
}
