//! `parcourse check`: whether a course is what it promises to be.
//!
//! Without executing anything, within a second: manifest and files agree ([`manifest`]), every
//! notebook has what its manifest entry says and what all notebooks have ([`contents`]), exercises
//! have their form ([`exercises`]), cells have ids and tags that are understood ([`cells`]), files
//! are in the form in which they are committed ([`form`]), and whatever is linked to exists
//! ([`links`]). All that is wrong is told at once, each with what to do about it.
//!
//! With `--execute` ([`execute`]): the source passes, and in the learner's edition every exercise
//! fails as given while all the rest passes.

mod cells;
mod command;
mod contents;
mod execute;
mod exercises;
mod form;
mod links;
mod manifest;
mod material;
mod report;

pub use command::{CheckArguments, main};
