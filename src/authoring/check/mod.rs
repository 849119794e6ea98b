//! `parcourse check`: lints a course.
//!
//! Without running anything, within a second, it checks that the manifest matches the files
//! ([`manifest`]), every notebook has the required parts and matches its manifest entry
//! ([`contents`]), exercises are well-formed ([`exercises`]), cells have ids and known tags
//! ([`cells`]), files are in normal form ([`form`]), and links lead somewhere ([`links`]). It
//! reports all problems at once, each with a fix.
//!
//! With `--execute` ([`execute`]), it also checks that the source passes and that, in the learner's
//! edition, unsolved exercises fail while everything else passes.

mod cells;
mod command;
mod contents;
mod execute;
mod exercises;
mod form;
mod links;
mod manifest;
mod material;
mod problems;

pub use command::{CheckArguments, main};
