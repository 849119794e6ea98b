//! How the value of a cell's last expression is shown.
//!
//! The engine first calls a method `evcxr_display` on the value. If there is none, it compiles
//! again and shows the value with `{:?}`. We give that method to every value that implements
//! `Debug`, which saves the first, failing compilation. The engine's commands `:types` and `:fmt`
//! ask for formats that only its own code supports, so then we remove the method.

use crate::engine::cell_compiler::DISPLAY;
use crate::kernel::cell_source::CellSource;
use anyhow::{Result, anyhow};
use evcxr::CommandContext;

/// Replaces the items of [`DISPLAY`], because the engine stores items by name.
const NO_DISPLAY: &str = "pub trait ParcourseDisplay {}";

/// The format that the notebook's commands have set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayFormat {
    types: bool,
    format: String,
}

impl Default for DisplayFormat {
    fn default() -> DisplayFormat {
        DisplayFormat { types: false, format: "{:?}".to_owned() }
    }
}

impl DisplayFormat {
    /// The format after this cell's commands.
    pub fn after(&self, source: &CellSource) -> DisplayFormat {
        let mut format = self.clone();
        for command in source.commands() {
            match (command.name, command.argument) {
                (":types", _) => format.types = !format.types,
                (":fmt", "") => format.format = DisplayFormat::default().format,
                (":fmt", wanted) => format.format = wanted.to_owned(),
                _ => {}
            }
        }
        format
    }

    /// Adds or removes the method.
    pub fn apply(&self, context: &mut CommandContext) -> Result<()> {
        let items = if *self == DisplayFormat::default() { DISPLAY } else { NO_DISPLAY };
        context.execute(items).map_err(|error| anyhow!("{error}"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_change_it_and_back() {
        let after = |format: &DisplayFormat, code| format.after(&CellSource::parse(code));
        let plain = DisplayFormat::default();
        let with_types = after(&plain, ":types\n1 + 1");
        assert_ne!(with_types, plain);
        assert_eq!(after(&with_types, " :types"), plain);
        let pretty = after(&plain, ":fmt {:#?}");
        assert_ne!(pretty, plain);
        assert_eq!(after(&pretty, ":fmt"), plain);
        assert_eq!(after(&plain, "let types = 1;"), plain);
    }
}
