//! Which crates cargo has finished.
//!
//! The engine passes on cargo's `Compiling NAME` lines only for names without a hyphen, and cargo
//! prints them when it starts a crate. The target directory shows what is finished: cargo writes a
//! fingerprint for each library once it is compiled.

use std::collections::BTreeSet;
use std::path::Path;

/// The packages whose libraries have been compiled in a target directory.
pub fn finished(target: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(target) else { return BTreeSet::new() };
    let profiles =
        entries.flatten().map(|entry| entry.path().join("debug")).chain([target.join("debug")]);
    let fingerprints = profiles
        .filter_map(|profile| std::fs::read_dir(profile.join(".fingerprint")).ok())
        .flatten()
        .flatten();
    let done = fingerprints.filter(|folder| {
        let files = std::fs::read_dir(folder.path()).into_iter().flatten().flatten();
        files
            .map(|file| file.file_name())
            .any(|name| is_library_fingerprint(&name.to_string_lossy()))
    });
    done.filter_map(|folder| {
        Some(folder.file_name().to_string_lossy().rsplit_once('-')?.0.to_owned())
    })
    .filter(|name| name != "ctx")
    .collect()
}

/// Whether this is `lib-NAME`, `dylib-NAME` or similar. The `.json` file beside it is written
/// earlier.
fn is_library_fingerprint(name: &str) -> bool {
    (name.starts_with("lib-") || name.starts_with("dylib-")) && !name.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_packages_whose_library_is_finished() {
        let target = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let file = target.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        };
        write("x86/debug/.fingerprint/rayon-core-12ab/lib-rayon_core");
        write("x86/debug/.fingerprint/rayon-core-34cd/run-build-script-build-script-build");
        write("x86/debug/.fingerprint/ndarray-56ef/lib-ndarray.json");
        write("x86/debug/.fingerprint/ndarray-56ef/dep-lib-ndarray");
        write("x86/debug/.fingerprint/ctx-78ab/lib-ctx");
        write("debug/.fingerprint/autocfg-9abc/lib-autocfg");
        let finished: Vec<String> = finished(target.path()).into_iter().collect();
        assert_eq!(finished, ["autocfg", "rayon-core"]);
        assert!(super::finished(Path::new("/nowhere")).is_empty());
    }
}
