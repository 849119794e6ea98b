//! Everything that makes the evcxr engine start and compile faster than it does by itself.
//!
//! In reading order: [`user_process`] (what runs in the process of the user's code),
//! [`cell_compiler`] (what stands between the engine and rustc), [`skeleton`] (what rust-analyzer
//! reads instead of whole sources), [`cargo_proxy`] (what stands between the engine and cargo),
//! [`build_cache`] (a build directory made once, copied at each start).

pub mod build_cache;
pub mod cargo_proxy;
pub mod cell_compiler;
pub mod skeleton;
pub mod user_process;
