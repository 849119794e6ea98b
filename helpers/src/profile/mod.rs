//! Where does the program spend its time?
//!
//! # Line by line
//!
//! The attribute [`line_profile`] on a function counts how often each of its lines runs and how
//! long that takes, as Python's `line_profiler` does; [`report`] shows it next to the source,
//! [`reset`] starts again from zero.
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
//! primes: 1 call, total 5.42 µs
//! Line  Hits     Time  Per hit  % time  Source
//!    1                                  fn primes(limit: u32) -> Vec<u32> {
//!    2     1    30 ns    30 ns     0.6      let mut found = Vec::new();
//!    3    99  1.15 µs    12 ns    21.2      for n in 2..limit {
//!    4    98  3.73 µs    38 ns    68.8          if (2..n).all(|d| n % d != 0) {
//!    5    25   480 ns    19 ns     8.9              found.push(n);
//!    6                                          }
//!    7                                      }
//!    8     1    30 ns    30 ns     0.6      found
//!    9                                  }
//! Profiler overhead: about 11 ns per line event, 225 events: about 2.48 µs of the times above. A line with 11 ns per hit may take far less.
//! ```
//!
//! **What is counted.** A line gets a hit when a statement that starts on it starts. The line of a
//! `for` or `while` also gets a hit each time its header decides, so five rounds are six hits, as
//! in Python; an `else if` when its condition is evaluated; an arm of a `match` without braces when
//! it is taken. Several statements on one line count as one. A closure's body in braces is counted
//! line by line on whichever thread it runs; one without braces belongs to the surrounding
//! statement, as does everything inside a macro's parentheses and an `async` block. A nested
//! function is a function of its own.
//!
//! **Which time counts.** A line's time includes the functions it calls. If the function calls
//! itself, each moment belongs to the innermost call only, so that the lines add up to the time
//! spent in the function. Times of several threads are added; a line that waits for threads has its
//! waiting time in addition to the time of the lines that ran there.
//!
//! **What it costs.** Each line event reads the clock, 10 to 40 ns; the report says how much on
//! this machine, and a call costs about three more events. This is part of the times and not
//! subtracted: the processor overlaps it with the work, so the difference would pretend a precision
//! that it does not have. A line that takes as long per hit as an event is faster than the profiler
//! can measure. The optimiser cannot move work across lines either, nor vectorise a loop with lines
//! in it.
//!
//! **What cannot be profiled** does not compile: an `async fn`, whose lines run whenever it is
//! polled; a `const fn`, which the compiler may run; a function whose name or parts come from a
//! macro, because it has no text of its own.
//!
//! ```compile_fail
//! # use parcourse::prelude::*;
//! #[line_profile]
//! async fn download() {}
//! ```
//!
//! ```compile_fail
//! # use parcourse::prelude::*;
//! #[line_profile]
//! const fn three() -> u32 { 3 }
//! ```
//!
//! ```compile_fail
//! # use parcourse::prelude::*;
//! macro_rules! function {
//!     ($name:ident) => {
//!         #[line_profile]
//!         fn $name() {}
//!     };
//! }
//! function!(written_by_a_macro);
//! ```
//!
//! Counting continues until [`reset`]; redefining a function with a different text restarts its
//! counts. Reading order: `lines` (`clock`, `counters`, `frame`, `registry`, `report`), then
//! `flame`.

mod flame;
mod lines;

pub use flame::{FlameGraph, HotFunction, flame_graph};
pub(crate) use lines::lock_for_fork;
pub use lines::{Frame, Function, FunctionReport, Line, Report, Resumption, report, reset};
pub use parcourse_macros::line_profile;

use crate::format::escape_html;

/// The start of a table of figures and code.
const TABLE: &str = "<table style=\"color:inherit;border-collapse:collapse;\
                     font-family:monospace;font-size:90%;line-height:1.35\">";

/// A remark below a table.
fn remark(text: &str) -> String {
    format!("<p style=\"opacity:.75;font-size:90%\">{}</p>", escape_html(text))
}
