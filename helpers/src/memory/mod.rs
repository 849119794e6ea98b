//! How much memory did it take?
//!
//! [`memit!`](crate::memit!) is IPython's `%memit`: it gives the value back and prints the peak.
//! [`memory_usage`] is memory_profiler's function of that name: it gives the value and a
//! [`MemoryTrace`] back, memory over time, to look at, to compare and to plot. [`MemoryUsage`] has
//! the options.
//!
//! ```
//! use parcourse::prelude::*;
//! let squares = memit!((0..1_000_000u64).map(|i| i * i).collect::<Vec<_>>());
//! let (sum, trace) = memory_usage(|| squares.iter().map(|&x| x as f64).collect::<Vec<_>>().iter().sum::<f64>());
//! println!("{sum}: {trace}");
//! assert!(trace.increment() >= 0.0);
//! ```
//!
//! # What is measured
//!
//! *Resident* memory: the pages of this process that are in physical memory now, program and
//! libraries included, in MiB (2²⁰ bytes). Memory that was allocated but never written to does not
//! count, and memory that was freed counts for as long as the allocator keeps it for later. So that
//! an increment is not hidden by memory kept from an earlier cell, a measurement begins by asking
//! the allocator to give everything free back to the system (`malloc_trim`, with glibc).
//!
//! The *peak* is the system's own high-water mark, which sees every page however briefly it was
//! used. On Linux it is set back before the call (`/proc/self/clear_refs`) and read after it
//! (`VmHWM`). Linux counts pages per core and adds up now and then: an error of about 0.1 MiB for
//! each core that allocated is possible. Where the mark cannot be set back, the peak is that of the
//! samples, unless the mark rose during the call; [`MemoryTrace::exact`] tells, and what is printed
//! says so.
//!
//! The *increment* is the peak minus the baseline, the memory in use right before the call. The
//! sampler's thread and its fixed buffer are there before the baseline is taken, so they are not
//! part of it. Everything the process does meanwhile is, in other threads too. Measurements may be
//! nested and may overlap.
//!
//! On macOS memory is sampled and the peak comes from `getrusage`, which cannot be set back. On
//! other systems measuring panics and [`resident`] is `None`: not available there.

mod measurement;
mod options;
mod peak;
mod plot;

mod sampler;
mod system;
mod trace;

pub use measurement::Measurement;
pub use options::MemoryUsage;
pub(crate) use peak::lock_for_fork;
pub use plot::plot_memory;

pub use trace::{Counted, MemoryTrace, Sample};

/// 1024 bytes.
pub const KIB: usize = 1 << 10;
/// 1024² bytes.
pub const MIB: usize = 1 << 20;
/// 1024³ bytes.
pub const GIB: usize = 1 << 30;

/// Runs `f` and gives back its value and how much memory the process used over time; the short form
/// of [`MemoryUsage::new().measure(f)`](MemoryUsage::measure).
///
/// A sample is taken every 10 ms, which costs about 0.2 % of one core. Setting up takes below a
/// millisecond, longer where the allocator has much free memory to give back.
///
/// # Panics
///
/// On systems that do not tell how much memory a process uses (neither Linux nor macOS). A panic of
/// `f` goes through; sampling ends.
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

/// The memory this process has resident now, in MiB; `None` where the system does not tell (neither
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

/// Evaluates an expression, prints the peak of memory it needed to stdout, and gives its value
/// back.
///
/// Works around any expression, a block too: `?`, `return` and moves mean what they mean without
/// the macro. No sampling is needed where the system knows the exact peak. See [the
/// module](mod@crate::memory) for what is counted.
///
/// # Panics
///
/// On systems that do not tell how much memory a process uses (neither Linux nor macOS).
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
/// prints, because pages of zeros are made when they are first touched,
///
/// ```text
/// peak memory: 52.14 MiB, increment: 0.08 MiB
/// peak memory: 53.15 MiB, increment: 1.01 MiB
/// ```
#[macro_export]
macro_rules! memit {
    ($expression:expr $(,)?) => {
        // A `match` and no `let`: temporaries of the expression live as long as they would without
        // the macro.
        match ($crate::memory::Measurement::of_peak(), ::std::hint::black_box($expression)) {
            (measurement, value) => {
                let trace = measurement.stop();
                ::std::println!("{trace}");
                value
            }
        }
    };
}
