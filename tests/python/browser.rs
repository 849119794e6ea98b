//! The Chromium of this machine.

use std::path::PathBuf;

/// `PARCOURSE_CHROMIUM`, else the first on PATH. Playwright's own comes from a server that is no
/// package index.
pub fn find() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("PARCOURSE_CHROMIUM") {
        let path = PathBuf::from(named);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(format!("PARCOURSE_CHROMIUM: there is no {}", path.display()))
        };
    }
    let folders: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            format!(
                "no browser: install Chromium (`apt install chromium`; looked for {} on PATH)",
                names.join(", ")
            )
        })
}
