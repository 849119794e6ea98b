//! `parcourse edition`: editions of the course, all made from one source.
//!
//! The files in `notebooks/` are the instructor's source: complete, with solutions, and executed by
//! the tests as they are. The learner's edition has a stub in the place of each solution
//! ([`regions`], by the conventions of nbgrader) and no notes for the instructor ([`learner`]). The
//! instructor's says how long what takes ([`schedule`], [`instructor`]), and the slides are for
//! showing ([`slides`]).
//!
//! An edition is a folder that can be given away: `notebooks/` with whatever they use, and
//! `helpers/`, a copy of the helper crate that stands on its own ([`helpers`]), where the
//! notebooks' `:dep parcourse = { path = "../helpers" }` finds it. It never overwrites what is not
//! an edition, nor an edition in which somebody has worked ([`destination`]).

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
