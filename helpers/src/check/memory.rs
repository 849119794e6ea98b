//! `check_memory!`: an upper limit on memory.

use super::Wording;
use crate::memory::{MIB, Measurement, resident};
use std::hint::black_box;

/// Checks that a call needs at most `limit` bytes of memory: prints its peak with a ✓, or panics
/// with a message for learners.
///
/// The limit is in bytes, on top of what the process used before the call: `8 * MIB`.
/// [`memory`](mod@crate::memory) describes what counts: resident pages, exact on Linux up to about
/// 0.1 MiB per core; so choose a limit of several MiB. If the call needs more, it is repeated up to
/// twice, because the first call may load code and start threads. Threads of other cells that
/// allocate meanwhile count, too.
///
/// Options: `hint = "…"`, `what = "…"`, see [the module](mod@crate::check).
///
/// # Panics
///
/// Panics if it needs more.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// check_memory!(|| (0..1_000_000).map(f64::from).sum::<f64>(), 4 * MIB, hint = "do not collect");
/// ```
///
/// prints
///
/// ```text
/// ✓ (0..1_000_000).map(f64::from).sum::<f64>() needs 0.01 MiB, at most 4.00 MiB expected
/// ```
///
/// ```should_panic
/// # use parcourse::prelude::*;
/// check_memory!(|| (0..1_000_000).map(f64::from).collect::<Vec<f64>>(), 4 * MIB, what = "it");
/// // ✗ it needs 7.64 MiB, at most 4.00 MiB expected
/// ```
#[macro_export]
macro_rules! check_memory {
    ($call:expr, $limit:expr $(, $($options:tt)*)?) => {
        $crate::check::memory(
            $call,
            $limit,
            $crate::__check_options!(
                $crate::check::Wording::of(::std::stringify!($call)),
                $($($options)*)?
            ),
        )
    };
}

/// The maximum number of calls.
const MAX_CALLS: usize = 3;

/// For the macro only.
#[doc(hidden)]
#[track_caller]
pub fn memory<R>(mut call: impl FnMut() -> R, limit: usize, wording: Wording) {
    measure(
        &mut |measured| {
            // The value is dropped after the measurement.
            let value = black_box(call());
            measured();
            drop(value);
        },
        limit,
        &wording,
    );
}

/// `call` calls its argument once the value exists, and before it drops the value.
#[inline(never)]
#[track_caller]
fn measure(call: &mut dyn FnMut(&mut dyn FnMut()), limit: usize, wording: &Wording) {
    if resident().is_none() {
        return wording.skip("this system does not report how much memory a program uses");
    }
    let limit = limit as f64 / MIB as f64;
    let mut least = f64::INFINITY;
    for _ in 0..MAX_CALLS {
        let mut measurement = Some(Measurement::of_peak());
        call(&mut || {
            least = measurement
                .take()
                .map_or(least, |measurement| least.min(measurement.stop().increment()))
        });
        if least <= limit {
            break;
        }
    }
    let found =
        format!("{} needs {least:.2} MiB, at most {limit:.2} MiB expected", wording.subject());
    if least <= limit { wording.pass(found) } else { wording.fail(found) }
}
