//! Programs in C and Python that the benchmarks are compared with.

use super::{c, python};

/// Compilers and interpreters of the baselines; `None` for those not asked for.
pub struct Baselines {
    pub c: Option<c::Compiler>,
    pub python: Option<python::Interpreter>,
}

/// Why a baseline was skipped that was not requested.
pub const NOT_ASKED: &str = "not requested (--peers)";
