//! Names of the operating system and its kernel, and of the machine.

use std::fs::read_to_string;
use std::path::Path;

pub(super) fn host(root: &Path) -> Option<String> {
    first_line(root, "proc/sys/kernel/hostname")
}

pub(super) fn kernel(root: &Path) -> Option<String> {
    first_line(root, "proc/sys/kernel/osrelease")
}

fn first_line(root: &Path, path: &str) -> Option<String> {
    let text = read_to_string(root.join(path)).ok()?;
    text.lines().next().map(|line| line.trim().to_string()).filter(|line| !line.is_empty())
}

/// Name and version of the distribution.
pub(super) fn name(root: &Path) -> Option<String> {
    let read = |path: &str| read_to_string(root.join(path)).ok();
    name_in(&read("etc/os-release").or_else(|| read("usr/lib/os-release"))?)
}

/// The lines have the syntax of a shell script: `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"`.
fn name_in(release: &str) -> Option<String> {
    let value = |name: &str| {
        let value =
            release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?.trim();
        let value = value.trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| value.to_string())
    };
    value("PRETTY_NAME").or_else(|| value("NAME"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pretty_name_comes_first() {
        assert_eq!(name_in("NAME=\"Arch Linux\"\nPRETTY_NAME='Arch'\n").as_deref(), Some("Arch"));
        assert_eq!(name_in("NAME=Alpine\n").as_deref(), Some("Alpine"));
        assert_eq!(name_in("NAME=\n"), None);
    }
}
