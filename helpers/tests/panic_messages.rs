//! What a panic in a pool leaves on stderr: one message, with everything in it.
#![cfg(unix)]

mod child;

use child::On;
use parcourse::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The lines on stderr that a panic begins with, and the messages below them.
fn messages(stderr: &str) -> Vec<(&str, &str)> {
    let lines: Vec<&str> = stderr.lines().collect();
    lines
        .windows(2)
        .filter(|pair| pair[0].contains("panicked at"))
        .map(|pair| (pair[0], pair[1]))
        .collect()
}

#[test]
fn one_panic_is_one_message() {
    let child = child::spawn("one_panic_is_one_message", On::Stock, || {
        let letter = |word: &&str| word.chars().nth(4).expect("fifth letter");
        let _ = catch_unwind(|| Pool::new(2).map(letter, &["computer", "thesis", "mom"]));
    });
    let stderr = child.finish().stderr;
    let messages = messages(&stderr);
    assert_eq!(messages.len(), 1, "{stderr}");
    let (head, message) = messages[0];
    assert!(!head.contains("pool-"), "{stderr}");
    let place = format!("(at {}:{}:", file!(), line!() - 8);
    assert!(
        message.starts_with("the function panicked on items[2] = \"mom\": fifth letter ")
            && message.contains(&place),
        "{stderr}"
    );
}

/// The innermost item's panic travels outwards; each pool adds the name of its item.
#[test]
fn nested_pools_make_one_message() {
    let child = child::spawn("nested_pools_make_one_message", On::Stock, || {
        let row = |&y: &i32| Pool::new(2).map(|&x: &i32| 1 / (x * y), &[1, 2]);
        let _ = catch_unwind(|| Pool::new(2).map(row, &[1, 0]));
    });
    let stderr = child.finish().stderr;
    let messages = messages(&stderr);
    assert_eq!(messages.len(), 1, "{stderr}");
    let expected = "the function panicked on items[1] = 0: the function panicked on \
                    items[0] = 1: attempt to divide by zero";
    assert!(messages[0].1.starts_with(expected), "{stderr}");
}

/// Only an item's own panic is silent: not one before, after or beside the pool, nor one in a
/// thread that the item started.
#[test]
fn panics_elsewhere_are_printed_as_ever() {
    let child = child::spawn("panics_elsewhere_are_printed_as_ever", On::Stock, || {
        let caught = |f: &dyn Fn()| drop(catch_unwind(AssertUnwindSafe(f)));
        caught(&|| panic!("before"));
        Pool::new(2).map(|x| x + 1, &[1, 2]);
        caught(&|| panic!("after"));
        Pool::new(2).map(|_| drop(std::thread::spawn(|| panic!("beside")).join()), &[1]);
    });
    let stderr = child.finish().stderr;
    let texts: Vec<&str> = messages(&stderr).into_iter().map(|(_, message)| message).collect();
    assert_eq!(texts, ["before", "after", "beside"], "{stderr}");
}

/// A hook installed later is called for every panic: then there are two messages, and nothing
/// breaks.
#[test]
fn later_hook_of_the_program_wins() {
    let child = child::spawn("later_hook_of_the_program_wins", On::Stock, || {
        Pool::new(2).map(|x| x + 1, &[1, 2]);
        std::panic::set_hook(Box::new(|info| println!("hook: {}", info.payload_as_str().unwrap())));
        let _ = catch_unwind(|| Pool::new(2).map(|x: &i32| 1 / (x - 1), &[1]));
    });
    let zero = "attempt to divide by zero";
    assert_eq!(
        child.finish().success(),
        format!("hook: {zero}\nhook: the function panicked on items[0] = 1: {zero}\n")
    );
}
