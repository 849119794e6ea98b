//! `parcourse edition`: makes editions of the course from a single source.
//!
//! The files in `notebooks/` are the instructor's source: complete, with solutions, and run by the
//! tests as they are. The learner's edition has stubs in place of solutions ([`regions`], following
//! nbgrader's conventions) and no notes for the instructor ([`learner`]). The instructor's edition
//! has a schedule ([`schedule`], [`instructor`]), and the slides are for presenting ([`slides`]).
//!
//! An edition is a folder that can be handed out: `notebooks/` with all files they use, and
//! `helpers/`, a self-contained copy of the helper crate ([`helpers`]), where the notebooks' `:dep
//! parcourse = { path = "../helpers" }` finds it. It never overwrites folders that are not
//! editions, nor editions with changed notebooks ([`destination`]).

mod command;
mod destination;
mod folder;
mod helpers;
mod instructor;
mod learner;
pub mod regions;
mod schedule;
mod slides;

pub use command::{EditionArguments, main};
pub use folder::learner;
pub use learner::{learner_cell, learner_notebook};
