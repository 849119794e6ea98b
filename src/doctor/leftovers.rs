//! What kernels and servers that were killed have left in temporary space.

use super::finding::Finding;
use super::place::Place;
use crate::template::claim;
use std::fs::File;
use std::path::Path;

pub fn check(place: &Place) -> Finding {
    const NAME: &str = "leftovers";
    let Ok(folder) = &place.temporary else { return Finding::unknown(NAME, "not looked for without a temporary folder") };
    let counts = [
        ("killed kernels", claim::abandoned(folder, "kernel")),
        ("killed builds", claim::abandoned(folder, "build")),
        ("killed servers", servers(folder)),
    ];
    let found: Vec<String> = counts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} of {what}")).collect();
    if found.is_empty() {
        Finding::ok(NAME, format!("none in {}", folder.display()))
    } else {
        let mend = "the next `parcourse lab`, `parcourse prepare` or kernel removes them; if the disk is full now: `parcourse prepare`";
        Finding::warning(NAME, found.join(", "), mend)
    }
}

/// Folders of servers that nobody holds the lock of.
fn servers(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sessions = entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"lab-") && entry.path().is_dir());
    sessions.filter(|entry| File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok())).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_holds_counts() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["lab-dead", "lab-alive"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let alive = File::open(folder.path().join("lab-alive")).unwrap();
        alive.lock().unwrap();
        assert_eq!(servers(folder.path()), 1);
    }
}
