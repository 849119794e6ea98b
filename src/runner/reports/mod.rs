//! Results for people and programs: [`progress`] while notebooks run, [`report`] as text at the end,
//! [`machine`] as JUnit and JSON.

pub mod machine;
pub mod progress;
pub mod report;
