//! The helper crate, and the template that lets kernels start warm.

use crate::engine::template::{self, Flavor};
use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::place::Place;

pub fn check(place: &Place) -> Finding {
    const NAME: &str = "helper crate";
    let Some(helpers) = &place.helpers else {
        return Finding::problem(
            NAME,
            "not found",
            "run this in the course's folder, or name the crate's folder with --helpers",
        );
    };
    if place.toolchain.is_err() {
        return Finding::unknown(NAME, "not looked at without a compiler");
    }
    match template::find(helpers, Flavor::Parcourse) {
        Ok(Some(template)) => Finding::ok(
            NAME,
            format!(
                "compiled for this machine ({} MB in {})",
                template.manifest().bytes / 1_000_000,
                template.path().display()
            ),
        ),
        Ok(None) => Finding::warning(
            NAME,
            "not compiled for this machine and compiler yet: the first kernel would take a minute",
            "`parcourse lab` does it, or now: `parcourse prepare`",
        ),
        Err(error) => Finding::problem(
            NAME,
            format!("{error:#}"),
            "put the course's folder right, or clone it again",
        ),
    }
}

/// Whether kernels can start without compiling anything first.
pub fn is_ready(place: &Place) -> bool {
    let found = place
        .helpers
        .as_deref()
        .and_then(|helpers| template::find(helpers, Flavor::Parcourse).ok());
    found.flatten().is_some()
}
