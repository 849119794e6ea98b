//! The flame graph: where the CPU time of all threads went, by sampling.
//!
//! Every thread gets a timer on its own CPU clock. When it fires, the signal handler copies the
//! registers and the upper end of the stack into a buffer that was allocated before, which is all
//! that a handler may safely do. A collector thread walks the copy with the tables that exceptions
//! use (`.eh_frame`; no frame pointers needed), reading nothing but the copy, so that a stack it
//! does not understand ends early and does no harm. Names are looked up when the work is done.
//!
//! Why not a ready-made profiler: those unwind inside of the handler, with libgcc, which may crash
//! or hang there, and bring a protocol buffer library or the drawing of whole flame graph sites
//! along. The drawing here is some fifty lines.

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

/// Runs `work` and shows in which functions the CPU time went: a flame graph and a table of the
/// hottest functions.
///
/// All threads of the process are sampled while `work` runs, each about every millisecond of its
/// own CPU time (every four where the kernel's clock ticks 250 times per second), so a thread that
/// waits does not appear. Wide boxes are where the time goes; a box stands on the function that
/// called it. What is below the closure and below the start of a thread is left out, and the inside
/// of rayon is one box. The value of `work` is computed and dropped; let it assign to a variable to
/// keep it.
///
/// A few hundred milliseconds of work give a useful picture. The work itself is slowed down by
/// about 1 %. Functions that the compiler inlined are shown on the Parcourse kernel, whose cells
/// have line tables; on the stock kernel their time is their caller's.
///
/// Works on Linux on x86-64; elsewhere `work` runs and the graph says that it is not available. A
/// thread that ends within some ten milliseconds may be missed. The signal SIGPROF has a handler
/// from the first use on.
///
/// # Panics
///
/// When a flame graph is being made already, or something else in the program uses SIGPROF; and
/// when `work` does.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let graph = profile::flame_graph(|| (0..200_000u64).into_par_iter().map(|n| (n as f64).sqrt().sin()).sum::<f64>());
/// graph.show();
/// ```
#[inline(never)]
pub fn flame_graph<R>(work: impl FnOnce() -> R) -> FlameGraph {
    let session = linux::Session::start();
    begin(work);
    session.finish()
}

/// The stack of interest begins here; the graph knows this function by its name.
#[inline(never)]
fn begin<R>(work: impl FnOnce() -> R) {
    // After the call, so that it is no tail call that would leave the stack.
    std::hint::black_box(work());
}
