//! CPU affinity: which logical cores the scheduler may put this thread on. Set by `taskset`,
//! `numactl`, containers and batch systems.

/// The logical cores this thread, and the threads it starts, may run on; `None` where the system
/// has no such thing.
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

/// Other systems have no affinity that a program could ask for.
#[cfg(not(target_os = "linux"))]
pub(super) fn allowed() -> Option<Vec<usize>> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::allowed;

    /// The standard library reads the same mask by its own means, and the cgroup quota on top: an
    /// upper bound for it.
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
}
