//! What a notebook gets from `use parcourse::prelude::*;`.
//!
//! Names the cell defines or imports itself win over these. rayon's own prelude is part of it, so that `par_iter` is at hand.

pub use crate::cores::{Cores, cores};
pub use crate::display::{
    self, Bundle, Html, Json, Markdown, Png, Progress, Rich, Svg, Table, clear_output, display, display_with_id, progress,
};
pub use crate::graph::{self, Graph};
pub use crate::interrupt::{self, sleep};
pub use crate::plot::{self, Plot};
pub use crate::threads::{self, Pool, map};
pub use crate::time::Timing;
// The module and the macro of this name.
pub use crate::time;
pub use crate::timed;
pub use rayon;
pub use rayon::prelude::*;
pub use std::time::{Duration, Instant};
