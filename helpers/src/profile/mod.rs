//! Where in the program does the time go?
//!
//! # Line by line
//!
//! The attribute [`line_profile`] on a function counts how often every line of it runs and how long that takes, as Python's
//! `line_profiler` does; [`report`] shows it beside the source, [`reset`] starts again from zero.
//!
//! ```
//! use parcourse::prelude::*;
//!
//! #[line_profile]
//! fn primes(limit: u32) -> Vec<u32> {
//!     let mut found = Vec::new();
//!     for n in 2..limit {
//!         if (2..n).all(|d| n % d != 0) {
//!             found.push(n);
//!         }
//!     }
//!     found
//! }
//!
//! assert_eq!(primes(100).len(), 25);
//! let report = profile::report();
//! println!("{report}");
//! assert_eq!(report.function("primes").unwrap().line(5).unwrap().hits, Some(25));
//! ```
//!
//! prints
//!
//! ```text
//! primes: 1 call, total 17.8 µs
//! Line  Hits     Time  Per hit  % time  Source
//!    1                                  fn primes(limit: u32) -> Vec<u32> {
//!    2     1   148 ns   148 ns     0.8      let mut found = Vec::new();
//!    3    99  3.92 µs    39 ns    22.0      for n in 2..limit {
//!    4    98  12.4 µs   126 ns    69.5          if (2..n).all(|d| n % d != 0) {
//!    5    25  1.32 µs    52 ns     7.4              found.push(n);
//!    6                                          }
//!    7                                      }
//!    8     1    50 ns    50 ns     0.3      found
//!    9                                  }
//! Profiler overhead: about 21 ns per line event, 225 events: about 4.73 µs of the times above.
//! ```
//!
//! **What is counted.** A line is hit when a statement that begins on it begins. Also: the line of a `for` or `while` each time its header
//! decides, so that five rounds are six hits, as in Python; `else if` when its condition is looked at; an arm of a `match` without braces
//! when it is taken. Several statements on one line are one. A closure's body in braces is counted line by line on whichever thread it
//! runs; one without braces belongs to the statement around it, as does everything inside a macro's parentheses and an `async` block.
//! A function inside the function is another function.
//!
//! **Whose time it is.** A line's time includes the functions it calls. When the function calls itself, each moment belongs to the
//! innermost call only, so that the lines add up to the time spent in the function. Times of several threads are added, and a line that
//! waits for threads has its waiting time beside the time of the lines that ran there.
//!
//! **What it costs.** Each line event reads the clock, some 20 ns; the report says how much this machine needs. It is part of the times
//! and not subtracted: the compiler and the processor overlap it with the work, and the difference would pretend to a precision that it
//! does not have. A line that takes as long per hit as an event costs is faster than the profiler can see. The optimiser cannot move work
//! across lines either, nor vectorise a loop with lines in it.
//!
//! Counts go on until [`reset`]; defining a function anew with another text starts its counts again.

mod lines;

pub use lines::{Frame, Function, FunctionReport, Line, Report, Resumption, report, reset};
pub use parcourse_macros::line_profile;
