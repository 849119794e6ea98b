//! The commands and the kernel, driven through the built binary. Needs nothing but Rust.
//!
//! One program for all of it: it is linked once, and two tests at a time are busy until all are
//! done.

mod bench;
mod check;
mod doctor;
mod edition;
mod kernel;
mod kernelspec;
mod layers;
mod python;
mod run;
mod run_refusals;
mod support;
mod template;
