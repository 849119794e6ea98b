//! What a front end asks for: [`shell`] answers everything but interrupts and shutdowns, which come
//! through [`control`]. [`info`], [`history`] and [`introspect`] hold the longer answers.

pub mod control;
pub mod history;
pub mod info;
pub mod introspect;
pub mod shell;
