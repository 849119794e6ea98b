//! How the value of a cell's last expression is shown.
//!
//! The engine first tries a method `evcxr_display` on the value, compiles again when there is none,
//! and then shows the value with `{:?}`. We give that method to every value that can be shown with
//! `{:?}`, which saves the first, failing compilation. The engine's commands `:types` and `:fmt`
//! ask for something else, which only its own code can do: then the method is taken away.

use crate::engine::cell_compiler::DISPLAY;
use anyhow::{Result, anyhow};
use evcxr::CommandContext;

/// Replaces the items of [`DISPLAY`]: the engine keeps items by name.
const FOR_NO_VALUE: &str = "pub trait ParcourseDisplay {}";

/// What the notebook's commands have asked for so far.
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
    /// What a cell's commands make of it. Commands stand before code.
    pub fn after(&self, code: &str) -> DisplayFormat {
        let mut format = self.clone();
        for line in code.lines() {
            match line.trim_start().split_once(' ').unwrap_or((line.trim(), "")) {
                (":types", _) => format.types = !format.types,
                (":fmt", "") => format.format = DisplayFormat::default().format,
                (":fmt", wanted) => format.format = wanted.trim().to_owned(),
                _ => {}
            }
        }
        format
    }

    /// Gives the method to all values, or takes it away.
    pub fn apply(&self, context: &mut CommandContext) -> Result<()> {
        let items = if *self == DisplayFormat::default() { DISPLAY } else { FOR_NO_VALUE };
        context.execute(items).map_err(|error| anyhow!("{error}"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_change_it_and_back() {
        let plain = DisplayFormat::default();
        let with_types = plain.after(":types\n1 + 1");
        assert_ne!(with_types, plain);
        assert_eq!(with_types.after(" :types"), plain);
        assert_ne!(plain.after(":fmt {:#?}"), plain);
        assert_eq!(plain.after(":fmt {:#?}").after(":fmt"), plain);
        assert_eq!(plain.after("let types = 1;"), plain);
    }
}
