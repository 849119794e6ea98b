//! Which logical cores there are, which of them this thread may run on, and which share a physical
//! core.

/// Logical cores that are online.
pub(super) fn logical() -> usize {
    // SAFETY: sysconf has no preconditions.
    let online = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    usize::try_from(online).unwrap_or(1).max(1)
}

/// Physical cores behind the given logical ones, or behind all that are online. `None` if unknown.
#[cfg(target_os = "linux")]
pub(super) fn physical(cpus: Option<&[usize]>) -> Option<usize> {
    linux::physical(std::path::Path::new("/sys/devices/system/cpu"), cpus)
}

/// macOS reports them for the whole machine, and has no affinity.
#[cfg(target_os = "macos")]
pub(super) fn physical(cpus: Option<&[usize]>) -> Option<usize> {
    if cpus.is_some() {
        return None;
    }
    let mut count: libc::c_int = 0;
    let mut size = size_of::<libc::c_int>();
    // SAFETY: `count` and `size` describe one C int, which is what this name yields.
    let result = unsafe {
        libc::sysctlbyname(
            c"hw.physicalcpu".as_ptr(),
            (&raw mut count).cast(),
            &raw mut size,
            std::ptr::null_mut(),
            0,
        )
    };
    (result == 0).then(|| usize::try_from(count).ok()).flatten().filter(|&count| count > 0)
}

/// Not available here.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn physical(_: Option<&[usize]>) -> Option<usize> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use super::parse_cpu_list;
    use std::collections::HashSet;
    use std::fs::read_to_string;
    use std::path::Path;

    /// Logical cores that share a physical core list the same siblings, so the number of distinct
    /// lists is the number of physical cores.
    pub(super) fn physical(directory: &Path, cpus: Option<&[usize]>) -> Option<usize> {
        let cpus = match cpus {
            Some(cpus) => cpus.to_vec(),
            None => parse_cpu_list(&read_to_string(directory.join("online")).ok()?)?,
        };
        let siblings = |cpu: usize| {
            let topology = directory.join(format!("cpu{cpu}/topology"));
            // The name before Linux 5.1.
            read_to_string(topology.join("core_cpus_list"))
                .or_else(|_| read_to_string(topology.join("thread_siblings_list")))
                .ok()
        };
        let cores = cpus.into_iter().map(siblings).collect::<Option<HashSet<String>>>()?;
        (!cores.is_empty()).then_some(cores.len())
    }

    #[cfg(test)]
    mod tests {
        use super::physical;
        use std::fs;

        /// Two physical cores with two hyper-threads each, numbered as Intel does.
        #[test]
        fn hyper_threads_share_a_core() {
            let directory =
                std::env::temp_dir().join(format!("parcourse-topology-{}", std::process::id()));
            for cpu in 0..4 {
                let topology = directory.join(format!("cpu{cpu}/topology"));
                fs::create_dir_all(&topology).unwrap();
                // The last one uses the older name.
                let name = if cpu == 3 { "thread_siblings_list" } else { "core_cpus_list" };
                fs::write(topology.join(name), format!("{},{}\n", cpu % 2, cpu % 2 + 2)).unwrap();
            }
            fs::write(directory.join("online"), "0-3\n").unwrap();
            assert_eq!(physical(&directory, None), Some(2));
            assert_eq!(physical(&directory, Some(&[0, 2])), Some(1));
            assert_eq!(physical(&directory, Some(&[0, 1, 2])), Some(2));
            // For a CPU that the directory does not describe, no number is better than a wrong one.
            assert_eq!(physical(&directory, Some(&[0, 7])), None);
            fs::remove_dir_all(&directory).unwrap();
            assert_eq!(physical(&directory, None), None);
        }
    }
}

/// The logical cores that this thread, and the threads it starts, may run on; `None` if the system
/// has no affinity.
#[cfg(target_os = "linux")]
pub(super) fn allowed() -> Option<Vec<usize>> {
    // The kernel refuses a mask shorter than its own (EINVAL); machines with more than 1024 CPUs
    // exist.
    for words in [16usize, 64, 256, 1024] {
        let mut mask = vec![0u64; words];
        // SAFETY: the buffer has the size given, and is aligned at least as strictly as the words
        // of a cpu_set_t.
        let result =
            unsafe { libc::sched_getaffinity(0, size_of_val(&mask[..]), mask.as_mut_ptr().cast()) };
        if result == 0 {
            let is_set = |cpu: &usize| mask[cpu / 64] >> (cpu % 64) & 1 == 1;
            return Some((0..words * 64).filter(is_set).collect());
        }
    }
    None
}

/// Other systems have no affinity that a program could query.
#[cfg(not(target_os = "linux"))]
pub(super) fn allowed() -> Option<Vec<usize>> {
    None
}

/// The numbers in a list as in `/sys/devices/system/cpu`, `0-3,8,10-11`, in the order given; `None`
/// if the text is not such a list.
pub(crate) fn parse_cpu_list(text: &str) -> Option<Vec<usize>> {
    let mut cpus = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        match part.split_once('-') {
            Some((first, last)) => {
                cpus.extend(first.trim().parse::<usize>().ok()?..=last.trim().parse().ok()?)
            }
            None => cpus.push(part.trim().parse().ok()?),
        }
    }
    Some(cpus)
}

/// The list that [`parse_cpu_list`] reads.
pub(super) fn write_cpu_list(cpus: &[usize]) -> String {
    let mut parts = Vec::new();
    for run in cpus.chunk_by(|a, b| a + 1 == *b) {
        match run {
            [first, .., last] => parts.push(format!("{first}-{last}")),
            alone => parts.extend(alone.iter().map(usize::to_string)),
        }
    }
    parts.join(",")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// The standard library reads the same mask, and applies the cgroup quota: a lower bound.
    #[test]
    fn agrees_with_the_standard_library() {
        let allowed = allowed().expect("Linux has affinity");
        assert!(allowed.len() >= std::thread::available_parallelism().unwrap().get());
        assert!(allowed.is_sorted());
    }

    #[test]
    fn follows_a_change_of_affinity() {
        std::thread::spawn(|| {
            let first = allowed().unwrap()[0];
            // SAFETY: a zeroed cpu_set_t is an empty set; only this short-lived thread is pinned.
            unsafe {
                let mut set: libc::cpu_set_t = std::mem::zeroed();
                libc::CPU_SET(first, &mut set);
                assert_eq!(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set), 0);
            }
            assert_eq!(allowed(), Some(vec![first]));
        })
        .join()
        .unwrap();
    }

    #[test]
    fn what_is_written_can_be_read() {
        assert_eq!(write_cpu_list(&[0, 1, 2, 3, 8, 10, 11]), "0-3,8,10-11");
        for cpus in [vec![], vec![5], vec![0, 1], vec![0, 1, 2], vec![3, 7, 8, 9, 20]] {
            assert_eq!(parse_cpu_list(&write_cpu_list(&cpus)), Some(cpus));
        }
    }

    #[test]
    fn ranges_and_single_numbers() {
        assert_eq!(parse_cpu_list("0-3,8,10-11\n"), Some(vec![0, 1, 2, 3, 8, 10, 11]));
        assert_eq!(parse_cpu_list("0\n"), Some(vec![0]));
        assert_eq!(parse_cpu_list("\n"), Some(vec![]));
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(parse_cpu_list("0-x"), None);
        assert_eq!(parse_cpu_list("all"), None);
    }
}
