//! The work on one block of numbers: the only code here that is compiled for several instruction
//! sets.
//!
//! Nothing in this module is generic over expressions, so it is compiled once, with the crate, and
//! not in each cell. The loops are plain; the compiler vectorises them because they are in
//! functions for which vector instructions are enabled.

mod elementary;
mod elementwise;
mod instruction_set;
mod sums;
#[cfg(test)]
mod tests;

pub(super) use elementwise::{Function, Operation, apply, combine, maximum, minimum};
pub use instruction_set::{InstructionSet, instruction_set};
pub(crate) use sums::pairwise;
pub(super) use sums::{greatest, least, sum};

/// Elements that an expression computes at a time: 4 KiB each, so that the operands of several
/// operations fit in a first-level cache of 32 KiB.
pub(super) const BLOCK: usize = 512;
