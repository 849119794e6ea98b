//! The kernel's protocol, spoken to the built binary over real ZeroMQ sockets. No Python needed.
//!
//! A kernel takes seconds to start on a busy machine: each test walks through one topic on one
//! kernel, and only what destroys a kernel gets one of its own. No test depends on how fast the
//! machine is: what must happen is waited for, with a generous timeout ([`SOON`]), and what must
//! happen *during* a cell happens before a file exists for which the cell waits
//! ([`Gate`](client::Gate)).

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

/// For what takes a second on an idle machine, on one with far more to do than cores to do it.
const SOON: std::time::Duration = std::time::Duration::from_secs(60);

/// Defines a function for cells: prints `begun` as soon as an interrupt is one for a helper, and
/// does not end the process.
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
