//! Requests of the front end: [`shell`] answers everything but interrupts and shutdowns, which
//! arrive on [`control`]. [`info`], [`history`] and [`introspect`] contain the longer answers.

pub mod control;
pub mod history;
pub mod info;
pub mod introspect;
pub mod shell;
