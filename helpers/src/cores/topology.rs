//! Which logical cores share a physical one.

/// Logical cores that are switched on.
pub(super) fn logical() -> usize {
    // SAFETY: sysconf has no preconditions.
    let online = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    usize::try_from(online).unwrap_or(1).max(1)
}

/// Physical cores behind the given logical ones, or behind all that are switched on. `None` when
/// the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn physical(cpus: Option<&[usize]>) -> Option<usize> {
    linux::physical(std::path::Path::new("/sys/devices/system/cpu"), cpus)
}

/// macOS counts them for the whole machine, and has no affinity.
#[cfg(target_os = "macos")]
pub(super) fn physical(cpus: Option<&[usize]>) -> Option<usize> {
    if cpus.is_some() {
        return None;
    }
    let mut count: libc::c_int = 0;
    let mut size = size_of::<libc::c_int>();
    // SAFETY: `count` and `size` describe a place for one C int, which is what this name yields.
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
    use crate::cores::cpu_list;
    use std::collections::HashSet;
    use std::fs::read_to_string;
    use std::path::Path;

    /// Logical cores that share a physical one name the same set of siblings; so many sets, so many
    /// physical cores.
    pub(super) fn physical(directory: &Path, cpus: Option<&[usize]>) -> Option<usize> {
        let cpus = match cpus {
            Some(cpus) => cpus.to_vec(),
            None => cpu_list::parse(&read_to_string(directory.join("online")).ok()?)?,
        };
        let siblings = |cpu: usize| {
            let topology = directory.join(format!("cpu{cpu}/topology"));
            // The second is the name that kernels before 5.1 have.
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
                // The last one under the older name.
                let name = if cpu == 3 { "thread_siblings_list" } else { "core_cpus_list" };
                fs::write(topology.join(name), format!("{},{}\n", cpu % 2, cpu % 2 + 2)).unwrap();
            }
            fs::write(directory.join("online"), "0-3\n").unwrap();
            assert_eq!(physical(&directory, None), Some(2));
            assert_eq!(physical(&directory, Some(&[0, 2])), Some(1));
            assert_eq!(physical(&directory, Some(&[0, 1, 2])), Some(2));
            // A CPU the directory does not describe: better no number than a wrong one.
            assert_eq!(physical(&directory, Some(&[0, 7])), None);
            fs::remove_dir_all(&directory).unwrap();
            assert_eq!(physical(&directory, None), None);
        }
    }
}
