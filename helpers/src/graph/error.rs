//! What can be wrong with a graph.

use std::fmt;

/// Why a graph cannot be run; its text names the tasks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error(pub(super) Kind);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    UnknownTask { task: String, missing: String },
    UnknownResource { task: String, missing: String },
    Circle { tasks: Vec<String> },
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "failed to order the tasks: ")?;
        match &self.0 {
            Kind::UnknownTask { task, missing } => {
                write!(formatter, "`{task}` waits for `{missing}`, which is not a task")
            }
            Kind::UnknownResource { task, missing } => {
                write!(formatter, "`{task}` uses `{missing}`, which is not a resource of the graph")
            }
            Kind::Circle { tasks } if tasks.len() == 1 => {
                write!(formatter, "`{}` waits for itself", tasks[0])
            }
            Kind::Circle { tasks } => {
                tasks.iter().try_for_each(|task| write!(formatter, "`{task}` → "))?;
                write!(formatter, "`{}` wait for each other in a circle", tasks[0])
            }
        }
    }
}

impl std::error::Error for Error {}
