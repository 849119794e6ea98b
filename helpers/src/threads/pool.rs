//! A pool with a given number of threads.
//!
//! The threads belong to a rayon pool of our own: they start with the first task, wait for the next
//! one at no cost, and end with the pool. So a `map` costs what a `par_iter` costs, the function
//! may borrow without unsafe code here, a thread that waits for its own pool runs that pool's work
//! meanwhile, and 3 threads are 3 threads even if rayon's global pool has 2. What rayon does not
//! offer is in [`map_run`]: single items for tasks that wait, and the name of an
//! item whose function fails.

use super::map_run::{self, MapRun, ResultBuffer, Work};
use crate::base::panic_message::truncated_debug;
use crate::base::per_process::PerProcess;
use crate::base::{panic_capture, thread_activity};
use crate::cores::cores;
use crate::display::ProgressBar;
use crate::interrupt::{self, Interrupted, Scope};
use crate::pool::{Arguments, Cause, Failure, Future, Slot, UntypedFuture};
use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A pool of threads: Python's `multiprocessing.Pool`, with threads instead of processes.
///
/// A clone is the same pool. The threads start with the first task and end with the last clone;
/// starting one takes about 40 µs.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let words = ["computer", "thesis", "mom"];
/// let lengths = Pool::new(3).map(|word| word.len(), &words);
/// assert_eq!(lengths, [8, 6, 3]);
/// ```
#[derive(Clone)]
pub struct Pool {
    num_threads: usize,
    chunk_size: Option<usize>,
    progress: bool,
    /// A forked process has none of them and starts its own.
    threads: Arc<PerProcess<OnceLock<rayon::ThreadPool>>>,
}

impl Pool {
    /// A pool of exactly `num_threads` threads, however many cores there are.
    ///
    /// # Panics
    ///
    /// With 0 threads.
    #[track_caller]
    pub fn new(num_threads: usize) -> Pool {
        assert!(num_threads > 0, "a pool needs at least one thread: Pool::new(0)");
        Pool { num_threads, chunk_size: None, progress: false, threads: Arc::default() }
    }

    /// The same pool, with a fixed number of items that a thread takes at a time. By default, a
    /// thread takes one item at first, and more while they take less than about 50 µs together.
    ///
    /// # Panics
    ///
    /// With 0 items.
    #[track_caller]
    #[must_use]
    pub fn chunk_size(self, items: usize) -> Pool {
        assert!(items > 0, "a chunk needs at least one item: chunk_size(0)");
        Pool { chunk_size: Some(items), ..self }
    }

    /// The same pool, with a progress bar while [`map`](Pool::map) and its relatives run.
    #[must_use]
    pub fn progress(self) -> Pool {
        Pool { progress: true, ..self }
    }

    /// The number of threads of the pool.
    pub fn num_threads(&self) -> usize {
        self.num_threads
    }

    /// Applies `f` to every item, several at the same time, and returns the results in the order of
    /// the items.
    ///
    /// Each thread takes the next item as soon as it has finished one, so long and short tasks even
    /// out; of short ones it takes several at once. The order in which items are computed is not
    /// fixed; the order of the results is.
    ///
    /// From 1000 items of a microsecond each, this is as fast as rayon's
    /// `items.par_iter().map(f).collect()`. Memory: the results twice, for a moment.
    ///
    /// Pools may be nested: a pool inside itself uses the same threads, different pools have
    /// threads of their own. Rayon's work inside `f` runs on this pool's threads, too.
    ///
    /// # Panics
    ///
    /// If `f` panics, no further item is begun, the running ones are finished, and then `map`
    /// panics with the item's index and value, the message of the panic and its location. Of
    /// several panics it reports the one with the smallest index. To print one message instead of
    /// two, the first `map` of a program wraps the panic hook; panics elsewhere go to the previous
    /// hook.
    ///
    /// An interrupt (see [`interrupt`]) ends `map` after the running items.
    ///
    /// If the threads cannot be started.
    ///
    /// # Examples
    ///
    /// The function may borrow, and the results may borrow from the items:
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let suffix = "!".to_string();
    /// let words = vec!["rust ".to_string(), "python ".to_string()];
    /// let shouted = Pool::default().map(|word| word.trim().to_uppercase() + &suffix, &words);
    /// let trimmed: Vec<&str> = Pool::new(2).map(|word| word.trim(), &words);
    /// assert_eq!(shouted, ["RUST!", "PYTHON!"]);
    /// assert_eq!(trimmed, ["rust", "python"]);
    /// ```
    ///
    /// What is not safe to share between threads does not compile:
    ///
    /// ```compile_fail,E0277
    /// use parcourse::prelude::*;
    /// let counter = std::cell::Cell::new(0);
    /// Pool::new(2).map(|x| counter.set(counter.get() + x), &[1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn map<'items, T, R, F>(&self, f: F, items: &'items [T]) -> Vec<R>
    where
        T: Sync + fmt::Debug,
        R: Send,
        F: Fn(&'items T) -> R + Sync,
    {
        self.run(|_, item| f(item), items)
    }

    /// Like [`map`](Pool::map), with the item's position: Python's `starmap(f, enumerate(items))`.
    ///
    /// # Panics
    ///
    /// As [`map`](Pool::map).
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let labels = Pool::new(2).map_indexed(|i, word| format!("{i}: {word}"), &["flour", "eggs"]);
    /// assert_eq!(labels, ["0: flour", "1: eggs"]);
    /// ```
    #[track_caller]
    pub fn map_indexed<'items, T, R, F>(&self, f: F, items: &'items [T]) -> Vec<R>
    where
        T: Sync + fmt::Debug,
        R: Send,
        F: Fn(usize, &'items T) -> R + Sync,
    {
        self.run(f, items)
    }

    /// Like [`map`](Pool::map), for a function of several parameters and tuples of 2 to 6
    /// arguments, which are cloned.
    ///
    /// # Panics
    ///
    /// As [`map`](Pool::map).
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// assert_eq!(Pool::new(2).starmap(u64::pow, &[(2, 5), (3, 2)]), [32, 9]);
    /// assert_eq!(Pool::new(2).starmap(|base, height| base * height / 2.0, &[(3.0, 4.0)]), [6.0]);
    /// ```
    #[track_caller]
    pub fn starmap<T, R, F>(&self, f: F, items: &[T]) -> Vec<R>
    where
        T: Arguments<F, R> + Sync + fmt::Debug,
        R: Send,
        F: Sync,
    {
        self.run(|_, item: &T| item.apply(&f), items)
    }

    /// Like [`map`](Pool::map), but goes on when `f` panics: returns for every item its result, or
    /// why it has none.
    ///
    /// # Panics
    ///
    /// Unwinds when interrupted; panics if the threads cannot be started.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let shares = Pool::new(2).try_map(|people| 12 / people, &[4, 0, 3]);
    /// assert_eq!(shares[0], Ok(3));
    /// let failure = shares[1].as_ref().unwrap_err().to_string();
    /// assert!(failure.contains("on items[1] = 0: attempt to divide by zero"));
    /// assert_eq!(shares[2], Ok(4));
    /// ```
    #[track_caller]
    pub fn try_map<'items, T, R, F>(&self, f: F, items: &'items [T]) -> Vec<Result<R, Failure>>
    where
        T: Sync + fmt::Debug,
        R: Send,
        F: Fn(&'items T) -> R + Sync,
    {
        let buffer = ResultBuffer::new(items.len());
        let compute = |range: Range<usize>, written: &mut usize| {
            let mut next = range.start;
            loop {
                let before = *written;
                // SAFETY: the buffer is as long as the items, and each item is computed once.
                let cause = map_run::attempt(&mut || unsafe {
                    buffer.fill(items, next..range.end, written, &|_, item| Ok(f(item)))
                });
                next += *written - before;
                let Some(cause) = cause else { return };
                // SAFETY: as above; this item has no result yet.
                unsafe {
                    buffer.write(
                        next,
                        Err(Failure { index: next, item: truncated_debug(&items[next]), cause }),
                    )
                };
                (next, *written) = (next + 1, *written + 1);
            }
        };
        let len = self.work(items, &buffer, &compute);
        // SAFETY: this number of results was written.
        unsafe { buffer.into_vec(len) }
    }

    /// Submits `f` to the pool and returns a [`Future`] of its result, without waiting.
    ///
    /// Functions begin in the order in which they were submitted. One that has begun is finished,
    /// even if the future and the pool are dropped. Costs about a microsecond.
    ///
    /// # Panics
    ///
    /// If the threads cannot be started. [`Future::get`] passes on a panic of `f`.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let pool = Pool::new(2);
    /// let text = pool.submit(|| "one".to_uppercase());
    /// let number = pool.submit(|| 6 * 7);
    /// assert_eq!((text.get(), number.get()), ("ONE".to_string(), 42));
    /// ```
    #[track_caller]
    pub fn submit<R, F>(&self, f: F) -> Future<R>
    where
        R: Send + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        Future::new(self.submit_boxed(Box::new(move || Box::new(f()))))
    }

    #[track_caller]
    pub(super) fn submit_boxed(
        &self,
        f: Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>,
    ) -> UntypedFuture {
        panic_capture::install_hook();
        let slot = Slot::new();
        let function = Mutex::new(Some(f));
        let result = slot.clone();
        // Called by a thread of the pool, or by one that cannot wait for it, whichever is first.
        let task = Arc::new(move || {
            let Some(f) = function.lock().unwrap_or_else(PoisonError::into_inner).take() else {
                return;
            };
            thread_activity::report();
            result.fill(
                panic_capture::catch(|| map_run::recorded(f, || "submitted".to_string())).map_err(
                    |(payload, location)| {
                        Failure::of_submitted(Cause::of_panic(&*payload, location))
                    },
                ),
            );
        });
        let threads = self.threads();
        threads.spawn_fifo({
            let task = task.clone();
            move || task()
        });
        let pool = self.threads.clone();
        UntypedFuture::new(slot).on_wait(move || {
            if pool
                .get(OnceLock::new)
                .get()
                .is_some_and(|threads| threads.current_thread_index().is_some())
            {
                task();
            }
        })
    }

    /// Applies a function of positions and items to all items, on the pool's threads.
    #[track_caller]
    fn run<'items, T: Sync + fmt::Debug, R: Send>(
        &self,
        f: impl Fn(usize, &'items T) -> R + Sync,
        items: &'items [T],
    ) -> Vec<R> {
        let buffer = ResultBuffer::new(items.len());
        // SAFETY: the buffer is as long as the items, and each item is computed once.
        let compute = |range: Range<usize>, written: &mut usize| unsafe {
            buffer.fill(items, range, written, &f)
        };
        let len = self.work(items, &buffer, &compute);
        // SAFETY: this number of results was written.
        unsafe { buffer.into_vec(len) }
    }

    /// Computes all items with `compute`, which fills the buffer; returns the number of results.
    #[track_caller]
    fn work<T: Sync + fmt::Debug, R: Send>(
        &self,
        items: &[T],
        buffer: &ResultBuffer<R>,
        compute: &(dyn Fn(Range<usize>, &mut usize) + Sync),
    ) -> usize {
        self.work_erased(Work {
            len: items.len(),
            compute,
            // SAFETY: results are dropped after they were written, and once.
            drop: &|range| unsafe { buffer.drop(range) },
            name: &|index| truncated_debug(&items[index]),
        })
    }

    /// Computes all items on the pool's threads; returns the number of results.
    #[track_caller]
    #[inline(never)]
    fn work_erased(&self, work: Work) -> usize {
        if work.len == 0 {
            return 0;
        }
        // Keeps SIGINT from ending the process until all threads are done.
        let _scope = Scope::enter();
        panic_capture::install_hook();
        let num_workers = self.num_threads.min(work.len.div_ceil(self.chunk_size.unwrap_or(1)));
        let progress = self.progress.then(|| ProgressBar::new(work.len));
        let run = MapRun::new(work, num_workers, self.chunk_size, progress);
        let threads = self.threads();
        // A thread of this pool takes part instead of waiting.
        let takes_part = threads.current_thread_index().is_some();
        threads.in_place_scope(|scope| {
            for number in usize::from(takes_part)..num_workers {
                let run = &run;
                scope.spawn(move |_| run.work(number));
            }
            if takes_part {
                run.work(0);
            }
        });
        match run.finish() {
            Ok(len) => {
                // If that unwinds, the results are dropped.
                let results = Results(work, len);
                interrupt::check();
                std::mem::forget(results);
                len
            }
            Err(failed) => {
                interrupt::check();
                if failed.payload.is::<Interrupted>() {
                    resume_unwind(failed.payload);
                }
                let cause = Cause::of_panic(&*failed.payload, failed.location);
                panic!(
                    "{}",
                    Failure { index: failed.index, item: (work.name)(failed.index), cause }
                )
            }
        }
    }

    /// The pool's threads; starts them if necessary.
    #[track_caller]
    pub(super) fn threads(&self) -> &rayon::ThreadPool {
        let cell = self.threads.get(OnceLock::new);
        if let Some(threads) = cell.get() {
            return threads;
        }
        let started = rayon::ThreadPoolBuilder::new()
            .num_threads(self.num_threads)
            .thread_name(|number| format!("pool-{number}"))
            .build();
        match started {
            // Another thread may have been faster; then these threads end again.
            Ok(threads) => cell.get_or_init(|| threads),
            Err(error) => panic!("failed to start {} threads: {error}", self.num_threads),
        }
    }

    /// The number of items that a thread takes at a time, if it is fixed.
    pub(super) fn fixed_chunk_size(&self) -> Option<usize> {
        self.chunk_size
    }
}

/// Results that are dropped with this.
struct Results<'a>(Work<'a>, usize);

impl Drop for Results<'_> {
    fn drop(&mut self) {
        (self.0.drop)(0..self.1);
    }
}

// No task's panic reaches the threads, so a pool stays usable after one.
impl UnwindSafe for Pool {}
impl RefUnwindSafe for Pool {}

impl Default for Pool {
    /// A pool of as many threads as there are usable [`cores()`].
    fn default() -> Pool {
        Pool::new(cores().usable)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("num_threads", &self.num_threads).finish()
    }
}
