//! What all other modules share: where files are ([`paths`], [`trust`], [`owned_dir`]), writing
//! them atomically ([`files`]), processes ([`process`]), lines on stderr ([`log`], [`steps`]), the
//! machine's memory ([`memory`]), and Python environments ([`python_environment`]).

pub mod files;
pub mod hash;
pub mod library_path;
pub mod log;
pub mod memory;
pub mod owned_dir;
pub mod paths;
pub mod process;
pub mod python_environment;
pub mod steps;
pub mod trust;
