//! Editions of the course, all made from one source.
//!
//! The files in `notebooks/` are the instructor's source: complete, with solutions, and executed by the tests as they are. The learner's
//! edition has a stub in the place of each solution ([`regions`], by the conventions of nbgrader) and no notes for the instructor
//! ([`learner`]).

mod folder;
mod learner;
mod regions;

pub use folder::learner;
pub use learner::learner_notebook;
