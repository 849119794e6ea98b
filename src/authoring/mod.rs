//! Tools for authors and instructors: [`check`] lints a course, [`edition`] makes copies for
//! learners and instructors, [`book`] builds a web site.

pub mod book;
pub mod check;
pub mod edition;
