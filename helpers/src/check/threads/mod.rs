//! `check_threads!`: really on several threads.

mod busy;

use super::Wording;
use crate::base::thread_activity;
use crate::format::counted;
use crate::interrupt::{self, Scope};
use busy::Busy;
use rayon::ThreadPoolBuilder;
use std::hint::black_box;
use std::time::Duration;

/// Checks that a call really uses at least `threads` threads: prints how many did with a ✓, or
/// panics with a message for learners.
///
/// A thread counts if it took an item of [`Pool::map`](crate::threads::Pool::map), waited in the
/// prelude's [`sleep`](crate::interrupt::sleep), or computed: at least a twentieth of the CPU time
/// of the busiest thread, and 0.3 ms (3 ms if there are threads that wait or belong to a pool,
/// because starting them takes time, too). So give it at least 20 ms of work. Threads of rayon, of
/// pools and of the standard library count; a thread that lives for less than a millisecond may be
/// missed.
///
/// The call runs inside a rayon pool of `threads` threads, so the outcome does not depend on the
/// machine's number of cores. It is repeated up to three times, because a busy machine may give all
/// work to one thread. The check says nothing about speed; for that, use
/// [`check_fast!`](crate::check_fast!).
///
/// Options: `hint = "…"`, `what = "…"`, see [the module](mod@crate::check). Systems other than
/// Linux have no CPU times to compare: if too few threads have recorded their activity, nothing is
/// checked, and the output says so.
///
/// # Panics
///
/// Panics if fewer threads were used; if threads cannot be started. Panics of the call propagate.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let items = [10, 20, 30, 40];
/// let nap = |&ms: &u64| sleep(Duration::from_millis(ms));
/// check_threads!(|| Pool::new(3).map(nap, &items), 3, what = "the pool");
/// ```
///
/// prints
///
/// ```text
/// ✓ the pool uses 3 threads, at least 3 expected
/// ```
///
/// ```should_panic
/// # use parcourse::prelude::*;
/// let items = [10, 20, 30, 40];
/// let nap = |&ms: &u64| sleep(Duration::from_millis(ms));
/// check_threads!(|| map(nap, &items), 3, what = "it", hint = "use a pool");
/// // ✗ it uses 1 thread, at least 3 expected
/// //   Hint: use a pool
/// ```
#[macro_export]
macro_rules! check_threads {
    ($call:expr, $threads:expr $(, $($options:tt)*)?) => {
        $crate::check::threads(
            $call,
            $threads,
            $crate::__check_options!(
                $crate::check::Wording::of(::std::stringify!($call)),
                $($($options)*)?
            ),
        )
    };
}

/// The maximum number of calls.
const MAX_CALLS: usize = 3;
/// Less than this may be the start of a thread, or a worker of rayon that looked for work and found
/// none.
const MIN_CPU: Duration = Duration::from_micros(300);
/// If threads have recorded activity, one that computed less than this may only have started them.
const MIN_CPU_WITH_ACTIVITY: Duration = Duration::from_millis(3);

/// For the macro only.
#[doc(hidden)]
#[track_caller]
pub fn threads<R>(call: impl Fn() -> R + Sync, expected: usize, wording: Wording) {
    // The value is dropped on the thread that computed it, so it need not be `Send`.
    judge(&|| drop(black_box(call())), expected, &wording);
}

#[inline(never)]
#[track_caller]
fn judge(call: &(dyn Fn() + Sync), expected: usize, wording: &Wording) {
    let found = most_threads(call, expected);
    if found < expected && !Busy::IS_KNOWN {
        return wording.skip("this system does not report which threads computed");
    }
    let threads = counted(found, "thread");
    let message = format!("{} uses {threads}, at least {expected} expected", wording.subject());
    if found >= expected { wording.pass(message) } else { wording.fail(message) }
}

#[track_caller]
fn most_threads(call: &(dyn Fn() + Sync), expected: usize) -> usize {
    let _scope = Scope::enter();
    let pool = match ThreadPoolBuilder::new().num_threads(expected).build() {
        Ok(pool) => pool,
        Err(error) => panic!("failed to start {expected} threads: {error}"),
    };
    let mut most = 0;
    for _ in 0..MAX_CALLS {
        interrupt::check();
        let busy = Busy::watch();
        let ((), mut seen) = thread_activity::record(|| pool.install(call));
        let least = if seen.is_empty() { MIN_CPU } else { MIN_CPU_WITH_ACTIVITY };
        seen.extend(busy.stop(least));
        most = most.max(seen.len());
        if most >= expected {
            break;
        }
    }
    most
}
