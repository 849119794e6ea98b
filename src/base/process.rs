//! Processes: children that do not outlive us, and what `/proc` says about others.

use rustix::process::{Pid, Signal};
use std::process::Command;

/// Kills a child when this process dies, even if it is killed itself. Only Linux offers this. What
/// the child starts (kernels) watches its own parent.
pub fn die_with_parent(command: &mut Command) -> &mut Command {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;
        let parent = std::process::id();
        // SAFETY: between fork and exec the closure makes two system calls and allocates nothing.
        unsafe {
            command.pre_exec(move || {
                if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                    return Err(std::io::Error::last_os_error());
                }
                // The parent may have died before the call above.
                if libc::getppid() as u32 != parent {
                    return Err(std::io::Error::from_raw_os_error(libc::ESRCH));
                }
                Ok(())
            });
        }
    }
    command
}

/// Makes the system kill this process when its parent dies. Only Linux offers this.
pub fn end_with_parent() {
    #[cfg(target_os = "linux")]
    {
        let parent = rustix::process::getppid();
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
        // The parent may have died before the call above.
        if rustix::process::getppid() != parent {
            std::process::exit(0);
        }
    }
}

/// Processor time in seconds, user and system, of `who`: one of libc's `RUSAGE_…`.
pub fn cpu_seconds(who: libc::c_int) -> f64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: getrusage fills the structure; if it fails, zeroed plain data is valid.
    let usage = unsafe {
        libc::getrusage(who, usage.as_mut_ptr());
        usage.assume_init()
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// All processes that `root` started, directly or not, except those for which `skip` returns true
/// and their descendants. Empty if there is no `/proc`.
pub fn descendants(root: Pid, skip: impl Fn(Pid) -> bool) -> Vec<Pid> {
    let parents: Vec<(Pid, Pid)> =
        all().into_iter().filter_map(|pid| Some((pid, parent(pid)?))).collect();
    descendants_among(&parents, root, skip)
}

fn descendants_among(parents: &[(Pid, Pid)], root: Pid, skip: impl Fn(Pid) -> bool) -> Vec<Pid> {
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(
            parents.iter().filter(|(pid, of)| *of == parent && !skip(*pid)).map(|(pid, _)| *pid),
        );
        next += 1;
    }
    found.split_off(1)
}

/// The processes whose parent is `pid`. Empty if there is no `/proc`.
pub fn children(pid: Pid) -> Vec<Pid> {
    all().into_iter().filter(|child| parent(*child) == Some(pid)).collect()
}

/// All processes that were started with this entry, `NAME=value`, in their environment.
pub fn with_environment(entry: &str) -> Vec<Pid> {
    let has_entry = |pid: &Pid| {
        std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).is_ok_and(|environment| {
            environment.split(|byte| *byte == 0).any(|found| found == entry.as_bytes())
        })
    };
    all().into_iter().filter(has_entry).collect()
}

pub fn kill_all(processes: &[Pid]) {
    for pid in processes {
        let _ = rustix::process::kill_process(*pid, Signal::KILL);
    }
}

fn all() -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// The process's parent, if there is one.
pub fn parent(pid: Pid) -> Option<Pid> {
    Pid::from_raw(stat(pid)?.get(1)?.parse().ok()?)
}

/// The fields of `/proc/PID/stat`, from the third on. The second field, the command's name in
/// parentheses, may contain anything.
pub fn stat(pid: Pid) -> Option<Vec<String>> {
    fields(&std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?)
}

fn fields(stat: &str) -> Option<Vec<String>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// Whether the process has installed a handler for the signal.
pub fn handles(pid: Pid, signal: Signal) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()))
    else {
        return false;
    };
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}

/// The text as one word for a POSIX shell.
pub fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commands_name_may_contain_anything() {
        assert_eq!(fields("12 (a) b (c) S 7 12").unwrap(), ["S", "7", "12"]);
        assert_eq!(fields(""), None);
    }

    #[test]
    fn descendants_at_every_depth() {
        let pid = |number| Pid::from_raw(number).unwrap();
        let parents =
            [(2, 1), (3, 2), (4, 3), (5, 1), (6, 9)].map(|(child, of)| (pid(child), pid(of)));
        let found = |skip: i32| descendants_among(&parents, pid(2), |other| other == pid(skip));
        assert_eq!(found(9), [pid(3), pid(4)]);
        assert_eq!(found(4), [pid(3)]);
        assert_eq!(found(3), []);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_among_its_parents_children() {
        let (this, parent) =
            (rustix::process::getpid(), rustix::process::getppid().expect("a parent"));
        assert_eq!(super::parent(this), Some(parent));
        assert!(children(parent).contains(&this));
    }

    #[test]
    fn quotes_for_a_shell() {
        assert_eq!(shell_quoted("it's here"), r"'it'\''s here'");
    }
}
