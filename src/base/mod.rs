//! What several wings need: where things lie ([`paths`], [`trust`]), writing files whole ([`files`]),
//! children that end with us ([`process`]), lines on stderr ([`log`], [`steps`]), the machine's
//! memory ([`memory`]), and Python environments ([`python_environment`]). It uses no other wing.

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
