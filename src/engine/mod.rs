//! Everything that makes the evcxr engine start and compile faster than it does alone.
//!
//! In reading order: [`user_process`] (the process that runs the user's code), [`cell_compiler`]
//! (between the engine and rustc), [`skeleton`] (what rust-analyzer reads instead of whole
//! sources), [`cargo_proxy`] (between rust-analyzer and cargo), [`build_cache`] (a build directory
//! that is created once and copied at each start).

pub mod build_cache;
pub mod cargo_proxy;
pub mod cell_compiler;
pub mod skeleton;
pub mod user_process;
