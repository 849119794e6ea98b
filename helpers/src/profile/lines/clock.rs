//! The cheapest clock that all cores agree on.
//!
//! On x86-64 this is the processor's time stamp counter, if Linux itself keeps time with it (it has
//! then checked that the counter runs evenly and equally on all cores); reading it takes half the
//! time of [`Instant::now`]. Otherwise it is `Instant`. Ticks become durations by comparing both
//! clocks at the start and the end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

static START: OnceLock<(u64, Instant)> = OnceLock::new();
static COUNTER: AtomicBool = AtomicBool::new(false);

/// Chooses the clock. Must return before the first call of [`now`].
pub fn start() {
    START.get_or_init(|| {
        let trusted = cfg!(all(target_arch = "x86_64", target_os = "linux"))
            && std::fs::read_to_string(
                "/sys/devices/system/clocksource/clocksource0/current_clocksource",
            )
            .is_ok_and(|name| name.trim() == "tsc");
        COUNTER.store(trusted, Ordering::Relaxed);
        (counter(), Instant::now())
    });
}

/// The current time in ticks.
#[inline]
pub fn now() -> u64 {
    if COUNTER.load(Ordering::Relaxed) {
        counter()
    } else {
        START.get().map_or(0, |(_, start)| start.elapsed().as_nanos() as u64)
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn counter() -> u64 {
    // SAFETY: every x86-64 processor has this instruction; it only reads a register.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn counter() -> u64 {
    0
}

/// The duration of a tick, in nanoseconds.
pub fn tick() -> f64 {
    let Some((first, start)) = START.get().filter(|_| COUNTER.load(Ordering::Relaxed)) else {
        return 1.0;
    };
    // Long enough that the two readings do not matter: 20 ms compared to some 50 ns.
    if let Some(missing) = Duration::from_millis(20).checked_sub(start.elapsed()) {
        std::thread::sleep(missing);
    }
    let ticks = counter().saturating_sub(*first);
    start.elapsed().as_nanos() as f64 / ticks.max(1) as f64
}
