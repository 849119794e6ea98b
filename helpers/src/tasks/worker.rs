//! What threads are called in a task stream.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The name of a worker, and what is known of its colleagues.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    /// How many threads the rayon pool has to which it belongs, if its threads have no names of
    /// their own.
    pub(super) rayon_threads: Option<usize>,
}

/// The name of thread number `index` of a rayon pool that has not named its threads.
pub(super) fn rayon(index: usize) -> String {
    format!("rayon {index}")
}

/// The thread's name; the threads of rayon and those without a name get one.
pub(super) fn name_of_this_thread() -> Name {
    static NAMELESS: AtomicUsize = AtomicUsize::new(1);
    let thread = std::thread::current();
    match (thread.name(), rayon::current_thread_index()) {
        (Some(name), _) => Name { text: name.into(), rayon_threads: None },
        (None, Some(index)) => {
            Name { text: rayon(index), rayon_threads: Some(rayon::current_num_threads()) }
        }
        (None, None) => Name {
            text: format!("thread {}", NAMELESS.fetch_add(1, Ordering::Relaxed)),
            rayon_threads: None,
        },
    }
}

/// Puts `rayon 2` before `rayon 10`, and `main` before all others.
pub(super) fn order(name: &str) -> (bool, String, usize) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (name != "main", stem.to_string(), name[stem.len()..].parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count() {
        let mut names = ["rayon 10", "pool-1", "rayon 2", "main", "pool-0", "a"];
        names.sort_by_key(|name| order(name));
        assert_eq!(names, ["main", "a", "pool-0", "pool-1", "rayon 2", "rayon 10"]);
    }

    #[test]
    fn every_thread_has_a_name() {
        let nameless = std::thread::spawn(name_of_this_thread).join().unwrap();
        assert!(nameless.text.starts_with("thread "), "{nameless:?}");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let name = pool.install(name_of_this_thread);
        assert!(name.text.starts_with("rayon ") && name.rayon_threads == Some(3), "{name:?}");
    }
}
