//! Backups of a learner's files: `02_measuring (yours of 2026-11-22).ipynb`, with the day of the
//! last change.

use anyhow::{Context, Result, bail};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::SystemTime;

/// Gives the file a second name in the same folder and returns that name. Never reuses an existing
/// name, unless its file has the same content: then an interrupted start has already made the
/// backup.
pub fn create(file: &Path) -> Result<String> {
    let failed = || format!("failed to back up {}", file.display());
    let day =
        day(fs::metadata(file).and_then(|metadata| metadata.modified()).with_context(failed)?);
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let end = file.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
    for number in 1..1000 {
        let count = if number == 1 { String::new() } else { format!(", {number}") };
        let name = format!("{stem} (yours of {day}{count}){end}");
        let backup = file.with_file_name(&name);
        match second_name(file, &backup) {
            Ok(()) => return Ok(name),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if fs::read(file).with_context(failed)? == fs::read(&backup).unwrap_or_default() {
                    return Ok(name);
                }
            }
            Err(error) => return Err(error).with_context(failed),
        }
    }
    bail!("{}: there are already a thousand backups of it: remove some", file.display())
}

/// Makes a hard link, or a copy if the file system does not support links.
fn second_name(file: &Path, backup: &Path) -> std::io::Result<()> {
    match fs::hard_link(file, backup) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            let folder = backup.parent().unwrap_or(Path::new("."));
            let mut copy = tempfile::NamedTempFile::new_in(folder)?;
            std::io::copy(&mut fs::File::open(file)?, &mut copy)?;
            copy.as_file().sync_all()?;
            copy.persist_noclobber(backup).map(drop).map_err(|error| error.error)
        }
        linked => linked,
    }
}

/// `YYYY-MM-DD` in the local time zone.
fn day(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let seconds = libc::time_t::try_from(seconds).unwrap_or(0);
    // SAFETY: an all-zero tm is a valid value, and the call only fills it.
    let parts = unsafe {
        let mut parts: libc::tm = std::mem::zeroed();
        libc::localtime_r(&seconds, &mut parts);
        parts
    };
    format!("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn no_name_is_taken_twice() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.b.ipynb");
        // Noon, so that it is the same day almost everywhere.
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_348_800);
        let save = |text: &str| {
            let _ = fs::remove_file(&file);
            fs::write(&file, text).unwrap();
            fs::File::options().write(true).open(&file).unwrap().set_modified(noon).unwrap();
        };
        save("one");
        let first = create(&file).unwrap();
        assert_eq!(first, format!("a.b (yours of {}).ipynb", day(noon)));
        assert!(first.contains("2026-11-2"), "{first}");
        assert_eq!(create(&file).unwrap(), first, "the same bytes are kept once");
        save("two");
        let second = create(&file).unwrap();
        assert!(second.ends_with(", 2).ipynb"), "{second}");
        assert_eq!(fs::read_to_string(folder.path().join(first)).unwrap(), "one");
        assert_eq!(fs::read_to_string(folder.path().join(second)).unwrap(), "two");
    }
}
