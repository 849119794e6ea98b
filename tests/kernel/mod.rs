//! Tests the kernel's protocol with the built binary over real ZeroMQ sockets. They need no Python.
//!
//! A kernel takes seconds to start on a busy machine, so each test covers one topic on one kernel,
//! and only tests that destroy a kernel start their own. No test depends on the machine's speed:
//! tests wait for events with a generous timeout ([`TIMEOUT`]), and what must happen *during* a
//! cell happens before the test creates a file for which the cell waits ([`Gate`](client::Gate)).

mod awaiting;
mod client;
mod code_size;
mod compiling;
mod crates_seen;
mod deaths;
mod errors;
mod interrupts;
mod lifecycle;
mod output;
mod refused;
mod requests;
mod results;
mod stdin;
mod types;

/// A timeout for what takes a second on an idle machine, generous enough for an overloaded one.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

/// Defines a function for cells that prints `begun` as soon as a helper handles interrupts, so that
/// they do not end the process.
const SAY_WHEN_PROTECTED: &str = r#"
fn say_when_protected() {
    std::thread::spawn(|| {
        let caught = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim();
            u64::from_str_radix(mask, 16).unwrap() & 2 != 0
        };
        while !caught() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        println!("begun");
    });
}
"#;

/// The first lines of a notebook.
const PRELUDE: &str = ":dep parcourse = { path = \"../helpers\" }\nuse parcourse::prelude::*;";
