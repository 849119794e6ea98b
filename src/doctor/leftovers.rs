//! What kernels and servers that were killed have left in temporary space.

use super::finding::Finding;
use super::place::Place;
use crate::template::{self, claim};
use std::fs::File;
use std::path::Path;

pub fn check(place: &Place) -> Finding {
    const NAME: &str = "leftovers";
    let Ok(folder) = &place.temporary else { return Finding::unknown(NAME, "not looked for without a temporary folder") };
    let counts = [
        ("killed kernels", template::abandoned()),
        ("killed builds", template::abandoned_builds()),
        ("killed servers", claim::abandoned(folder, "lab")),
        ("warm kernels that are gone", standbys(&folder.join("standby"))),
    ];
    let found: Vec<String> = counts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} of {what}")).collect();
    if found.is_empty() {
        Finding::ok(NAME, format!("none in {}", folder.display()))
    } else {
        let mend = "the next `parcourse lab`, `parcourse prepare` or kernel removes them; if the disk is full now: `parcourse prepare`";
        Finding::warning(NAME, found.join(", "), mend)
    }
}

/// Sockets beside a lock that no standby holds.
fn standbys(folder: &Path) -> usize {
    if !File::open(folder.join("lock")).is_ok_and(|lock| lock.try_lock_shared().is_ok()) {
        return 0;
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "sock")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_holds_counts() {
        let folder = tempfile::tempdir().unwrap();
        let standby = folder.path().join("standby");
        std::fs::create_dir(&standby).unwrap();
        std::fs::write(standby.join("key.sock"), "").unwrap();
        assert_eq!(standbys(&standby), 0, "no lock, no answer");
        let lock = File::create(standby.join("lock")).unwrap();
        assert_eq!(standbys(&standby), 1);
        lock.lock().unwrap();
        assert_eq!(standbys(&standby), 0);
    }
}
