//! All profiled functions, and what the threads have counted in them.
//!
//! A notebook recompiles a function into every later cell, so one function has many statics. They
//! are the same function if path and text are equal. A different text under the same path is a new
//! definition and replaces the old one.

use super::clock;
use super::counters::{Counters, Totals};
use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// A function with `#[line_profile]`: a static that the attribute writes into it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Function {
    /// Returns the path of an item inside the function.
    path: fn() -> &'static str,
    module: &'static str,
    text: &'static str,
    lines: &'static [u32],
    id: OnceLock<usize>,
}

/// A function: all its statics together.
#[derive(Debug)]
pub struct Entry {
    /// As the learner would write it.
    pub path: String,
    pub text: String,
    /// The lines on which something is counted.
    pub lines: Vec<u32>,
    /// Whether a later definition has replaced it.
    replaced: bool,
    live: Vec<&'static Counters>,
    /// Zeroed counters of ended threads, for future threads.
    free: Vec<&'static Counters>,
    retired: Totals,
    /// The totals at the last reset. Threads may be counting at that moment, so only subtraction is
    /// exact.
    baseline: Totals,
}

static ENTRIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

fn entries() -> MutexGuard<'static, Vec<Entry>> {
    ENTRIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Blocks registration while the process forks: the child's copy of the lock must not be held by
/// another thread.
pub(crate) fn lock_for_fork() -> impl Sized {
    entries()
}

impl Function {
    /// For the attribute only. `path` names an item two levels inside the function.
    pub const fn new(
        path: fn() -> &'static str,
        module: &'static str,
        text: &'static str,
        lines: &'static [u32],
    ) -> Function {
        Function { path, module, text, lines, id: OnceLock::new() }
    }

    /// This thread's counters.
    pub(super) fn counters(&self) -> Option<&'static Counters> {
        let id = *self.id.get_or_init(|| self.register());
        THREAD.try_with(|thread| thread.borrow_mut().counters(id)).ok()
    }

    fn register(&self) -> usize {
        clock::start();
        let path = learners_path((self.path)(), self.module);
        let mut entries = entries();
        let mut found = None;
        for (id, entry) in entries.iter_mut().enumerate().filter(|(_, entry)| entry.path == path) {
            entry.replaced = entry.text != self.text;
            if !entry.replaced {
                found = Some(id);
            }
        }
        found.unwrap_or_else(|| {
            entries.push(Entry {
                path: path.clone(),
                text: self.text.to_owned(),
                lines: self.lines.to_vec(),
                replaced: false,
                live: Vec::new(),
                free: Vec::new(),
                retired: Totals::default(),
                baseline: Totals::default(),
            });
            entries.len() - 1
        })
    }
}

/// `ctx::Grid::step::__PARCOURSE_LINE_PROFILE::here` without the crate and what the attribute
/// added: `Grid::step`.
fn learners_path(path: &str, module: &str) -> String {
    let path = path.rsplitn(3, "::").nth(2).unwrap_or(path);
    let root = format!("{}::", module.split("::").next().unwrap_or_default());
    let mut parts = path.split(&root);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // The end of a longer name is not the crate.
        if kept.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            kept.push_str(&root);
        }
        kept.push_str(part);
    }
    kept
}

impl Entry {
    pub fn totals(&self) -> Totals {
        self.all().since(&self.baseline)
    }

    fn all(&self) -> Totals {
        let mut totals = self.retired.clone();
        totals.lines.resize(self.text.lines().count(), (0, 0));
        self.live.iter().for_each(|counters| counters.add_to(&mut totals));
        totals
    }
}

/// Everything that is counted now, in the order of first calls.
pub fn with_entries<R>(f: impl FnMut(&Entry) -> R) -> Vec<R> {
    entries().iter().filter(|entry| !entry.replaced).map(f).collect()
}

/// Resets the counts of all functions with `#[line_profile]`.
///
/// Running calls continue to be counted.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// #[line_profile]
/// fn half(x: f64) -> f64 {
///     x / 2.0
/// }
/// half(3.0);
/// profile::reset();
/// assert!(profile::report().function("half").is_none());
/// ```
pub fn reset() {
    for entry in entries().iter_mut() {
        entry.baseline = entry.all();
    }
}

/// The counters of one thread, by function.
struct Thread(Vec<Option<&'static Counters>>);

thread_local! {
    static THREAD: RefCell<Thread> = const { RefCell::new(Thread(Vec::new())) };
}

impl Thread {
    fn counters(&mut self, id: usize) -> &'static Counters {
        if self.0.len() <= id {
            self.0.resize(id + 1, None);
        }
        self.0[id].get_or_insert_with(|| {
            let mut entries = entries();
            let entry = &mut entries[id];
            let counters = entry
                .free
                .pop()
                .unwrap_or_else(|| Box::leak(Box::new(Counters::new(entry.text.lines().count()))));
            entry.live.push(counters);
            counters
        })
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        let mut entries = entries();
        for (id, counters) in self.0.iter().enumerate() {
            let Some(counters) = *counters else { continue };
            let entry = &mut entries[id];
            counters.add_to(&mut entry.retired);
            counters.clear();
            entry.live.retain(|other| !std::ptr::eq(*other, counters));
            entry.free.push(counters);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::learners_path;

    #[test]
    fn paths_are_as_the_learner_writes_them() {
        for (path, expected) in [
            ("ctx::f::X::here", "f"),
            ("ctx::Grid<T>::step::X::here", "Grid<T>::step"),
            ("ctx::model::<impl ctx::Grid>::step::X::here", "model::<impl Grid>::step"),
            ("<ctx::Grid as other::Step>::step::X::here", "<Grid as other::Step>::step"),
            ("ctx::my_ctx::f::X::here", "my_ctx::f"),
        ] {
            assert_eq!(learners_path(path, "ctx::model"), expected);
        }
    }
}
