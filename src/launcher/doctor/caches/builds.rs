//! Where cells are compiled: nobody else may be able to write there or above, because cargo obeys
//! what it finds in the folders above.

use crate::base::paths;
use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::place::Place;
use std::path::Path;

pub fn check(place: &Place) -> Finding {
    const NAME: &str = "builds";
    let advice = "name a folder that, like all folders above it, only you and root can write to";
    let builds = match &place.builds {
        Ok(builds) => builds,
        Err(error) => {
            return Finding::problem(
                NAME,
                format!("{error:#}"),
                format!("let PARCOURSE_CACHE {advice}"),
            );
        }
    };
    let found = format!("cells are compiled in {}, where nobody else can write", builds.display());
    let named = std::env::var_os("PARCOURSE_TMPDIR").and(place.temporary.as_deref().ok());
    match named.map(reason_against) {
        Some(Some(reason)) => Finding::warning(
            NAME,
            format!("{found}, and not in PARCOURSE_TMPDIR: {reason}"),
            format!("if that is slow, let it {advice}"),
        ),
        _ => Finding::ok(NAME, found),
    }
}

fn reason_against(folder: &Path) -> Option<String> {
    paths::fit_for_builds(folder).err().map(|error| format!("{error:#}"))
}
