//! Parts of a shared array that belong to one process each.

use super::Pool;
use crate::processes::shared::{Element, SharedArray};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::ops::Range;

impl<T: Element> SharedArray<T> {
    /// Splits the array into chunks of `len` elements (the last one may be shorter) and lets the
    /// processes of a pool work on them, in place: rayon's
    /// `par_chunks_mut(len).enumerate().for_each(…)`.
    ///
    /// `f` gets the number of the chunk and an ordinary slice, at the speed of one. Nothing is
    /// copied or sent.
    ///
    /// The compiler ensures that nothing else in this process uses the array meanwhile. It does not
    /// know about other processes: those that already have the array, by name or by an earlier
    /// fork, must not use it until this returns.
    ///
    /// # Panics
    ///
    /// If `len` is 0, or if a clone of the array exists. Like [`Pool::map`] if `f` panics or a
    /// process is killed; then some chunks may be done, some not, and some half.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::processes::{Pool, SharedArray};
    /// let mut squares = SharedArray::<f64>::zeros(10);
    /// squares.for_each_chunk(&Pool::new(2), 4, |number, chunk| {
    ///     for (offset, square) in chunk.iter_mut().enumerate() {
    ///         *square = ((4 * number + offset) as f64).powi(2);
    ///     }
    /// });
    /// assert_eq!(squares.to_vec(), [0.0, 1.0, 4.0, 9.0, 16.0, 25.0, 36.0, 49.0, 64.0, 81.0]);
    /// ```
    #[track_caller]
    pub fn for_each_chunk(&mut self, pool: &Pool, len: usize, f: impl Fn(usize, &mut [T])) {
        self.map_chunks(pool, len, f);
    }

    /// Like [`for_each_chunk`](Self::for_each_chunk), and returns the results of `f`, in the order
    /// of the chunks.
    ///
    /// # Panics
    ///
    /// As `for_each_chunk` does.
    #[track_caller]
    pub fn map_chunks<R>(
        &mut self,
        pool: &Pool,
        len: usize,
        f: impl Fn(usize, &mut [T]) -> R,
    ) -> Vec<R>
    where
        R: Serialize + DeserializeOwned + 'static,
    {
        assert!(len > 0, "chunks need at least one element");
        let all = self.len();
        let chunks: Vec<Chunk> =
            (0..all).step_by(len).map(|start| Chunk(start..all.min(start + len))).collect();
        let Some(elements) = self.as_mut_slice() else {
            panic!(
                "a clone of the shared array exists: drop it first, so that nothing uses it \
                 meanwhile"
            )
        };
        let start = elements.as_mut_ptr();
        let work = |Chunk(range): &Chunk| {
            // SAFETY: `elements` is borrowed exclusively until the pool is done. The chunks do not
            // overlap, and the pool works on each once.
            let chunk =
                unsafe { std::slice::from_raw_parts_mut(start.add(range.start), range.len()) };
            f(range.start / len, chunk)
        };
        pool.map(work, &chunks)
    }
}

/// The range of a chunk, for the messages of failures.
struct Chunk(Range<usize>);

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "elements {:?}", self.0)
    }
}
