//! Looking at processes from outside.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Every running process: its id and its parent's. Zombies, which only wait to be noticed, do not
/// count.
fn table() -> Vec<(u32, u32)> {
    let output = Command::new("ps")
        .args(["-A", "-o", "pid=,ppid=,stat="])
        .output()
        .expect("ps is needed to look for processes");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            let (pid, parent, state) =
                (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?, fields.next()?);
            (!state.starts_with('Z')).then_some((pid, parent))
        })
        .collect()
}

/// All descendants of a process.
pub fn below(pid: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (child, parent) in table() {
        children.entry(parent).or_default().push(child);
    }
    let (mut found, mut todo) = (Vec::new(), vec![pid]);
    while let Some(next) = todo.pop() {
        for &child in children.get(&next).into_iter().flatten() {
            found.push(child);
            todo.push(child);
        }
    }
    found
}

/// Those that still run after waiting for all to go.
pub fn left_after(pids: &[u32], timeout: Duration) -> Vec<u32> {
    wait(timeout, || {
        table().into_iter().map(|(pid, _)| pid).filter(|pid| pids.contains(pid)).collect()
    })
}

/// Those whose environment has a variable of this value, after waiting for all to go: also
/// processes that have detached themselves from everything. Looks into /proc, so that it finds
/// nothing where there is none.
pub fn left_with_variable(name: &str, value: &Path, timeout: Duration) -> Vec<u32> {
    let wanted = [name.as_bytes(), b"=", value.as_os_str().as_encoded_bytes()].concat();
    let has_it = |pid: &u32| {
        std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
            environment.split(|byte| *byte == 0).any(|variable| variable == wanted)
        })
    };
    wait(timeout, || table().into_iter().map(|(pid, _)| pid).filter(has_it).collect())
}

/// `timeout` is what an idle machine needs; a busy one has more.
fn wait(timeout: Duration, look: impl Fn() -> Vec<u32>) -> Vec<u32> {
    let end = Instant::now() + 10 * timeout;
    loop {
        let running = look();
        if running.is_empty() || Instant::now() > end {
            return running;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Sends a signal to one process.
pub fn signal(pid: u32, signal: libc::c_int) {
    // SAFETY: kill takes any two numbers.
    unsafe { libc::kill(libc::pid_t::try_from(pid).expect("process ids fit"), signal) };
}
