//! How many items a worker gets at a time.
//!
//! One at first. A message there and back costs some 20 µs, so more items are given while they take less than a millisecond together; items
//! that take longer always go one by one. Towards the end chunks become smaller, so that all workers end at the same time.

use std::time::Duration;

/// What a chunk should take.
const CHUNK: Duration = Duration::from_millis(1);

#[derive(Clone, Debug)]
pub(super) struct Chunk {
    fixed: Option<usize>,
    adaptive: usize,
    last: Option<Duration>,
}

impl Chunk {
    pub(super) fn new(fixed: Option<usize>) -> Chunk {
        Chunk { fixed, adaptive: 1, last: None }
    }

    /// How many of the items that are left the next worker gets.
    pub(super) fn next(&self, left: usize, workers: usize) -> usize {
        let fair = (left / (2 * workers)).max(1);
        self.fixed.unwrap_or(self.adaptive.min(fair)).min(left)
    }

    /// Learns from a chunk of so many items.
    pub(super) fn learn(&mut self, items: usize, took: Duration) {
        self.last = Some(took);
        match took {
            // Chunks from before the last change say nothing new.
            _ if items < self.adaptive / 2 => {}
            short if short < CHUNK / 8 => self.adaptive = (4 * self.adaptive).min(4 * items.max(1)),
            short if short < CHUNK => self.adaptive = (2 * self.adaptive).min(2 * items.max(1)),
            long if long > 2 * CHUNK => self.adaptive = (self.adaptive / 2).max(1),
            _ => {}
        }
    }

    /// How many chunks a worker has at a time: a second one, so that it need not wait for the parent, unless it would sit on it.
    pub(super) fn depth(&self) -> usize {
        if self.last.is_some_and(|took| took < 2 * CHUNK) { 2 } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_items_go_one_by_one() {
        let mut chunk = Chunk::new(None);
        for _ in 0..10 {
            assert_eq!((chunk.next(1000, 2), chunk.depth()), (1, 1));
            chunk.learn(1, Duration::from_millis(30));
        }
    }

    #[test]
    fn short_items_go_together_and_end_evenly() {
        let mut chunk = Chunk::new(None);
        for _ in 0..20 {
            let items = chunk.next(1_000_000, 4);
            chunk.learn(items, Duration::from_micros(items as u64));
        }
        assert!((500..=2000).contains(&chunk.next(1_000_000, 4)), "{chunk:?}");
        assert_eq!(chunk.depth(), 2);
        assert_eq!(chunk.next(40, 4), 5);
        assert_eq!(chunk.next(1, 4), 1);
    }

    #[test]
    fn fixed_is_fixed() {
        let mut chunk = Chunk::new(Some(7));
        chunk.learn(7, Duration::from_millis(30));
        assert_eq!(chunk.next(100, 8), 7);
        assert_eq!(chunk.next(3, 8), 3);
    }
}
