//! The messages between a worker and its parent: a head of fixed length, and bytes.

/// What a message is about.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u64)]
pub(super) enum Kind {
    /// To a worker: compute items `start..start + count`. The bytes are for whoever computes them.
    #[default]
    Compute = 1,
    /// From a worker: the results of items `start..start + count`, one after the other.
    Values,
    /// From a worker: the result of item `start`, many numbers in `shape`.
    Large,
    /// From a worker: the range is done, or as much of it as was wanted, in `nanoseconds`. The
    /// bytes are what was recorded of it.
    Done,
}

/// The head of a message.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) count: usize,
    pub(super) shape: [usize; 2],
    pub(super) nanoseconds: u64,
    /// Whether tasks are to be recorded.
    pub(super) recording: bool,
    /// How many bytes follow.
    pub(super) length: usize,
}

/// The number of bytes of a head.
pub(super) const HEAD: usize = size_of::<[u64; 8]>();

impl Head {
    /// Of the results of these items, which take so many bytes.
    pub(super) fn of_values(items: std::ops::Range<usize>, length: usize) -> Head {
        Head {
            kind: Kind::Values,
            start: items.start,
            count: items.len(),
            length,
            ..Head::default()
        }
    }

    pub(super) fn to_bytes(self) -> [u8; HEAD] {
        let Head { kind, start, count, shape, nanoseconds, recording, length } = self;
        let words = [
            kind as u64,
            start as u64,
            count as u64,
            shape[0] as u64,
            shape[1] as u64,
            nanoseconds,
            u64::from(recording),
            length as u64,
        ];
        let mut bytes = [0; HEAD];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    /// `None` if these bytes are no head: something else has written to the connection.
    pub(super) fn from_bytes(bytes: &[u8; HEAD]) -> Option<Head> {
        let word = |i: usize| u64::from_ne_bytes(std::array::from_fn(|k| bytes[8 * i + k]));
        let size = |i| word(i) as usize;
        let kind = [Kind::Compute, Kind::Values, Kind::Large, Kind::Done]
            .into_iter()
            .find(|kind| *kind as u64 == word(0))?;
        let (shape, recording) = ([size(3), size(4)], word(6) != 0);
        Some(Head {
            kind,
            start: size(1),
            count: size(2),
            shape,
            nanoseconds: word(5),
            recording,
            length: size(7),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_come_back() {
        let head = Head {
            kind: Kind::Large,
            start: 1,
            count: 2,
            shape: [3, 4],
            nanoseconds: 5,
            recording: true,
            length: 6,
        };
        let back = Head::from_bytes(&head.to_bytes()).unwrap();
        assert_eq!(format!("{back:?}"), format!("{head:?}"));
        assert!(Head::from_bytes(&[0; HEAD]).is_none());
    }
}
