//! Copies a template's directory.
//!
//! If the file system supports it, files share their blocks until one side writes (reflinks);
//! otherwise they are copied. Hard links would not do: cargo writes some files in place, which
//! would change the template for every other kernel. Modification times are kept, because cargo
//! relies on them.

use anyhow::{Context, Result};
use std::fs::{File, FileTimes};
use std::io;
use std::path::Path;

/// The size of a directory.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    pub files: u64,
    pub bytes: u64,
}

/// Copies the directory `from` to `to`, which must not exist.
pub fn copy_tree(from: &Path, to: &Path) -> Result<Copied> {
    let mut copier = Copier { copied: Copied::default(), may_reflink: true };
    copier.directory(from, to)?;
    Ok(copier.copied)
}

/// Measures what `copy_tree` would copy.
pub fn measure(directory: &Path) -> Result<Copied> {
    let mut sum = Copied::default();
    for entry in std::fs::read_dir(directory)
        .with_context(|| format!("failed to read {}", directory.display()))?
    {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let inside = measure(&entry.path())?;
            sum.files += inside.files;
            sum.bytes += inside.bytes;
        } else {
            sum.files += 1;
            sum.bytes += if kind.is_file() { entry.metadata()?.len() } else { 0 };
        }
    }
    Ok(sum)
}

struct Copier {
    copied: Copied,
    /// False once the file system has refused a reflink.
    may_reflink: bool,
}

impl Copier {
    fn directory(&mut self, from: &Path, to: &Path) -> Result<()> {
        std::fs::create_dir(to).map_err(|error| explain(error, from, to))?;
        for entry in
            std::fs::read_dir(from).with_context(|| format!("failed to read {}", from.display()))?
        {
            let entry = entry.with_context(|| format!("failed to read {}", from.display()))?;
            let (source, target) = (entry.path(), to.join(entry.file_name()));
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.directory(&source, &target)?;
            } else {
                let copied = if kind.is_symlink() {
                    std::fs::read_link(&source)
                        .and_then(|link| std::os::unix::fs::symlink(link, &target))
                        .map(|()| 0)
                } else {
                    self.file(&source, &target)
                };
                self.copied.bytes += copied.map_err(|error| explain(error, &source, &target))?;
                self.copied.files += 1;
            }
        }
        let times = std::fs::metadata(from).and_then(|metadata| metadata.modified());
        let kept = times.and_then(|modified| {
            File::open(to)?.set_times(FileTimes::new().set_modified(modified))
        });
        kept.map_err(|error| explain(error, from, to))
    }

    fn file(&mut self, from: &Path, to: &Path) -> io::Result<u64> {
        let mut source = File::open(from)?;
        let metadata = source.metadata()?;
        let mut target = {
            use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
            // Always writable for the owner: the template may be read-only, but cargo must be able
            // to write.
            File::options()
                .write(true)
                .create_new(true)
                .mode(metadata.permissions().mode() & 0o777 | 0o600)
                .open(to)?
        };
        let mut bytes = metadata.len();
        if !(self.may_reflink && self.reflink(&source, &target)) {
            bytes = io::copy(&mut source, &mut target)?;
        }
        target.set_times(FileTimes::new().set_modified(metadata.modified()?))?;
        Ok(bytes)
    }

    #[cfg(target_os = "linux")]
    fn reflink(&mut self, from: &File, to: &File) -> bool {
        self.may_reflink = rustix::fs::ioctl_ficlone(to, from).is_ok();
        self.may_reflink
    }

    #[cfg(not(target_os = "linux"))]
    fn reflink(&mut self, _from: &File, _to: &File) -> bool {
        self.may_reflink = false;
        false
    }
}

fn explain(error: io::Error, from: &Path, to: &Path) -> anyhow::Error {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ": not enough space; free some, or set PARCOURSE_TMPDIR to a folder on another disk"
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            ": not writable; set PARCOURSE_TMPDIR to a writable folder"
        }
        _ => "",
    };
    anyhow::Error::new(error).context(format!(
        "failed to copy {} to {}{hint}",
        from.display(),
        to.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::time::{Duration, SystemTime};

    #[test]
    fn keeps_contents_modes_links_and_times_but_shares_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("deep/empty")).unwrap();
        fs::write(from.join("deep/library.so"), vec![7; 100_000]).unwrap();
        fs::write(from.join("program"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(from.join("program"), fs::Permissions::from_mode(0o555)).unwrap();
        std::os::unix::fs::symlink("program", from.join("link")).unwrap();
        let long_ago = SystemTime::UNIX_EPOCH + Duration::new(1_000_000, 123_456_789);
        File::options()
            .write(true)
            .open(from.join("deep/library.so"))
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        File::open(from.join("deep")).unwrap().set_modified(long_ago).unwrap();

        let copied = copy_tree(&from, &to).unwrap();
        assert_eq!(copied, Copied { files: 3, bytes: 100_010 });
        assert_eq!(copied, measure(&to).unwrap());
        assert_eq!(fs::read(to.join("deep/library.so")).unwrap(), vec![7; 100_000]);
        assert!(to.join("deep/empty").is_dir());
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("program"));
        for name in ["deep/library.so", "deep"] {
            assert_eq!(
                fs::metadata(to.join(name)).unwrap().modified().unwrap(),
                long_ago,
                "{name}"
            );
        }
        assert_eq!(fs::metadata(to.join("program")).unwrap().permissions().mode() & 0o777, 0o755);
        let (one, other) = (
            fs::metadata(from.join("program")).unwrap(),
            fs::metadata(to.join("program")).unwrap(),
        );
        assert_ne!(one.ino(), other.ino());
    }

    #[test]
    fn a_full_disk_is_reported_as_such() {
        let error =
            explain(io::Error::from_raw_os_error(libc::ENOSPC), Path::new("/a"), Path::new("/b"));
        let text = format!("{error:#}");
        assert!(
            text.contains("/b")
                && text.contains("not enough space")
                && text.contains("PARCOURSE_TMPDIR"),
            "{text}"
        );
    }

    #[test]
    fn never_overwrites_an_existing_directory() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir(&from).unwrap();
        fs::create_dir(&to).unwrap();
        assert!(copy_tree(&from, &to).is_err());
    }
}
