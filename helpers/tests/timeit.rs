//! `timeit!`, `compare!` and `scaling` in use: forms of expressions, the optimiser, output,
//! interrupts.
#![cfg(unix)]

mod child;

use child::On;
use parcourse::prelude::*;
use std::cell::Cell;

fn fibonacci(n: u64) -> u64 {
    if n < 2 { n } else { fibonacci(n - 1) + fibonacci(n - 2) }
}

/// A closed formula, once the optimiser has seen it.
fn sum_below(n: u64) -> u64 {
    (0..n).sum()
}

fn sum_of_squares(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x * x).sum()
}

/// The optimiser may move loop-invariant code out of the loop: with an argument that it sees
/// through, ten times the work would take the same time, none.
#[test]
fn work_is_done_in_every_turn() {
    let grows =
        |small: f64, large: f64| assert!(large > 3.0 * small && small > 0.0, "{small} {large}");
    grows(
        timeit!(quiet, runs = 3, loops = 2000, fibonacci(8)).best(),
        timeit!(quiet, runs = 3, loops = 200, fibonacci(13)).best(),
    );
    let (few, many) = (8, 13);
    grows(
        timeit!(quiet, runs = 3, loops = 2000, fibonacci(few)).best(),
        timeit!(quiet, runs = 3, loops = 200, fibonacci(many)).best(),
    );
    let (short, long) = (vec![1.5; 1000], vec![1.5; 10_000]);
    grows(
        timeit!(quiet, runs = 3, loops = 1000, sum_of_squares(&short)).best(),
        timeit!(quiet, runs = 3, loops = 100, sum_of_squares(&long)).best(),
    );
    grows(
        timeit!(quiet, runs = 3, loops = 1000, short.iter().map(|x| x * x).sum::<f64>()).best(),
        timeit!(quiet, runs = 3, loops = 100, long.iter().map(|x| x * x).sum::<f64>()).best(),
    );
    let comparison = compare! {
        runs = 3, loops = 200,
        "small" => fibonacci(8),
        "large" => fibonacci(13),
    };
    grows(comparison.values()[0], comparison.values()[1]);
}

/// A formula that the optimiser would compute beforehand if it knew the number.
#[test]
#[cfg(not(debug_assertions))]
fn arguments_are_opaque() {
    let known = timeit!(quiet, runs = 5, loops = 1_000_000, { sum_below(1000) });
    let argument = timeit!(quiet, runs = 5, loops = 1_000_000, sum_below(1000));
    assert!(argument.best() > 1.2 * known.best(), "{known}\n{argument}");
}

#[test]
#[cfg(not(debug_assertions))]
fn nothing_is_reported_as_nothing() {
    let sample = timeit!(quiet, runs = 3, loops = 1_000_000, { (0..1000u64).sum::<u64>() });
    assert!(sample.warnings()[0].starts_with("Too fast to be true"), "{sample}");
}

#[test]
fn the_expression_is_evaluated_so_many_times() {
    let calls = Cell::new(0);
    let sample = timeit!(quiet, loops = 7, runs = 3, calls.set(calls.get() + 1));
    assert_eq!((calls.get(), sample.loops, sample.runs), (1 + 7 * 3, 7, 3));
    calls.set(0);
    timeit!(quiet, loops = 1, runs = 1, calls.set(calls.get() + 1));
    assert_eq!(calls.get(), 1);
}

/// Every call gets its own input; the input and the result are dropped outside of the measurement.
#[test]
fn setups_are_made_for_every_call_and_not_timed() {
    struct Slow<'count>(&'count Cell<u32>);
    impl Drop for Slow<'_> {
        fn drop(&mut self) {
            std::thread::sleep(Duration::from_millis(2));
            self.0.set(self.0.get() + 1);
        }
    }
    let (made, dropped) = (Cell::new(0), Cell::new(0));
    let make = || {
        std::thread::sleep(Duration::from_millis(2));
        made.set(made.get() + 1);
        Slow(&dropped)
    };
    let sample =
        timeit!(quiet, setup = make(), loops = 3, runs = 5, |slow| std::convert::identity(slow));
    assert_eq!((made.get(), dropped.get()), (16, 16));
    assert!(sample.best() < 2e-3, "neither of the sleeps is in it: {sample}");
}

#[test]
fn setup_takes_patterns_and_lends_its_value() {
    let data = vec![3, 1, 2];
    timeit!(quiet, runs = 2, setup = data.clone(), loops = 2, |mut copy| {
        assert_eq!(copy, [3, 1, 2]);
        copy.sort();
    });
    // The result borrows from the input.
    timeit!(quiet, loops = 2, runs = 2, setup = data.clone(), |copy| copy.iter().max());
    timeit!(quiet, loops = 2, runs = 2, setup = (data.clone(), 2), |(mut copy, index)| copy
        .remove(index));
    timeit!(quiet, loops = 2, runs = 2, setup = data.clone(), |_| data.len());
}

#[test]
fn expressions_keep_their_meaning() {
    fn parse(text: &str) -> Result<f64, std::num::ParseIntError> {
        timeit!(quiet, loops = 2, runs = 2, text.parse::<i32>()?);
        timeit!(quiet, loops = 2, runs = 2, {
            let number: i32 = text.parse()?;
            number + 1
        });
        let comparison = compare! {
            loops = 2, runs = 2, "parse" => text.parse::<i32>()?, "length" => text.len()
        };
        timeit!(quiet, loops = 2, runs = 2, setup = text.to_string(), |owned| owned
            .parse::<i32>()?);
        Ok(comparison.values()[0])
    }
    assert!(parse("20").is_ok());
    assert!(parse("twenty").is_err());

    let mut list = Vec::new();
    timeit!(quiet, loops = 3, runs = 1, list.push(1));
    assert_eq!(list.len(), 4);
    fn add(list: &mut Vec<i32>, number: i32) {
        list.push(number);
    }
    timeit!(quiet, loops = 3, runs = 1, add(&mut list, 2));
    assert_eq!(list.len(), 8);
    // A variable that is a reference is reborrowed for every call.
    let borrowed = &mut list;
    timeit!(quiet, loops = 3, runs = 1, add(borrowed, 2));
    assert_eq!(list.len(), 12);

    let mut count = 0;
    let mut increment = || count += 1;
    timeit!(quiet, loops = 3, runs = 1, increment());
    assert_eq!(count, 4);

    fn double<T: Copy + std::ops::Add<Output = T>>(x: &T) -> T {
        *x + *x
    }
    timeit!(quiet, loops = 3, runs = 1, map(double, &[1, 2, 3]));
    timeit!(quiet, loops = 3, runs = 1, map(|x| x + 1, &[1, 2, 3]));
    timeit!(quiet, loops = 3, runs = 1, Vec::<i32>::with_capacity(10));
    timeit!(quiet, loops = 3, runs = 1, Pool::new(2).map(|x| x + 1, &list),);
    timeit!(quiet, loops = 3, runs = 1, list.iter().map(|x| x + 1).collect::<Vec<_>>());
    timeit!(
        quiet,
        loops = 3,
        runs = 1,
        list.iter().map(|x| (x, 1)).collect::<std::collections::HashMap<_, _>>()
    );
    timeit!(quiet, loops = 3, runs = 1, if list.is_empty() { 0 } else { list[0] });
    timeit!(quiet, loops = 3, runs = 1, -2.5_f64.abs() * 3.0);
    timeit!(quiet, loops = 3, runs = 1, String::from("constant"));
    timeit!(quiet, loops = 3, runs = 1, format!("{}", list.len()));
    // An expression that starts like an option.
    let loops = 3;
    timeit!(quiet, loops = loops, runs = 1, loops + 1);
    let comparison = compare! {
        loops = 2, runs = 1,
        "map" => list.iter().map(|x| (x, 1)).collect::<std::collections::HashMap<_, _>>(),
        "block" => { let x = 1; x + 1 },
        "generic" => std::mem::size_of::<(u8, u16)>(),
    };
    assert_eq!(comparison.labels(), ["map", "block", "generic"]);
}

#[test]
#[should_panic(expected = "`break` cannot leave an expression that is being timed")]
fn break_is_not_lost() {
    #[allow(clippy::never_loop)]
    for number in 0..3 {
        timeit!(
            quiet,
            loops = 5,
            if number == 0 {
                break;
            }
        );
    }
}

#[test]
#[should_panic(expected = "`loops` must be at least 1")]
fn loops_are_checked() {
    timeit!(loops = 0, 1 + 1);
}

/// The macro prints it, and the kernel that shows the cell's last expression does not print it
/// again; but it does when shown later.
#[test]
fn result_is_shown_once() {
    let child = child::spawn("result_is_shown_once", On::Stock, || {
        let sample = timeit!(loops = 2, runs = 2, sleep(Duration::from_millis(1)));
        sample.evcxr_display();
        println!("--");
        let quiet = timeit!(quiet, loops = 2, runs = 2, sleep(Duration::from_millis(1)));
        quiet.evcxr_display();
        println!("--");
        std::thread::sleep(Duration::from_millis(200));
        sample.evcxr_display();
    });
    let stdout = child.finish().success();
    let parts: Vec<&str> = stdout.split("--\n").collect();
    assert!(
        parts[0].contains(" per loop (mean ± std. dev. of 2 runs, 2 loops each)\nfastest "),
        "{stdout}"
    );
    assert_eq!(parts[0].matches("per loop").count(), 1, "{stdout}");
    for part in &parts[1..] {
        assert!(
            part.starts_with("EVCXR_BEGIN_CONTENT text/plain\n")
                && part.matches("per loop").count() == 1,
            "{stdout}"
        );
    }
}

#[test]
fn comparison_is_a_table_on_the_kernel() {
    let child = child::spawn("comparison_is_a_table_on_the_kernel", On::Stock, || {
        let comparison = compare! {
            loops = 1, runs = 3,
            "short" => sleep(Duration::from_millis(1)),
            "long" => sleep(Duration::from_millis(100)),
        };
        println!("{}", comparison.ratios()[1] > 1.0);
        comparison.evcxr_display();
    });
    let stdout = child.finish().success();
    assert!(stdout.starts_with("true\nEVCXR_BEGIN_CONTENT text/plain\n"), "{stdout}");
    assert!(stdout.contains("EVCXR_BEGIN_CONTENT text/html\n<table>"), "{stdout}");
}

/// Threads that share the work in equal parts, and wait: twice as fast with two, however few cores
/// there are.
#[test]
fn scaling_shows_the_speed_up() {
    let child = child::spawn("scaling_shows_the_speed_up", On::NoKernel, || {
        let result = scaling(1..=2, |_| {
            (0..4).into_par_iter().for_each(|_| std::thread::sleep(Duration::from_millis(50)))
        });
        let speed_up = result.speed_up()[1];
        println!("{}", if speed_up > 1.2 { "fine".to_string() } else { format!("{result}") });
        println!("{}", result.amdahl().unwrap() < 0.9);
        assert!(result.plot().to_svg().bundle().get("image/svg+xml").unwrap().contains("Amdahl"));
    });
    assert_eq!(child.finish().success(), "fine\ntrue\n");
}
