//! An array of numbers, and a counter, that several processes see.

use super::element::{Element, Number};
use super::error::{Error, Kind};
use super::memory::Mapping;
#[cfg(target_os = "linux")]
use super::named;
#[cfg(not(target_os = "linux"))]
use super::unnamed as named;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// An array that is the same in all processes that have it: Python's `multiprocessing.Array` and
/// `shared_memory`.
///
/// Processes forked after it was made have it (those of a [`Pool`](crate::processes::Pool), too);
/// others attach to it by name. All may read and write it at the same time, as threads may: an
/// element is never half written, and [`add`](Self::add) loses no call. To update several elements
/// together, or to read and then write, use a [`SharedMutex`](super::SharedMutex), or parts that
/// belong to one process each ([`for_each_chunk`](Self::for_each_chunk)).
///
/// Access costs what it costs in a `Vec`, but the compiler does not combine several elements into
/// one instruction: filling an array that fits into the cache may take twice as long (floats; more
/// for small integers). Memory is taken page by page, when it is first written. A clone is another
/// handle to the same elements. The memory is freed with the last handle in the last process, even
/// if that is killed; there is never a file.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// use parcourse::processes::{self, SharedArray};
/// let squares = SharedArray::zeros(8);
/// processes::Pool::new(2).map(|&i| squares.set(i, (i * i) as f64), &[2, 3, 5]);
/// assert_eq!(squares.to_vec(), [0.0, 0.0, 4.0, 9.0, 0.0, 25.0, 0.0, 0.0]);
/// ```
pub struct SharedArray<T> {
    /// Where `memory` begins: looked up once, not at each access.
    start: *mut T,
    len: usize,
    memory: Arc<Mapping>,
    elements: PhantomData<T>,
}

// SAFETY: all access through a shared reference is atomic, and `Element` is `Send + Sync`.
unsafe impl<T: Element> Send for SharedArray<T> {}
// SAFETY: as above.
unsafe impl<T: Element> Sync for SharedArray<T> {}

impl<T: Element> SharedArray<T> {
    /// `len` zeros (or `false`), shared with processes forked from now on.
    ///
    /// # Panics
    ///
    /// If the system does not provide the memory.
    #[track_caller]
    pub fn zeros(len: usize) -> SharedArray<T> {
        let memory = size::<T>(len).and_then(Mapping::anonymous);
        match memory {
            Ok(memory) => SharedArray::new(memory, len),
            Err(error) => panic!("failed to make a shared array of {len} elements: {error}"),
        }
    }

    /// `len` zeros (or `false`) that other processes of the same user on this machine can
    /// [`attach`](Self::attach) to.
    ///
    /// The name is free again when no process has the array any more. Takes a file descriptor, and
    /// a few milliseconds to look through all processes for the name.
    ///
    /// # Errors
    ///
    /// If a process has an array of that name, if the name is empty or longer than 150 bytes, if
    /// the system does not provide the memory, or is not Linux.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(target_os = "linux")] {
    /// use parcourse::processes::SharedArray;
    /// let name = format!("temperatures of {}", std::process::id());
    /// let ours = SharedArray::<f64>::create(&name, 4)?;
    /// let theirs = SharedArray::<f64>::attach(&name)?; // any other program may do this
    /// theirs.set(1, 36.6);
    /// assert_eq!(ours.get(1), 36.6);
    /// # }
    /// # Ok::<(), parcourse::processes::Error>(())
    /// ```
    pub fn create(name: &str, len: usize) -> Result<SharedArray<T>, Error> {
        let make = || {
            let bytes = size::<T>(len).map_err(Kind::System)?;
            let file = named::create(name, T::NAME, len, bytes)?;
            Mapping::of_file(bytes, file).map_err(Kind::System)
        };
        make()
            .map(|memory| SharedArray::new(memory, len))
            .map_err(|kind| Error::new("create", name, kind))
    }

    /// The array that another process, or this one, has created with that name.
    ///
    /// Costs what [`create`](Self::create) costs. The array remains when its creator ends. If the
    /// type is wrong, the error names the right one.
    ///
    /// # Errors
    ///
    /// If no process of the same user has such an array, if its elements are of another type, or if
    /// the system is not Linux.
    pub fn attach(name: &str) -> Result<SharedArray<T>, Error> {
        let open = || {
            let found = named::find(name)?.ok_or(Kind::Unknown)?;
            if found.element != T::NAME {
                return Err(Kind::Type { found: found.element, wanted: T::NAME });
            }
            if size::<T>(found.len).ok() != Some(found.bytes) {
                return Err(Kind::Unknown);
            }
            Ok((Mapping::of_file(found.bytes, found.file).map_err(Kind::System)?, found.len))
        };
        open()
            .map(|(memory, len)| SharedArray::new(memory, len))
            .map_err(|kind| Error::new("attach to", name, kind))
    }

    fn new(memory: Mapping, len: usize) -> SharedArray<T> {
        SharedArray {
            start: memory.start().as_ptr().cast(),
            len,
            memory: Arc::new(memory),
            elements: PhantomData,
        }
    }

    /// The number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The current element at `index`.
    ///
    /// # Panics
    ///
    /// If there is no such element; this holds for all methods that take an index.
    #[inline]
    #[track_caller]
    pub fn get(&self, index: usize) -> T {
        // SAFETY: `place` is an element; all accesses go through these functions (see
        // `as_mut_slice` for the one exception).
        unsafe { T::load(self.place(index)) }
    }

    /// Writes the element at `index`, for all processes.
    #[inline]
    #[track_caller]
    pub fn set(&self, index: usize, value: T) {
        // SAFETY: as in `get`.
        unsafe { T::store(self.place(index), value) }
    }

    /// Adds to the element at `index`, and returns its previous value. Unlike with `set(i, get(i) +
    /// value)`, no addition is lost when several processes add at the same time. Integers wrap
    /// around.
    ///
    /// Costs about ten times as much as `set`, and much more when several processes keep adding to
    /// the same element.
    #[inline]
    #[track_caller]
    pub fn add(&self, index: usize, value: T) -> T
    where
        T: Number,
    {
        // SAFETY: as in `get`.
        unsafe { T::add(self.place(index), value) }
    }

    /// Replaces the element at `index` by `f` of it, and returns its previous value. If another
    /// process writes in between, `f` is called again.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::processes::SharedArray;
    /// let highest = SharedArray::<f64>::from([3.5]);
    /// highest.update(0, |before| before.max(7.0));
    /// assert_eq!(highest.get(0), 7.0);
    /// ```
    #[track_caller]
    pub fn update(&self, index: usize, f: impl FnMut(T) -> T) -> T {
        // SAFETY: as in `get`.
        unsafe { T::update(self.place(index), f) }
    }

    /// Iterates over the elements, each as it is at that moment.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> + Clone + '_ {
        // SAFETY: `index` is below the length, the rest as in `get`.
        (0..self.len).map(|index| unsafe { T::load(self.start.add(index)) })
    }

    /// A copy of all elements, for this process alone.
    pub fn to_vec(&self) -> Vec<T> {
        self.iter().collect()
    }

    /// Writes `value` to all elements.
    pub fn fill(&self, value: T) {
        // SAFETY: `index` is below the length, the rest as in `get`.
        (0..self.len).for_each(|index| unsafe { T::store(self.start.add(index), value) });
    }

    /// Writes all elements.
    ///
    /// # Panics
    ///
    /// If there are not as many values as elements.
    #[track_caller]
    pub fn copy_from(&self, values: &[T]) {
        assert!(
            values.len() == self.len,
            "{} values for a shared array of {} elements",
            values.len(),
            self.len
        );
        for (index, &value) in values.iter().enumerate() {
            // SAFETY: `index` is below the length, the rest as in `get`.
            unsafe { T::store(self.start.add(index), value) };
        }
    }

    /// Where the elements are in the memory of this process. Other processes may have them at other
    /// addresses.
    pub fn as_ptr(&self) -> *const T {
        self.start
    }

    #[inline]
    #[track_caller]
    fn place(&self, index: usize) -> *mut T {
        if index >= self.len {
            out_of_range(index, self.len);
        }
        // SAFETY: the mapping has `len` elements.
        unsafe { self.start.add(index) }
    }

    /// The elements, if no other handle in this process gives access to them.
    pub(in crate::processes) fn as_mut_slice(&mut self) -> Option<&mut [T]> {
        Arc::get_mut(&mut self.memory)?;
        // SAFETY: `len` elements, aligned, and every bit pattern that `Element`s write is valid for
        // the type. The only handle in this process is borrowed exclusively, so no other reference
        // exists. What other processes do is beyond the language, as with every mapped file: the
        // method that hands out the slice documents that they must not use it.
        Some(unsafe { std::slice::from_raw_parts_mut(self.start, self.len) })
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn out_of_range(index: usize, len: usize) -> ! {
    panic!("no element {index} in a shared array of {len}")
}

/// The size of `len` elements in bytes.
fn size<T>(len: usize) -> std::io::Result<usize> {
    let limit = isize::MAX as usize;
    len.checked_mul(size_of::<T>())
        .filter(|&bytes| bytes <= limit)
        .ok_or_else(|| std::io::ErrorKind::OutOfMemory.into())
}

/// Another handle to the same elements.
impl<T> Clone for SharedArray<T> {
    fn clone(&self) -> SharedArray<T> {
        SharedArray {
            start: self.start,
            len: self.len,
            memory: self.memory.clone(),
            elements: PhantomData,
        }
    }
}

/// A shared copy.
impl<T: Element> From<&[T]> for SharedArray<T> {
    #[track_caller]
    fn from(values: &[T]) -> SharedArray<T> {
        let array = SharedArray::zeros(values.len());
        array.copy_from(values);
        array
    }
}

/// A shared copy.
impl<T: Element> From<&Vec<T>> for SharedArray<T> {
    #[track_caller]
    fn from(values: &Vec<T>) -> SharedArray<T> {
        values.as_slice().into()
    }
}

/// A shared copy.
impl<T: Element, const N: usize> From<[T; N]> for SharedArray<T> {
    #[track_caller]
    fn from(values: [T; N]) -> SharedArray<T> {
        values.as_slice().into()
    }
}

/// A shared copy.
impl<T: Element, const N: usize> From<&[T; N]> for SharedArray<T> {
    #[track_caller]
    fn from(values: &[T; N]) -> SharedArray<T> {
        values.as_slice().into()
    }
}

/// Formats the elements like an array.
impl<T: Element + fmt::Debug> fmt::Debug for SharedArray<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// An integer that is the same in all processes that have it: Python's `multiprocessing.Value`,
/// with an `add` that needs no lock.
///
/// Takes a page of memory. A clone is another handle to the same number.
///
/// # Examples
///
/// ```
/// use parcourse::processes::{self, SharedCounter};
/// let done = SharedCounter::new(0);
/// processes::Pool::new(3).map(|_| done.add(1), &[(); 100]);
/// assert_eq!(done.get(), 100);
/// ```
#[derive(Clone)]
pub struct SharedCounter(SharedArray<i64>);

impl SharedCounter {
    /// A counter that begins at `start`, shared with processes forked from now on.
    ///
    /// # Panics
    ///
    /// If the system does not provide the memory.
    #[track_caller]
    pub fn new(start: i64) -> SharedCounter {
        SharedCounter(SharedArray::from([start]))
    }

    /// Adds `number` (which may be negative), and returns the previous value: each value is
    /// returned once. Wraps around.
    pub fn add(&self, number: i64) -> i64 {
        self.0.add(0, number)
    }

    /// The current value.
    pub fn get(&self) -> i64 {
        self.0.get(0)
    }

    /// Sets the value.
    pub fn set(&self, value: i64) {
        self.0.set(0, value);
    }
}

impl fmt::Debug for SharedCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedCounter").field(&self.get()).finish()
    }
}
