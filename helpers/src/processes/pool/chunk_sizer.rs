//! How many items a worker gets at a time.
//!
//! One at first. A message there and back costs about 20 µs, so a worker gets more items while they
//! take less than a millisecond together; longer items always go one by one. Towards the end chunks
//! become smaller, so that all workers end at the same time, but not smaller than what a message is
//! worth.

use std::collections::VecDeque;
use std::time::Duration;

/// How long a chunk should take.
const TARGET_CHUNK_TIME: Duration = Duration::from_millis(1);

/// A chunk that takes at most this long is not divided for an even end.
const MIN_CHUNK_TIME: Duration = Duration::from_micros(50);

/// How much larger than all chunks before it a chunk may be. A wrong guess is corrected: a slow
/// worker returns the rest.
const MAX_GROWTH: usize = 16;

/// The fastest of this many chunks counts: the others have lost time to other programs.
const RECENT_CHUNKS: usize = 8;

#[derive(Clone, Debug)]
pub(crate) struct ChunkSizer {
    fixed: Option<usize>,
    /// How long a chunk should take.
    target: Duration,
    adaptive: usize,
    /// Seconds per item.
    recent: VecDeque<f64>,
}

impl ChunkSizer {
    pub(crate) fn new(fixed: Option<usize>) -> ChunkSizer {
        ChunkSizer {
            fixed,
            target: TARGET_CHUNK_TIME,
            adaptive: 1,
            recent: VecDeque::with_capacity(RECENT_CHUNKS),
        }
    }

    /// For workers that are started for each chunk: that takes a quarter of a millisecond, and more
    /// if the process uses much memory.
    pub(crate) fn for_new_workers(fixed: Option<usize>) -> ChunkSizer {
        ChunkSizer { target: 10 * TARGET_CHUNK_TIME, ..ChunkSizer::new(fixed) }
    }

    /// How many of the remaining items the next worker gets.
    pub(crate) fn next(&self, left: usize, workers: usize) -> usize {
        let least = (MIN_CHUNK_TIME.as_secs_f64() / self.per_item()) as usize;
        let fair = (left / (2 * workers)).max(least).max(1);
        self.fixed.unwrap_or(self.adaptive.min(fair)).min(left)
    }

    pub(crate) fn is_adaptive(&self) -> bool {
        self.fixed.is_none()
    }

    /// Learns from a chunk.
    pub(crate) fn learn(&mut self, items: usize, took: Duration) {
        if items == 0 {
            return;
        }
        if self.recent.len() == RECENT_CHUNKS {
            self.recent.pop_front();
        }
        self.recent.push_back(took.as_secs_f64() / items as f64);
        self.adaptive = ((self.target.as_secs_f64() / self.per_item()) as usize)
            .clamp(1, self.adaptive.max(MAX_GROWTH * items));
    }

    /// The time for an item without disturbances.
    fn per_item(&self) -> f64 {
        self.recent.iter().copied().fold(f64::INFINITY, f64::min).max(1e-12)
    }

    /// How many chunks a worker has at a time: a second one, so that it need not wait for the
    /// parent, unless the items are slow.
    pub(crate) fn depth(&self) -> usize {
        if self.per_item() < TARGET_CHUNK_TIME.as_secs_f64() { 2 } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_items_go_one_by_one() {
        let mut chunk = ChunkSizer::new(None);
        for _ in 0..10 {
            assert_eq!((chunk.next(1000, 2), chunk.depth()), (1, 1));
            chunk.learn(1, Duration::from_millis(30));
        }
    }

    #[test]
    fn short_items_go_together_and_end_evenly() {
        let mut chunk = ChunkSizer::new(None);
        for _ in 0..20 {
            let items = chunk.next(1_000_000, 4);
            chunk.learn(items, Duration::from_micros(items as u64));
        }
        assert!((500..=2000).contains(&chunk.next(1_000_000, 4)), "{chunk:?}");
        assert_eq!(chunk.depth(), 2);
        assert_eq!(chunk.next(800, 4), 100);
        assert_eq!(chunk.next(40, 4), 40, "in 40 µs");
        assert_eq!(chunk.next(1, 4), 1);
    }

    #[test]
    fn fixed_is_fixed() {
        let mut chunk = ChunkSizer::new(Some(7));
        chunk.learn(7, Duration::from_millis(30));
        assert_eq!(chunk.next(100, 8), 7);
        assert_eq!(chunk.next(3, 8), 3);
    }
}
