//! How much memory did it take?
//!
//! [`memit!`](crate::memit!) is IPython's `%memit`: it returns the value and prints the peak.
//! [`memory_usage`] is like memory_profiler's function of that name: it returns the value and a
//! [`MemoryTrace`], the memory over time, to look at, compare and plot. [`MemoryUsage`] has the
//! options. Reading order: `measurement`, `peak`, `sampler`, `trace`, `system`.
//!
//! ```
//! use parcourse::prelude::*;
//! let squares = memit!((0..1_000_000u64).map(|i| i * i).collect::<Vec<_>>());
//! let (sum, trace) = memory_usage(|| {
//!     let floats: Vec<f64> = squares.iter().map(|&x| x as f64).collect();
//!     floats.iter().sum::<f64>()
//! });
//! println!("{sum}: {trace}");
//! assert!(trace.increment() >= 0.0);
//! ```
//!
//! # What is measured
//!
//! *Resident* memory: the pages of this process that are in physical memory now, program and
//! libraries included, in MiB (2²⁰ bytes). Memory that was allocated but never written to does not
//! count; memory that was freed counts as long as the allocator keeps it. Memory kept from an
//! earlier cell must not hide an increment, so a measurement first asks the allocator to return all
//! free memory to the system (`malloc_trim`, with glibc).
//!
//! The *peak* is the system's own high-water mark, which includes every page, however briefly it
//! was used. On Linux it is reset before the call (`/proc/self/clear_refs`) and read after it
//! (`VmHWM`). Linux counts pages per core and adds up now and then: an error of about 0.1 MiB for
//! each core that allocated is possible. If the mark cannot be reset, the peak is that of the
//! samples, unless the mark rose during the call; [`MemoryTrace::exact`] and the printed line say
//! so.
//!
//! The *increment* is the peak minus the baseline, the memory in use right before the call. The
//! sampler's thread and its fixed buffer exist before the baseline is taken, so they are not part
//! of it. Everything else that the process does meanwhile is, also in other threads. Measurements
//! may be nested and may overlap.
//!
//! On macOS memory is sampled and the peak comes from `getrusage`, which cannot be reset. On other
//! systems measuring panics and [`resident`] returns `None`.

mod measurement;
mod peak;
mod sampler;
mod system;
mod trace;

pub use measurement::{Measurement, MemoryUsage};
pub(crate) use peak::lock_for_fork;
pub use trace::{Counted, MemoryTrace, Sample, plot_memory};

/// 1024 bytes.
pub const KIB: usize = 1 << 10;
/// 1024² bytes.
pub const MIB: usize = 1 << 20;
/// 1024³ bytes.
pub const GIB: usize = 1 << 30;

/// Runs `f` and returns its value and how much memory the process used over time; short for
/// [`MemoryUsage::new().measure(f)`](MemoryUsage::measure).
///
/// A sample is taken every 10 ms, which costs about 0.2 % of one core. Setting up takes less than a
/// millisecond, longer if the allocator has much free memory to return.
///
/// # Panics
///
/// On systems that do not report how much memory a process uses (neither Linux nor macOS). Panics
/// of `f` propagate; sampling ends.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let (length, trace) = memory_usage(|| vec![1.0; 4_000_000].len());
/// assert_eq!(length, 4_000_000);
/// println!("{:.0} MiB more than before", trace.increment()); // 31 MiB more than before
/// ```
#[inline]
pub fn memory_usage<R>(f: impl FnOnce() -> R) -> (R, MemoryTrace) {
    MemoryUsage::new().measure(f)
}

/// The resident memory of this process, in MiB; `None` if the system does not report it (neither
/// Linux nor macOS).
///
/// # Examples
///
/// ```
/// # #[cfg(target_os = "linux")]
/// assert!(parcourse::memory::resident().unwrap() > 0.5);
/// ```
pub fn resident() -> Option<f64> {
    system::Meter::new()?.resident()
}

/// Evaluates an expression, prints the peak memory it needed to stdout, and returns its value.
///
/// Works with any expression, also a block: `?`, `return` and moves mean the same as without the
/// macro. No sampling is needed if the system knows the exact peak. See [the
/// module](mod@crate::memory) for what is counted.
///
/// # Panics
///
/// On systems that do not report how much memory a process uses (neither Linux nor macOS).
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let zeros = memit!(vec![0u8; 1 << 20]);
/// let ones = memit!(vec![1u8; 1 << 20]);
/// # assert_eq!(zeros.len(), ones.len());
/// ```
///
/// prints, because the system creates pages of zeros when they are first touched,
///
/// ```text
/// peak memory: 52.14 MiB, increment: 0.08 MiB
/// peak memory: 53.15 MiB, increment: 1.01 MiB
/// ```
#[macro_export]
macro_rules! memit {
    ($expression:expr $(,)?) => {
        // A `match` instead of `let`: temporaries of the expression live as long as without the
        // macro.
        match ($crate::memory::Measurement::of_peak(), ::std::hint::black_box($expression)) {
            (measurement, value) => {
                let trace = measurement.stop();
                ::std::println!("{trace}");
                value
            }
        }
    };
}
