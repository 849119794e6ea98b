//! The flame graph: where all threads spent their CPU time, by sampling.
//!
//! Every thread gets a timer on its own CPU clock. When it fires, the signal handler copies the
//! registers and the upper end of the stack into a preallocated buffer, which is all that a handler
//! may safely do. A collector thread walks the copy with the tables that exceptions use
//! (`.eh_frame`; no frame pointers needed). It reads nothing but the copy, so a stack that it does
//! not understand ends early and does no harm. Names are looked up after the work.
//!
//! Why not an existing profiler: they unwind inside the handler, with libgcc, which may crash or
//! hang there, and they pull in a protocol buffer library or a complete flame graph generator. The
//! drawing here takes some fifty lines.

mod drawing;
mod names;
mod tree;

#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod linux;
#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
mod linux {
    //! Other systems: nothing is sampled.

    use super::FlameGraph;

    pub struct Session;

    impl Session {
        pub fn start() -> Session {
            Session
        }

        pub fn finish(self) -> FlameGraph {
            FlameGraph::not_available(
                "flame graphs are not available here: they need Linux on x86-64",
            )
        }
    }
}

pub use tree::{FlameGraph, HotFunction};

/// Runs `work` and shows which functions used the CPU time: a flame graph and a table of the
/// hottest functions.
///
/// All threads of the process are sampled while `work` runs, each about every millisecond of its
/// own CPU time (every four if the kernel's clock ticks 250 times per second), so a waiting thread
/// does not appear. Wide boxes are where the time goes; a box stands on the function that called
/// it. Frames below the closure and below the start of a thread are left out, and rayon's internals
/// are one box. The value of `work` is computed and dropped; assign to a variable to keep it.
///
/// A few hundred milliseconds of work give a useful picture. Sampling slows the work down by about
/// 1 %. On the Parcourse kernel, whose cells have line tables, inlined functions are shown; on the
/// stock kernel their time counts for the caller.
///
/// Works on Linux on x86-64; elsewhere `work` runs and the graph says that it is not available. A
/// thread that ends within about ten milliseconds may be missed. From the first use on, the signal
/// SIGPROF has a handler.
///
/// # Panics
///
/// If another flame graph is being recorded, or something else in the program uses SIGPROF; also if
/// `work` panics.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let graph = profile::flame_graph(|| {
///     (0..200_000u64).into_par_iter().map(|n| (n as f64).sqrt().sin()).sum::<f64>()
/// });
/// graph.show();
/// ```
#[inline(never)]
pub fn flame_graph<R>(work: impl FnOnce() -> R) -> FlameGraph {
    let session = linux::Session::start();
    begin(work);
    session.finish()
}

/// The stack of interest starts here; the graph knows this function by name.
#[inline(never)]
fn begin<R>(work: impl FnOnce() -> R) {
    // After the call, so that it is not a tail call, which would leave the stack.
    std::hint::black_box(work());
}
