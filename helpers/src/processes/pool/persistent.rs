//! A pool whose processes stay between calls.

use super::chunk_sizer::ChunkSizer;
use super::idle_workers::IdleWorkers;
use super::imap::{Imap, Items, PersistentSource};
use super::map_dispatcher::MapDispatcher;
use super::map_results::{MapResults, ResultSlots, cannot_start, run};
use super::submitted::{JobQueue, SINGLE_ITEM};
use crate::base::panic_message::truncated_debug;
use crate::base::per_process::PerProcess;
use crate::cores::cores;
use crate::display::ProgressBar;
use crate::pool::{Arguments, Failure, Future};
use crate::processes::transport::value::{Value, Writer};
use crate::processes::worker::remote_fn::{
    ByReference, ByValue, Indexed, RemoteCall, RemoteFn, Star, Submitted,
};
use crate::processes::worker::spawn::spawn_persistent;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;

/// A pool of processes that stay, so that only the first `map` pays for starting them: Python's
/// `ProcessPoolExecutor`, or that of joblib.
///
/// The interface is that of [`Pool`](super::Pool). The processes are copies of this one as it was
/// when the pool was made, and do not see later changes. So items are sent to them, as bytes, and
/// serde must know the types of items and results; a function must have a name, or be a closure
/// that captures nothing. It may be newer than the processes, for example written in a later cell
/// of a notebook: they load its code. What a function stores in a `static` variable is still there
/// the next time, in the process that ran it.
///
/// A clone is the same pool. The processes end with the last clone, or with this process, however
/// it ends. A process that is killed is replaced when it is needed. A `map` costs about 20 µs per
/// process, and for each item what its bytes cost.
///
/// If all processes are busy, because the pool is used inside a loop over one of its own iterators
/// or by several threads at the same time, more are started, which end when they are idle.
///
/// # Examples
///
/// ```
/// use parcourse::processes::PersistentPool;
/// fn letters(word: &String) -> usize {
///     word.len()
/// }
/// let pool = PersistentPool::new(2);
/// let words = ["computer", "thesis", "mom"].map(String::from);
/// assert_eq!(pool.map(letters, &words), [8, 6, 3]);
/// let shouted = pool.map(|word: &String| word.to_uppercase(), &words);
/// assert_eq!(shouted, ["COMPUTER", "THESIS", "MOM"]);
/// ```
///
/// What captures something does not compile:
///
/// ```compile_fail,E0080
/// use parcourse::processes::PersistentPool;
/// let factor = 3;
/// PersistentPool::new(2).map(|x| x * factor, &[1, 2]);
/// ```
#[derive(Clone)]
pub struct PersistentPool {
    num_processes: usize,
    chunk_size: Option<usize>,
    progress: bool,
    idle: Shared,
    jobs: JobQueue,
}

/// The workers of this process; a forked process has its own.
#[derive(Clone)]
struct Shared(Arc<PerProcess<IdleWorkers>>, usize);

impl AsRef<IdleWorkers> for Shared {
    fn as_ref(&self) -> &IdleWorkers {
        self.0.get(|| IdleWorkers::new(self.1))
    }
}

impl PersistentPool {
    /// Starts exactly `num_processes` processes, however many cores there are.
    ///
    /// # Panics
    ///
    /// With 0 processes; if they cannot be started.
    #[track_caller]
    pub fn new(num_processes: usize) -> PersistentPool {
        assert!(num_processes > 0, "a pool needs at least one process: PersistentPool::new(0)");
        let idle = IdleWorkers::new(num_processes);
        if let Err(error) = idle.start() {
            cannot_start(&error);
        }
        let idle = Shared(Arc::new(PerProcess::new(idle)), num_processes);
        PersistentPool {
            num_processes,
            chunk_size: None,
            progress: false,
            idle,
            jobs: JobQueue::new(num_processes),
        }
    }

    /// The same pool, with a fixed number of items that a process gets at a time; see
    /// [`Pool::chunk_size`](super::Pool::chunk_size).
    ///
    /// # Panics
    ///
    /// With 0 items.
    #[track_caller]
    #[must_use]
    pub fn chunk_size(self, items: usize) -> PersistentPool {
        assert!(items > 0, "a chunk needs at least one item: chunk_size(0)");
        PersistentPool { chunk_size: Some(items), ..self }
    }

    /// The same pool, with a progress bar while [`map`](PersistentPool::map) and its relatives run.
    #[must_use]
    pub fn progress(self) -> PersistentPool {
        PersistentPool { progress: true, ..self }
    }

    /// The number of processes of the pool.
    pub fn num_processes(&self) -> usize {
        self.num_processes
    }

    /// The ids of the processes that are idle.
    pub fn pids(&self) -> Vec<u32> {
        let mut pids = self.idle.as_ref().pids();
        pids.sort_unstable();
        pids
    }

    /// Applies `f` to every item, several at the same time, and returns the results in the order of
    /// the items.
    ///
    /// # Panics
    ///
    /// As [`Pool::map`](super::Pool::map).
    ///
    /// # Examples
    ///
    /// The processes stay:
    ///
    /// ```
    /// use parcourse::processes::PersistentPool;
    /// let pool = PersistentPool::new(1);
    /// let who = |_: &i32| std::process::id();
    /// assert_eq!(pool.map(who, &[1]), pool.map(who, &[2]));
    /// ```
    #[track_caller]
    pub fn map<T, R, F>(&self, f: F, items: &[T]) -> Vec<R>
    where
        T: Serialize + DeserializeOwned + fmt::Debug + 'static,
        R: Serialize + DeserializeOwned + 'static,
        F: Fn(&T) -> R + Copy + 'static,
    {
        let _ = f;
        self.run::<ByReference<F>, T, R>(items, false).all()
    }

    /// Like [`map`](PersistentPool::map), with the item's position.
    ///
    /// # Panics
    ///
    /// As [`Pool::map`](super::Pool::map).
    #[track_caller]
    pub fn map_indexed<T, R, F>(&self, f: F, items: &[T]) -> Vec<R>
    where
        T: Serialize + DeserializeOwned + fmt::Debug + 'static,
        R: Serialize + DeserializeOwned + 'static,
        F: Fn(usize, &T) -> R + Copy + 'static,
    {
        let _ = f;
        self.run::<Indexed<F>, T, R>(items, false).all()
    }

    /// Like [`map`](PersistentPool::map), for a function of several parameters and tuples of 2 to 6
    /// arguments.
    ///
    /// # Panics
    ///
    /// As [`Pool::map`](super::Pool::map).
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::processes::PersistentPool;
    /// assert_eq!(PersistentPool::new(2).starmap(u64::pow, &[(2, 5), (3, 2)]), [32, 9]);
    /// ```
    #[track_caller]
    pub fn starmap<T, R, F>(&self, f: F, items: &[T]) -> Vec<R>
    where
        T: Arguments<F, R> + Serialize + DeserializeOwned + fmt::Debug + 'static,
        R: Serialize + DeserializeOwned + 'static,
        F: Copy + 'static,
    {
        let _ = f;
        self.run::<Star<F>, T, R>(items, false).all()
    }

    /// Like [`map`](PersistentPool::map), but goes on when an item fails: returns for every item
    /// its result, or why it has none.
    ///
    /// # Panics
    ///
    /// As [`Pool::try_map`](super::Pool::try_map).
    #[track_caller]
    pub fn try_map<T, R, F>(&self, f: F, items: &[T]) -> Vec<Result<R, Failure>>
    where
        T: Serialize + DeserializeOwned + fmt::Debug + 'static,
        R: Serialize + DeserializeOwned + 'static,
        F: Fn(&T) -> R + Copy + 'static,
    {
        let _ = f;
        self.run::<ByReference<F>, T, R>(items, true).each()
    }

    /// Applies `f` to the items of an iterator, and returns an iterator over the results, in the
    /// same order; see [`Pool::imap`](super::Pool::imap).
    ///
    /// # Panics
    ///
    /// As [`Pool::imap`](super::Pool::imap).
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::processes::PersistentPool;
    /// let squares = PersistentPool::new(2).imap(|x| x * x, 1u64..);
    /// assert_eq!(squares.take_while(|square| *square < 20).collect::<Vec<_>>(), [1, 4, 9, 16]);
    /// ```
    pub fn imap<I, R, F>(&self, f: F, items: I) -> impl Iterator<Item = R> + use<I, R, F>
    where
        I: IntoIterator,
        I::Item: Serialize + DeserializeOwned + fmt::Debug + 'static,
        R: Serialize + DeserializeOwned + 'static,
        F: Fn(I::Item) -> R + Copy + 'static,
    {
        self.stream(true, f, items).map(|(_, result)| result)
    }

    /// Like [`imap`](PersistentPool::imap), but returns each result as soon as it is available,
    /// with the position of its item.
    ///
    /// # Panics
    ///
    /// As [`Pool::imap_unordered`](super::Pool::imap_unordered).
    pub fn imap_unordered<I, R, F>(
        &self,
        f: F,
        items: I,
    ) -> impl Iterator<Item = (usize, R)> + use<I, R, F>
    where
        I: IntoIterator,
        I::Item: Serialize + DeserializeOwned + fmt::Debug + 'static,
        R: Serialize + DeserializeOwned + 'static,
        F: Fn(I::Item) -> R + Copy + 'static,
    {
        self.stream(false, f, items)
    }

    /// Submits `f` to one of the processes and returns a [`Future`] of its result, without waiting;
    /// see [`Pool::submit`](super::Pool::submit).
    ///
    /// # Panics
    ///
    /// As [`Pool::submit`](super::Pool::submit).
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::processes::PersistentPool;
    /// assert_eq!(PersistentPool::new(1).submit(|| 6 * 7).get(), 42);
    /// ```
    #[track_caller]
    pub fn submit<R, F>(&self, f: F) -> Future<R>
    where
        R: Serialize + DeserializeOwned + Send + 'static,
        F: FnOnce() -> R + Copy + 'static,
    {
        let _ = f;
        let (idle, idle_too) = (self.idle.clone(), self.idle.clone());
        let remote_fn = RemoteFn::new::<Submitted<F>, (), R>();
        let begin = move || {
            idle.as_ref()
                .begin(SINGLE_ITEM, &remote_fn.bytes(SINGLE_ITEM, &|_, writer| writer.put(&())))
        };
        self.jobs
            .submit(Box::new(begin), Box::new(move |worker| idle_too.as_ref().give_back([worker])))
    }

    #[track_caller]
    fn run<C: RemoteCall<T, R>, T: Value + fmt::Debug, R: Value>(
        &self,
        items: &[T],
        continue_on_failure: bool,
    ) -> MapResults<R> {
        let mut results = MapResults::new(items.len());
        let put = |index: usize, writer: &mut Writer| writer.put(&items[index]);
        self.run_shipped(
            &RemoteFn::new::<C, T, R>(),
            &put,
            &|index| truncated_debug(&items[index]),
            continue_on_failure,
            &mut results.slots,
        );
        results
    }

    /// Computes all items that there are slots for; `put` writes one of them.
    #[track_caller]
    #[inline(never)]
    fn run_shipped(
        &self,
        remote_fn: &RemoteFn,
        put: &dyn Fn(usize, &mut Writer),
        name: &dyn Fn(usize) -> String,
        continue_on_failure: bool,
        slots: &mut ResultSlots,
    ) {
        let len = slots.len();
        let dispatcher = MapDispatcher {
            workers: if len == 0 { Vec::new() } else { self.idle.as_ref().take_all() },
            size: self.num_processes,
            spawn: &spawn_persistent,
            bytes_for: &|items| remote_fn.bytes(items, put),
            numbers: slots.format.numbers(),
            chunk: ChunkSizer::new(self.chunk_size),
            progress: self.progress.then(|| ProgressBar::new(len)),
            continue_on_failure,
        };
        let workers = run(dispatcher, name, slots);
        self.idle.as_ref().give_back(workers);
    }

    fn stream<I, R, F>(
        &self,
        in_order: bool,
        f: F,
        items: I,
    ) -> Imap<PersistentSource<I::IntoIter, Shared>, R>
    where
        I: IntoIterator<Item: Value + fmt::Debug>,
        R: Value,
        F: Fn(I::Item) -> R + Copy,
    {
        let _ = f;
        let remote_fn = RemoteFn::new::<ByValue<F>, I::Item, R>();
        let source = PersistentSource {
            items: Items::new(items.into_iter()),
            idle: self.idle.clone(),
            remote_fn,
        };
        Imap::new(source, self.num_processes, ChunkSizer::new(self.chunk_size), in_order)
    }
}

impl Default for PersistentPool {
    /// A pool of as many processes as there are usable [`cores()`].
    fn default() -> PersistentPool {
        PersistentPool::new(cores().usable)
    }
}

impl fmt::Debug for PersistentPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersistentPool").field("num_processes", &self.num_processes).finish()
    }
}
