//! `#[line_profile]`: exact counts for every construct, correct attribution of time, and no other
//! effects.
//!
//! Every test uses its own functions: the counters belong to the whole process.

#![cfg(unix)]
// Code of every form, including forms one should not write.
#![allow(clippy::all, clippy::undocumented_unsafe_blocks)]

mod child;

use child::On;
use parcourse::prelude::*;
use parcourse::profile::{Frame, Function, FunctionReport};
use std::sync::Mutex;

/// The report of one function.
#[track_caller]
fn report(name: &str) -> FunctionReport {
    profile::report().function(name).unwrap_or_else(|| panic!("`{name}` was not called")).clone()
}

/// Checks the hits of the lines that end in a comment `//= HITS`, and that no other line has hits.
#[track_caller]
fn check(name: &str) -> FunctionReport {
    let function = report(name);
    let wanted =
        |text: &str| text.rsplit_once("//= ").map(|(_, hits)| hits.trim().parse::<u64>().unwrap());
    let wrong = function.lines.iter().any(|line| line.hits != wanted(&line.text));
    assert!(!wrong, "\n{function}");
    let sum: Duration = function.lines.iter().map(|line| line.time).sum();
    assert_eq!(sum, function.total, "\n{function}");
    function
}

#[test]
#[rustfmt::skip]
fn loops_count_their_headers_once_more_than_their_bodies() {
    #[line_profile]
    fn loops(n: u64) -> u64 {
        // Comments, empty lines and names without a value do not count.
        let mut sum = 0; //= 2

        let last;
        for i in 0..n { //= 12
            sum += i; //= 10
            sum ^= 1; //= 10
        }
        let mut k = n; //= 2
        while k > 0 { //= 12
            k -= 1; //= 10
        }
        let mut stack = vec![1, 2, 3]; //= 2
        while let Some(top) = stack.pop() { //= 8
            sum += top; //= 6
        }
        let found = loop { //= 2
            k += 1; //= 8
            if k == 4 { //= 8
                break k * 2; //= 2
            }
        };
        for i in 0..3 { sum += i; } //= 8
        last = found; //= 2
        sum + last //= 2
    }
    loops(5);
    loops(5);
    assert_eq!(check("loops").calls, 2);
}

#[test]
#[rustfmt::skip]
fn continue_goes_through_the_header_and_break_does_not() {
    #[line_profile]
    fn jumps() -> u32 {
        let mut steps = 0; //= 1
        'rows: for row in 0..4 { //= 5
            let mut column = 0; //= 4
            while column < 3 { //= 10
                column += 1; //= 9
                if column == row { //= 9
                    continue 'rows; //= 3
                }
                if column == 2 { continue; } //= 6
                steps += 1; //= 4
            }
            if row > 0 { //= 1
                break 'rows; //= 0
            }
        }
        for i in 0.. { //= 4
            if i == 3 { //= 4
                break; //= 1
            } else if i == 2 { //= 3
                steps += 1; //= 1
            } else {
                steps += 0; //= 2
            }
        }
        steps //= 1
    }
    assert_eq!(jumps(), 5);
    check("jumps");
}

#[test]
#[rustfmt::skip]
fn early_returns_and_question_marks() {
    #[line_profile]
    fn parse(text: &str) -> Result<i32, std::num::ParseIntError> {
        if text.is_empty() { //= 4
            return Ok(0); //= 1
        }
        let number: i32 = text.parse()?; //= 3
        let Some(half) = Some(number / 2).filter(|half| *half > 0) else { //= 2
            return Ok(-1); //= 1
        };
        Ok(half) //= 1
    }
    assert_eq!([parse(""), parse("8"), parse("1")], [Ok(0), Ok(4), Ok(-1)]);
    assert!(parse("eight").is_err());
    assert_eq!(check("parse").calls, 4);
}

#[test]
#[rustfmt::skip]
fn arms_of_a_match() {
    #[line_profile]
    fn name(n: i32) -> String {
        let word = match n { //= 7
            0 => "none", //= 1
            n if n < 0 => {
                let positive = -n; //= 2
                if positive > 5 { "very few" } else { "few" } //= 2
            }
            1 =>
                "one", //= 1
            2 | 3 => return String::from("some"), //= 2
            _ => "many", //= 1
        };
        match n { //= 5
            1 => {} //= 1
            _ => (), //= 4
        }
        word.to_string() //= 5
    }
    let names: Vec<String> = [0, -1, -9, 1, 2, 3, 50].map(name).into();
    assert_eq!(names, ["none", "few", "very few", "one", "some", "some", "many"]);
    check("name");
}

#[test]
#[rustfmt::skip]
fn several_statements_on_a_line_are_one() {
    #[line_profile]
    fn short(n: u32) -> u32 { if n == 0 { return 7; } let a = n; a + 1 //= 3
    }
    assert_eq!((short(0), short(1), short(2)), (7, 2, 3));
    check("short");
}

#[test]
#[rustfmt::skip]
fn recursive_calls_count_each_moment_once() {
    #[line_profile]
    fn fib(n: u32) -> u32 {
        if n < 2 { //= 15
            std::thread::sleep(Duration::from_millis(5)); //= 8
            return n; //= 8
        }
        let a = fib(n - 1); //= 7
        a + fib(n - 2) //= 7
    }
    let start = Instant::now();
    assert_eq!(fib(5), 5);
    let elapsed = start.elapsed();
    let function = check("fib");
    assert_eq!(function.calls, 15);
    assert!(function.total <= elapsed + elapsed / 100, "{function}\n{elapsed:?}");
    assert!(function.line(3).unwrap().time >= Duration::from_millis(40), "{function}");
}

#[test]
#[rustfmt::skip]
fn functions_that_call_each_other_have_each_other_s_time() {
    #[line_profile]
    fn even(n: u32) -> bool {
        if n == 0 { //= 3
            return true; //= 1
        }
        odd(n - 1) //= 2
    }
    #[line_profile]
    fn odd(n: u32) -> bool {
        std::thread::sleep(Duration::from_millis(20)); //= 2
        n != 0 && even(n - 1) //= 2
    }
    assert!(even(4));
    let (even, odd) = (check("even"), check("odd"));
    assert!(even.line(5).unwrap().time >= Duration::from_millis(40), "{even}");
    assert!(odd.line(2).unwrap().time >= Duration::from_millis(40), "{odd}");
}

#[test]
#[rustfmt::skip]
fn time_goes_back_to_the_line_after_a_closure_or_a_block_in_it() {
    fn slow(milliseconds: u64) -> u64 {
        std::thread::sleep(Duration::from_millis(milliseconds));
        1
    }
    #[line_profile]
    fn blocks() -> u64 {
        let a = { //= 1
            slow(1); //= 1
            1 //= 1
        } + slow(60);
        let b: u64 = [1, 2] //= 1
            .map(|x| {
                slow(1); //= 2
                x + 1 //= 2
            })
            .map(|x| slow(30) + x)
            .iter()
            .sum();
        a + b //= 1
    }
    assert_eq!(blocks(), 9);
    let function = check("blocks");
    let time = |line| function.line(line).unwrap().time;
    assert!(time(2) >= Duration::from_millis(60), "{function}");
    assert!(time(6) >= Duration::from_millis(60), "{function}");
}

#[test]
#[rustfmt::skip]
fn closures_belong_to_the_function_on_every_thread() {
    #[line_profile]
    fn threads(n: u64) -> u64 {
        let sums: Vec<u64> = std::thread::scope(|scope| { //= 1
            let handles: Vec<_> = (0..n) //= 1
                .map(|k| {
                    scope.spawn(move || { //= 4
                        let mut sum = 0; //= 4
                        for i in 0..100 { //= 404
                            sum += i * k; //= 400
                        }
                        std::thread::sleep(Duration::from_millis(30)); //= 4
                        sum //= 4
                    })
                })
                .collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).collect() //= 1
        });
        let squares: u64 = (0..1000u64) //= 1
            .into_par_iter()
            .map(|i| {
                let square = i * i; //= 1000
                square % 7 //= 1000
            })
            .sum();
        std::thread::spawn(move || { //= 1
            drop(sums); //= 1
        })
        .join()
        .unwrap();
        squares //= 1
    }
    assert_eq!(threads(4), (0..1000u64).map(|i| i * i % 7).sum());
    let function = check("threads");
    assert_eq!(function.calls, 1);
    // All four slept.
    assert!(function.line(10).unwrap().time >= Duration::from_millis(120), "{function}");
}

#[test]
#[rustfmt::skip]
fn methods_generics_lifetimes_and_traits() {
    struct Grid<'a, T> {
        cells: &'a [T],
    }
    impl<'a, T: Copy + Into<f64>> Grid<'a, T> {
        #[line_profile]
        pub fn largest<F>(&self, score: F) -> Option<(&'a T, f64)>
        where
            F: Fn(f64) -> f64,
        {
            let mut best = None; //= 2
            for cell in self.cells { //= 8
                let value = score((*cell).into()); //= 6
                if best.is_none_or(|(_, best)| value > best) { //= 6
                    best = Some((cell, value)); //= 3
                }
            }
            best //= 2
        }
    }
    trait Shape {
        fn area(&self) -> f64;
        #[line_profile]
        fn twice(&self) -> f64 {
            2.0 * self.area() //= 2
        }
    }
    impl Shape for f64 {
        #[line_profile]
        fn area(&self) -> f64 {
            self * self //= 2
        }
    }
    assert_eq!(Grid { cells: &[1.0f32, 3.0, 2.0] }.largest(|x| x).unwrap().1, 3.0);
    assert_eq!(Grid { cells: &[5u8, 1, 7] }.largest(|x| -x * (x - 10.0)).unwrap().0, &5);
    assert_eq!(3f64.twice() + 1f64.twice(), 20.0);
    check("largest");
    check("twice");
    check("area");
}

#[test]
#[rustfmt::skip]
fn panics_end_the_call() {
    #[line_profile]
    fn divide(a: u32, b: u32) -> u32 {
        let result = std::panic::catch_unwind(|| { //= 2
            a.checked_div(b).ok_or(()).map_err(|()| std::panic::resume_unwind(Box::new(0))) //= 2
        });
        match result { //= 2
            Ok(value) => value.unwrap_or(0), //= 1
            Err(payload) => std::panic::resume_unwind(payload), //= 1
        }
    }
    let start = Instant::now();
    assert!(std::panic::catch_unwind(|| divide(1, 0)).is_err());
    let first = start.elapsed();
    let outside = Duration::from_millis(50);
    std::thread::sleep(outside);
    let start = Instant::now();
    assert_eq!(divide(6, 3), 2);
    let inside = first + start.elapsed();
    let function = check("divide");
    assert!(function.total < inside + outside, "{function}\n{inside:?}");
}

/// What the attribute must not change: moves, temporaries, places, coercions, types of blocks,
/// names.
#[test]
#[rustfmt::skip]
fn the_function_means_what_it_meant() {
    struct Noisy<'a>(&'static str, &'a Mutex<Vec<&'static str>>);
    impl Drop for Noisy<'_> {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }
    fn plain(log: &Mutex<Vec<&'static str>>) -> usize {
        let _first = Noisy("first", log);
        let frame = match Noisy("scrutinee", log).0.len() {
            0 => Noisy("arm", log).0.len(),
            _ => Noisy("other arm", log).0.len(),
        };
        let text: &str = if frame == 0 { "" } else if Noisy("condition", log).0.len() > 3 { &String::from("borrowed") } else { "x" };
        let _second = Noisy("second", log);
        log.lock().unwrap().push("end");
        text.len() + Noisy("tail", log).0.len()
    }
    #[line_profile]
    fn profiled(log: &Mutex<Vec<&'static str>>) -> usize {
        let _first = Noisy("first", log);
        let frame = match Noisy("scrutinee", log).0.len() {
            0 => Noisy("arm", log).0.len(),
            _ => Noisy("other arm", log).0.len(),
        };
        let text: &str = if frame == 0 {
            ""
        } else if Noisy("condition", log).0.len() > 3 {
            &String::from("borrowed")
        } else {
            "x"
        };
        let _second = Noisy("second", log);
        log.lock().unwrap().push("end");
        text.len() + Noisy("tail", log).0.len()
    }
    let (one, other) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    assert_eq!(plain(&one), profiled(&other));
    assert_eq!(one.into_inner().unwrap(), other.into_inner().unwrap());

    #[line_profile]
    fn odds_and_ends(values: &mut Vec<i32>, text: Option<&str>) -> Box<dyn Fn(i32) -> i32> {
        const SIZE: usize = {
            let half = 2;
            half * 2
        };
        fn inner(x: i32) -> i32 {
            x + 1
        }
        #[cfg(any())]
        let never = missing(); //= 0
        #[cfg(all())]
        let always = inner(1); //= 1
        unsafe { //= 1
            *values.get_unchecked_mut(0) += always; //= 1
        }
        let word = 'found: { //= 1
            if let Some(text) = text { //= 1
                break 'found text; //= 1
            }
            "none" //= 0
        };
        let first = &mut values[0]; //= 1
        *first += if word.len() == SIZE { 10 } else { 0 }; //= 1
        let later = async { //= 1
            values.push(1);
            2
        };
        drop(later); //= 1
        assert_eq!( //= 1
            {
                let one = 1;
                one + 1
            },
            2
        );
        let array: [Box<dyn Fn(i32) -> i32>; 2] = [ //= 1
            Box::new(move |x| {
                let y = x * 2; //= 3
                y + 1 //= 3
            }),
            Box::new(inner),
        ];
        let [closure, _] = array; //= 1
        closure //= 1
    }
    let mut values = vec![1];
    let closure = odds_and_ends(&mut values, Some("four"));
    assert_eq!((closure(1), closure(2), closure(3), values[0]), (3, 5, 7, 13));
    check("odds_and_ends");
}

#[test]
#[rustfmt::skip]
fn never_returning_and_empty_functions() {
    #[line_profile]
    fn forever(mut n: u32) -> ! {
        loop { //= 1
            n -= 1; //= 3
            if n == 0 { //= 3
                std::panic::resume_unwind(Box::new(())) //= 1
            }
        }
    }
    #[line_profile]
    fn empty() {}
    assert!(std::panic::catch_unwind(|| forever(3)).is_err());
    check("forever");
    empty();
    empty();
    assert_eq!(check("empty").calls, 2);
}

#[test]
#[rustfmt::skip]
fn text_is_as_it_was_written() {
    #[line_profile]
    #[allow(clippy::needless_return)]
    pub(crate) unsafe fn spaced<'long>(a:   &'long [f64],
                                       _b: [(); 2]) -> f64 { // Äpfel
        // "no" }
        let s = "multi
 line";

        return a.len()   as f64 + s.len() as f64;
    }
    // SAFETY: nothing in it is unsafe.
    assert_eq!(unsafe { spaced(&[], [(); 2]) }, 11.0);
    let text: Vec<String> = report("spaced").lines.into_iter().map(|line| line.text).collect();
    let expected = [
        "pub(crate) unsafe fn spaced<'long>(a:   &'long [f64],",
        "                                   _b: [(); 2]) -> f64 { // Äpfel",
        "    // \"no\" }",
        "    let s = \"multi",
        "line\";",
        "",
        "    return a.len()   as f64 + s.len() as f64;",
        "}",
    ];
    assert_eq!(text, expected);
}

/// A notebook recompiles a function into each later cell, and a new definition has the old one's
/// path.
#[test]
fn the_same_function_is_one_and_another_text_replaces_it() {
    const TEXT: &str = "fn f() {\n    1\n}";
    let body = || {
        fn path() -> &'static str {
            "ctx::f::X::here"
        }
        static FIRST: Function = Function::new(path, "ctx", TEXT, &[2]);
        static AGAIN: Function = Function::new(path, "ctx", TEXT, &[2]);
        static OTHER: Function = Function::new(path, "ctx", "fn f() {\n    2 + 2\n}", &[2]);
        let hits = || profile::report().function("f").and_then(|function| function.line(2)?.hits);
        let call = |function| Frame::enter(function).line(2);
        call(&FIRST);
        call(&AGAIN);
        println!("{:?}", hits());
        call(&OTHER);
        println!("{:?} {}", hits(), profile::report().functions.len());
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| call(&OTHER));
            }
        });
        profile::reset();
        println!("{:?} {}", hits(), profile::report());
        std::thread::spawn(move || call(&OTHER)).join().unwrap();
        call(&OTHER);
        println!("{:?} {}", hits(), profile::report().functions[0].calls);
    };
    let child =
        child::spawn("the_same_function_is_one_and_another_text_replaces_it", On::NoKernel, body);
    let expected =
        "Some(2)\nSome(1) 1\nNone No function with #[line_profile] was called.\nSome(2) 2\n";
    assert_eq!(child.finish().success(), expected);
}

#[test]
fn report_is_shown_as_text_and_as_a_table() {
    let body = || {
        #[line_profile]
        fn compare(a: &[u32]) -> bool {
            if a.len() < 2 && a.is_empty() {
                return true;
            }
            sleep(Duration::from_millis(20));
            false
        }
        compare(&[1]);
        let report = profile::report();
        println!("{report}");
        println!("{}", report.bundle().get("text/html").unwrap());
    };
    let output = child::spawn("report_is_shown_as_text_and_as_a_table", On::NoKernel, body)
        .finish()
        .success();
    let lines: Vec<&str> = output.lines().collect();
    assert!(lines[0].contains("::compare: 1 call, total "), "{output}");
    assert!(lines[1].starts_with("Line  Hits") && lines[1].ends_with("% time  Source"), "{output}");
    assert!(
        lines[3].ends_with("      if a.len() < 2 && a.is_empty() {")
            && lines[3].trim_start().starts_with("2     1 "),
        "{output}"
    );
    // What did not run has no times.
    assert_eq!(
        lines[4].split_whitespace().collect::<Vec<_>>(),
        ["3", "0", "return", "true;"],
        "{output}"
    );
    assert!(lines[9].starts_with("Profiler overhead: about "), "{output}");
    assert!(output.contains("if a.len() &lt; 2 &amp;&amp; a.is_empty() {"), "{output}");
}
