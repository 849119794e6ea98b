//! A pool of processes that are started for each call.

use super::chunk_sizer::ChunkSizer;
use super::imap::{ForkedSource, Imap, Items};
use super::map_dispatcher::{MapDispatcher, kill_all};
use super::map_results::{MapResults, ResultSlots, run};
use super::submitted::{JobQueue, SINGLE_ITEM};
use crate::base::panic_message::truncated_debug;
use crate::cores::cores;
use crate::display::ProgressBar;
use crate::pool::{Arguments, Failure, Future};
use crate::processes::transport::value::{Format, Value};
use crate::processes::worker::ItemStream;
use crate::processes::worker::spawn::{Compute, spawn, spawn_once};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

/// A pool of processes: Python's `multiprocessing.Pool`, with the method `fork`.
///
/// The interface is that of [`threads::Pool`](crate::threads::Pool). The processes are copies of
/// this one, made for each call, so functions may use everything that exists at that moment,
/// whatever its type: nothing is sent to them. What they change, they change in their copy. Only
/// results are sent back, as bytes: serde must know their type (derive it in a notebook with
/// `#[derive(Serialize, Deserialize)] #[serde(crate = "parcourse::serde")]`). A `Vec`, `Array1` or
/// `Array2` of numbers is sent as it is, without encoding each number.
///
/// Starting and ending 4 processes takes about a millisecond, plus about 50 ms for each GiB of
/// memory that this process uses: the page tables are copied, memory itself only where one of the
/// two processes writes to it. An item costs less than a microsecond if items are short, and about
/// 20 µs if they are sent one by one. If this is too much, see
/// [`PersistentPool`](super::PersistentPool).
///
/// The output of a function appears in whole lines where this process prints. A panic, a crash or a
/// kill ends one task and not this process. When this process ends, however it does, so do its
/// children.
///
/// A copy has one thread. [`rayon`] works in it, with that thread; so do pools made in it. What
/// other threads were about to do does not happen in the copy, and what they held locked stays
/// locked there.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// use parcourse::processes;
/// let words = ["computer", "thesis", "mom"];
/// let lengths = processes::Pool::new(3).map(|word| word.len(), &words);
/// assert_eq!(lengths, [8, 6, 3]);
/// ```
#[derive(Clone)]
pub struct Pool {
    num_processes: usize,
    chunk_size: Option<usize>,
    progress: bool,
    jobs: JobQueue,
}

impl Pool {
    /// A pool of exactly `num_processes` processes, however many cores there are. Costs nothing:
    /// they are started for each call.
    ///
    /// # Panics
    ///
    /// With 0 processes.
    #[track_caller]
    pub fn new(num_processes: usize) -> Pool {
        assert!(num_processes > 0, "a pool needs at least one process: Pool::new(0)");
        Pool {
            num_processes,
            chunk_size: None,
            progress: false,
            jobs: JobQueue::new(num_processes),
        }
    }

    /// The same pool, with a fixed number of items that a process gets at a time. By default, a
    /// process gets one item at first, and more while they take less than a millisecond together.
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

    /// The number of processes of the pool.
    pub fn num_processes(&self) -> usize {
        self.num_processes
    }

    /// Applies `f` to every item, several at the same time, and returns the results in the order of
    /// the items.
    ///
    /// Each process gets the next item as soon as it has finished one, so long and short tasks even
    /// out; of short ones it gets several at once. With fewer items than processes, the surplus
    /// processes are not started. Memory: the results once, and the bytes of those that are being
    /// sent; large arrays of numbers are received in their final place.
    ///
    /// Pools of any kind may be nested; the numbers of processes multiply.
    ///
    /// # Panics
    ///
    /// If `f` panics, if its process ends or is killed, or if its result cannot be sent, no further
    /// item is begun, the running ones are finished, and then `map` panics with the item's index
    /// and value and the cause. Of several failures it reports the one with the smallest index.
    ///
    /// An interrupt (see [`interrupt`](crate::interrupt)) ends the processes at once.
    ///
    /// If no process can be started.
    ///
    /// # Examples
    ///
    /// The function has a copy of everything, and changes only its copy:
    ///
    /// ```
    /// use parcourse::processes;
    /// use std::cell::Cell;
    /// let counter = Cell::new(0);
    /// let count = |x: &i32| {
    ///     counter.set(counter.get() + x);
    ///     counter.get()
    /// };
    /// let counted = processes::Pool::new(2).map(count, &[7]);
    /// assert_eq!((counted, counter.get()), (vec![7], 0));
    /// ```
    #[track_caller]
    pub fn map<'items, T, R, F>(&self, f: F, items: &'items [T]) -> Vec<R>
    where
        T: fmt::Debug,
        R: Serialize + DeserializeOwned + 'static,
        F: Fn(&'items T) -> R,
    {
        self.compute(items, |index| f(&items[index]), false).all()
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
    /// use parcourse::processes;
    /// let pool = processes::Pool::new(2);
    /// let labels = pool.map_indexed(|i, word| format!("{i}: {word}"), &["flour", "eggs"]);
    /// assert_eq!(labels, ["0: flour", "1: eggs"]);
    /// ```
    #[track_caller]
    pub fn map_indexed<'items, T, R, F>(&self, f: F, items: &'items [T]) -> Vec<R>
    where
        T: fmt::Debug,
        R: Serialize + DeserializeOwned + 'static,
        F: Fn(usize, &'items T) -> R,
    {
        self.compute(items, |index| f(index, &items[index]), false).all()
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
    /// use parcourse::processes;
    /// assert_eq!(processes::Pool::new(2).starmap(u64::pow, &[(2, 5), (3, 2)]), [32, 9]);
    /// ```
    #[track_caller]
    pub fn starmap<T, R, F>(&self, f: F, items: &[T]) -> Vec<R>
    where
        T: Arguments<F, R> + fmt::Debug,
        R: Serialize + DeserializeOwned + 'static,
    {
        self.compute(items, |index| items[index].apply(&f), false).all()
    }

    /// Like [`map`](Pool::map), but goes on when an item fails: returns for every item its result,
    /// or why it has none.
    ///
    /// This holds even if a process is killed. It is replaced, and short items whose results it had
    /// not sent yet are computed again.
    ///
    /// # Panics
    ///
    /// Unwinds when interrupted; panics if no process can be started.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::processes;
    /// let share = |people: &i32| if *people == 1 { std::process::exit(3) } else { 12 / people };
    /// let shares = processes::Pool::new(2).try_map(share, &[4, 0, 1]);
    /// let failure = |index: usize| shares[index].as_ref().unwrap_err().to_string();
    /// assert_eq!(shares[0], Ok(3));
    /// assert!(failure(1).contains("on items[1] = 0: attempt to divide by zero"));
    /// assert!(failure(2).ends_with("ended with exit code 3 while it worked on items[2] = 1"));
    /// ```
    #[track_caller]
    pub fn try_map<'items, T, R, F>(&self, f: F, items: &'items [T]) -> Vec<Result<R, Failure>>
    where
        T: fmt::Debug,
        R: Serialize + DeserializeOwned + 'static,
        F: Fn(&'items T) -> R,
    {
        self.compute(items, |index| f(&items[index]), true).each()
    }

    /// Applies `f` to the items of an iterator, and returns an iterator over the results, in the
    /// same order.
    ///
    /// Lazy: takes items from the iterator when a process may need them soon. So the items may be
    /// endless, and only a few are in memory at any time. Starts a process for each chunk of items,
    /// because a running one cannot see new items: that takes about a quarter of a millisecond.
    /// Chunks of short items are long.
    ///
    /// Dropping the iterator of the results ends the processes.
    ///
    /// # Panics
    ///
    /// `next` panics if `f` failed on the item whose result is next, or if no process can be
    /// started.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::processes;
    /// let squares = processes::Pool::new(2).imap(|x| x * x, 1u64..);
    /// assert_eq!(squares.take_while(|square| *square < 20).collect::<Vec<_>>(), [1, 4, 9, 16]);
    /// ```
    pub fn imap<I, R, F>(&self, f: F, items: I) -> impl Iterator<Item = R> + use<I, R, F>
    where
        I: IntoIterator,
        I::Item: fmt::Debug,
        R: Serialize + DeserializeOwned + 'static,
        F: Fn(I::Item) -> R,
    {
        self.stream(true, f, items).map(|(_, result)| result)
    }

    /// Like [`imap`](Pool::imap), but returns each result as soon as it is available, with the
    /// position of its item.
    ///
    /// # Panics
    ///
    /// `next` panics as soon as `f` has failed, or if no process can be started.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// use parcourse::processes;
    /// let wait = |ms| sleep(Duration::from_millis(ms));
    /// let mut done = processes::Pool::new(2).imap_unordered(wait, [200, 1]);
    /// assert_eq!(done.next(), Some((1, ())));
    /// assert_eq!(done.next(), Some((0, ())));
    /// assert_eq!(done.next(), None);
    /// ```
    pub fn imap_unordered<I, R, F>(
        &self,
        f: F,
        items: I,
    ) -> impl Iterator<Item = (usize, R)> + use<I, R, F>
    where
        I: IntoIterator,
        I::Item: fmt::Debug,
        R: Serialize + DeserializeOwned + 'static,
        F: Fn(I::Item) -> R,
    {
        self.stream(false, f, items)
    }

    /// Submits `f` to a process of its own and returns a [`Future`] of its result, without waiting.
    ///
    /// Functions begin in the order in which they were submitted, as many at the same time as the
    /// pool has processes; the copy of this process is made when the function begins. Dropping the
    /// future ends the process.
    ///
    /// # Panics
    ///
    /// If no thread can be started (one watches each process). [`Future::get`] reports what goes
    /// wrong with the function.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::processes;
    /// let pool = processes::Pool::new(2);
    /// let text = pool.submit(|| "one".to_uppercase());
    /// let number = pool.submit(|| 6 * 7);
    /// assert_eq!((text.get(), number.get()), ("ONE".to_string(), 42));
    /// ```
    #[track_caller]
    pub fn submit<R, F>(&self, f: F) -> Future<R>
    where
        R: Serialize + DeserializeOwned + Send + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        let mut f = Some(f);
        let mut compute = move |stream: &mut ItemStream| {
            while stream.next().is_some() {
                stream.put((f.take().expect("called once"))());
            }
        };
        let name = |_| "submitted".to_string();
        let begin = move || spawn_once(SINGLE_ITEM, Format::of::<R>(), &name, &mut compute);
        self.jobs.submit(Box::new(begin), Box::new(drop))
    }

    fn stream<I, R, F>(
        &self,
        in_order: bool,
        f: F,
        items: I,
    ) -> Imap<ForkedSource<I::IntoIter, F, R>, R>
    where
        I: IntoIterator<Item: fmt::Debug>,
        R: Value,
        F: Fn(I::Item) -> R,
    {
        let source = ForkedSource { items: Items::new(items.into_iter()), f, result: PhantomData };
        Imap::new(
            source,
            self.num_processes,
            ChunkSizer::for_new_workers(self.chunk_size),
            in_order,
        )
    }

    #[track_caller]
    fn compute<T: fmt::Debug, R: Value>(
        &self,
        items: &[T],
        f: impl Fn(usize) -> R,
        continue_on_failure: bool,
    ) -> MapResults<R> {
        let mut results = MapResults::new(items.len());
        self.run(
            &mut |stream| {
                while let Some(index) = stream.next() {
                    stream.put(f(index))
                }
            },
            &|index| truncated_debug(&items[index]),
            continue_on_failure,
            &mut results.slots,
        );
        results
    }

    /// Computes all items that there are slots for.
    #[track_caller]
    #[inline(never)]
    fn run(
        &self,
        compute: &mut Compute,
        name: &dyn Fn(usize) -> String,
        continue_on_failure: bool,
        slots: &mut ResultSlots,
    ) {
        let (len, format) = (slots.len(), slots.format);
        // Only one process is started at a time, and it has its own copy of what is borrowed.
        let compute = RefCell::new(compute);
        let spawn = || spawn(format, name, &mut **compute.borrow_mut());
        let dispatcher = MapDispatcher {
            workers: Vec::new(),
            size: self.num_processes.min(len),
            spawn: &spawn,
            bytes_for: &|_| Vec::new(),
            numbers: format.numbers(),
            chunk: ChunkSizer::new(self.chunk_size),
            progress: self.progress.then(|| ProgressBar::new(len)),
            continue_on_failure,
        };
        kill_all(&mut run(dispatcher, name, slots));
    }
}

impl Default for Pool {
    /// A pool of as many processes as there are usable [`cores()`].
    fn default() -> Pool {
        Pool::new(cores().usable)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("num_processes", &self.num_processes).finish()
    }
}
