//! What kernels and servers that were killed have left in temporary space.

use crate::engine::template::{self, claim};
use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::place::Place;

pub fn check(place: &Place) -> Finding {
    const NAME: &str = "leftovers";
    let Ok(folder) = &place.temporary else {
        return Finding::unknown(NAME, "not looked for without a temporary folder");
    };
    let counts = [
        ("killed kernels", template::abandoned()),
        ("killed builds", template::abandoned_builds()),
        ("killed servers", claim::abandoned(folder, "lab")),
    ];
    let found: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{count} of {what}"))
        .collect();
    if found.is_empty() {
        Finding::ok(NAME, format!("none in {}", folder.display()))
    } else {
        let mend = "the next `parcourse lab`, `parcourse prepare` or kernel removes them; if the disk is full now: `parcourse prepare`";
        Finding::warning(NAME, found.join(", "), mend)
    }
}
