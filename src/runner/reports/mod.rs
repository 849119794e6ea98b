//! Results for people and programs: [`text`] for the terminal, [`machine`] as JUnit and JSON.

pub mod machine;
pub mod text;
