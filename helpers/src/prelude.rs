//! What a notebook gets from `use parcourse::prelude::*;`.
//!
//! Names the cell defines or imports itself win over these. rayon's own prelude is part of it, so that `par_iter` is at hand.

pub use crate::cores::{Cores, cores};
pub use crate::display::{self, Bundle, Html, Json, Markdown, Png, Progress, Rich, Svg, clear_output, display, display_with_id, progress};
pub use crate::interrupt::{self, sleep};
pub use crate::memit;
pub use crate::memory::{self, MemoryTrace, MemoryUsage, memory_usage};
pub use crate::node::{NodeInfo, node_info};
pub use crate::threads::{self, Pool, map};
pub use crate::time::Timing;
// The module and the macro of this name.
pub use crate::time;
pub use crate::timed;
pub use rayon;
pub use rayon::prelude::*;
pub use std::time::{Duration, Instant};
