//! What a notebook gets from `use parcourse::prelude::*;`.
//!
//! Names that the cell defines or imports take precedence. It includes rayon's own prelude, for
//! `par_iter`, and the parts of ndarray and rand that learners type.

pub use crate::ReproducibleSum;
pub use crate::asynchronous;
// The module and the macro of this name.
pub use crate::check;
pub use crate::cores::{Cores, cores};
pub use crate::display::{
    self, Bundle, Html, Json, Markdown, Png, Progress, Rich, Svg, Table, clear_output, display,
    display_with_id, progress,
};
pub use crate::expr::{self, lazy};
pub use crate::graph::{self, Graph};
pub use crate::grid;
pub use crate::interrupt::{self, sleep};
pub use crate::memit;
pub use crate::memory::{self, GIB, KIB, MIB, MemoryTrace, MemoryUsage, memory_usage, plot_memory};
pub use crate::node::{NodeInfo, node_info};
pub use crate::plot::{self, Plot};
pub use crate::processes;
pub use crate::profile::{self, line_profile};
pub use crate::random::{self, Stream, streams};
pub use crate::tasks;
pub use crate::threads::{self, Pool, map};
pub use crate::time::{Timing, scaling};
// The module and the macro of this name.
pub use crate::time;
pub use crate::{check_close, check_eq, check_fast, check_memory, check_threads};
pub use crate::{compare, timed, timeit};
pub use ndarray;
pub use ndarray::{
    Array1, Array2, Array3, ArrayD, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis,
    Zip, array, azip, par_azip, s,
};
pub use rand;
pub use rand::{Rng, RngExt, SeedableRng};
pub use rayon;
pub use rayon::prelude::*;
pub use std::time::{Duration, Instant};
