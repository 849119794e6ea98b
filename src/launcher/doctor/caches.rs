//! The course's folders on this machine: where cells are compiled, the build cache that lets
//! kernels start warm, and leftovers of killed kernels and servers.

use super::finding::Finding;
use super::setup::Setup;
use crate::base::{owned_dir, paths};
use crate::engine::build_cache::{self, KernelKind};
use std::path::Path;

/// No other user may be able to write to the folder where cells are compiled or to any folder above
/// it, because cargo reads configuration from all of them.
pub fn builds(setup: &Setup) -> Finding {
    const NAME: &str = "builds";
    let advice = "to a folder that, like all folders above it, only you and root can write to";
    let builds = match &setup.builds {
        Ok(builds) => builds,
        Err(error) => {
            return Finding::problem(
                NAME,
                format!("{error:#}"),
                format!("set PARCOURSE_CACHE {advice}"),
            );
        }
    };
    let found = format!("cells are compiled in {}, which only you can write to", builds.display());
    let named = std::env::var_os("PARCOURSE_TMPDIR").and(setup.temporary.as_deref().ok());
    match named.map(reason_against) {
        Some(Some(reason)) => Finding::warning(
            NAME,
            format!("{found}, not in PARCOURSE_TMPDIR: {reason}"),
            format!("if that is slow, set PARCOURSE_TMPDIR {advice}"),
        ),
        _ => Finding::ok(NAME, found),
    }
}

fn reason_against(folder: &Path) -> Option<String> {
    paths::check_build_folder(folder).err().map(|error| format!("{error:#}"))
}

/// Whether the helper crate is found and compiled.
pub fn helper_crate(setup: &Setup) -> Finding {
    const NAME: &str = "helper crate";
    let Some(helpers) = &setup.helpers else {
        return Finding::problem(
            NAME,
            "not found",
            "run this in the course's folder, or pass the crate's folder with --helpers",
        );
    };
    if setup.toolchain.is_err() {
        return Finding::unknown(NAME, "not checked, because there is no compiler");
    }
    match build_cache::find(helpers, KernelKind::Parcourse) {
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
            "not compiled for this machine and compiler yet: the first kernel will take a minute \
            to start",
            "`parcourse lab` compiles it; to do so now, run `parcourse prepare`",
        ),
        Err(error) => Finding::problem(
            NAME,
            format!("{error:#}"),
            "repair the course's folder, or clone it again",
        ),
    }
}

/// Whether kernels can start without compiling anything first.
pub fn is_ready(setup: &Setup) -> bool {
    let found = setup
        .helpers
        .as_deref()
        .and_then(|helpers| build_cache::find(helpers, KernelKind::Parcourse).ok());
    found.flatten().is_some()
}

pub fn leftovers(setup: &Setup) -> Finding {
    const NAME: &str = "leftovers";
    let Ok(folder) = &setup.temporary else {
        return Finding::unknown(NAME, "not checked, because there is no temporary folder");
    };
    let counts = [
        ("killed kernels", build_cache::abandoned()),
        ("killed builds", build_cache::abandoned_builds()),
        ("killed servers", owned_dir::abandoned(folder, "lab")),
    ];
    let found: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{count} of {what}"))
        .collect();
    if found.is_empty() {
        Finding::ok(NAME, format!("none in {}", folder.display()))
    } else {
        let fix = "the next `parcourse lab`, `parcourse prepare` or kernel removes them; if the \
            disk is full, run `parcourse prepare` now";
        Finding::warning(NAME, found.join(", "), fix)
    }
}
