//! Whether another user of this machine could have written to a folder.
//!
//! On shared machines every user can write to `/tmp`, and some tools search the parents of a folder
//! and read what they find: cargo reads `.cargo/config.toml` in every parent of its working
//! directory, which may name a linker or a compiler wrapper to run; rustup reads
//! `rust-toolchain.toml`, cargo a workspace's `Cargo.toml`. The sticky bit does not help: it
//! protects existing files, but others can still create new ones.
//!
//! The same holds for what we search for in parents ourselves: a helper crate above a notebook is
//! compiled, including its build script.
//!
//! We trust root, this user, and the owner of this program, because that user could make us run
//! anything. A group may have write access if it is root's or the user's private group (on many
//! systems each account has a group of the same name without other members).

use crate::base::log::log;
use std::collections::BTreeSet;
use std::ffi::{CStr, CString, c_char};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The effective user.
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Checks that the folder and all its parents belong to trusted users and that nobody else can
/// write to them. The folder must exist, and its path must not contain symbolic links.
///
/// # Errors
/// The folder that is not trusted, and why.
pub fn check_parents(folder: &Path) -> Result<(), String> {
    // In a container, folders of the host's root appear to belong to the user id for unknown users.
    let trusted = |owner| is_trusted(owner) || unmapped_user() == Some(owner);
    folder.ancestors().try_for_each(|folder| check(folder, &trusted))
}

/// Whether to use a folder that was found and not named by the user. If not, prints the reason once
/// on stderr, and that `option` can name the folder.
pub fn accepts_found(folder: &Path, option: &str) -> bool {
    static REPORTED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let Err(reason) = check_found(folder) else { return true };
    if REPORTED.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned()) {
        let folder = folder.display();
        log!(
            "parcourse: ignoring {folder}, because {reason}: if you trust it, name it with \
             {option}"
        );
    }
    false
}

/// Checks that the folder belongs to a trusted user, that nobody else can write to it, and that
/// nobody else can replace it in its parent. A link counts by its owner, who chose its target.
fn check_found(folder: &Path) -> Result<(), String> {
    let canonical =
        |path: &Path| path.canonicalize().map_err(|error| format!("{}: {error}", path.display()));
    let folder = match (folder.parent(), folder.file_name()) {
        (Some(parent), Some(name)) if !parent.as_os_str().is_empty() => {
            canonical(parent)?.join(name)
        }
        _ => canonical(folder)?,
    };
    check(&folder, &is_trusted)?;
    let parent = folder.parent().unwrap_or(&folder);
    // Nobody else can replace a trusted user's files in a folder like /tmp.
    let is_sticky = parent.metadata().is_ok_and(|parent| parent.mode() & 0o1000 != 0);
    if is_sticky { Ok(()) } else { check(parent, &is_trusted) }
}

fn check(folder: &Path, is_trusted: &dyn Fn(u32) -> bool) -> Result<(), String> {
    let metadata =
        folder.symlink_metadata().map_err(|error| format!("{}: {error}", folder.display()))?;
    let reason = if !is_trusted(metadata.uid()) {
        format!("belongs to {}", name_of(metadata.uid()))
    } else if metadata.is_symlink() {
        return Ok(());
    } else if metadata.mode() & 0o002 != 0 {
        "can be written by every user".to_owned()
    } else if metadata.mode() & 0o020 != 0 && !is_private_group(metadata.gid()) {
        format!("can be written by its group {}", metadata.gid())
    } else {
        return Ok(());
    };
    Err(format!("{} {reason}", folder.display()))
}

fn is_trusted(owner: u32) -> bool {
    static OWNER_OF_PROGRAM: OnceLock<Option<u32>> = OnceLock::new();
    let owner_of_program = || {
        std::env::current_exe()
            .and_then(|program| program.metadata())
            .ok()
            .as_ref()
            .map(Metadata::uid)
    };
    owner == 0 || owner == user() || *OWNER_OF_PROGRAM.get_or_init(owner_of_program) == Some(owner)
}

/// The user id that stands for users unknown in this user namespace. `None` in the initial
/// namespace, which knows all users.
fn unmapped_user() -> Option<u32> {
    let map = std::fs::read_to_string("/proc/self/uid_map").ok()?;
    let is_complete = map.split_whitespace().eq(["0", "0", "4294967295"]);
    if is_complete {
        None
    } else {
        std::fs::read_to_string("/proc/sys/kernel/overflowuid").ok()?.trim().parse().ok()
    }
}

/// Whether the group is root's, or has the user's name and no other members.
fn is_private_group(gid: u32) -> bool {
    gid == 0
        || user_name(user()).zip(group(gid)).is_some_and(|(user, (name, members))| {
            name == user && members.iter().all(|member| *member == user)
        })
}

fn name_of(uid: u32) -> String {
    user_name(uid).and_then(|name| name.into_string().ok()).unwrap_or_else(|| format!("user {uid}"))
}

fn user_name(uid: u32) -> Option<CString> {
    let mut buffer = vec![0; 16 * 1024];
    // SAFETY: zeroed plain data; the call fills it with pointers into the buffer, or leaves `found`
    // null.
    let (mut entry, mut found) =
        unsafe { (std::mem::zeroed::<libc::passwd>(), std::ptr::null_mut()) };
    // SAFETY: all pointers are valid for the call, and the length is the buffer's.
    unsafe { libc::getpwuid_r(uid, &mut entry, buffer.as_mut_ptr(), buffer.len(), &mut found) };
    // SAFETY: found, so the name is a string in the buffer.
    (!found.is_null()).then(|| unsafe { owned(entry.pw_name) })
}

/// The group's name and members.
fn group(gid: u32) -> Option<(CString, Vec<CString>)> {
    let mut buffer = vec![0; 64 * 1024];
    // SAFETY: zeroed plain data; the call fills it with pointers into the buffer, or leaves `found`
    // null.
    let (mut entry, mut found) =
        unsafe { (std::mem::zeroed::<libc::group>(), std::ptr::null_mut()) };
    // SAFETY: all pointers are valid for the call, and the length is the buffer's. A group too
    // large for the buffer is not a private group.
    unsafe { libc::getgrgid_r(gid, &mut entry, buffer.as_mut_ptr(), buffer.len(), &mut found) };
    if found.is_null() {
        return None;
    }
    let mut members = Vec::new();
    // SAFETY: found, so the list is one of strings in the buffer that ends with a null pointer.
    unsafe {
        let mut member = entry.gr_mem;
        while !member.is_null() && !(*member).is_null() {
            members.push(owned(*member));
            member = member.add(1);
        }
        Some((owned(entry.gr_name), members))
    }
}

/// # Safety
/// `text` must be a null-terminated string.
unsafe fn owned(text: *const c_char) -> CString {
    // SAFETY: guaranteed by the caller.
    unsafe { CStr::from_ptr(text) }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn folders_that_others_can_write_to_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, root) = (folder.path().join("inner"), folder.path().canonicalize().unwrap());
        fs::create_dir(&inner).unwrap();
        assert_eq!(check_found(&inner), Ok(()));
        let set = |mode| fs::set_permissions(&root, Permissions::from_mode(mode)).unwrap();
        for mode in [0o777, 0o702] {
            set(mode);
            let expected = format!("{} can be written by every user", root.display());
            assert_eq!(
                (check_found(&root), check_found(&inner)),
                (Err(expected.clone()), Err(expected))
            );
        }
        set(0o1777);
        assert!(check_found(&root).is_err());
        assert_eq!(check_found(&inner), Ok(()), "ours, and no other user can replace it");
        let link = root.join("link");
        fs::set_permissions(&inner, Permissions::from_mode(0o777)).unwrap();
        symlink(&inner, &link).unwrap();
        assert!(check_found(&inner).is_err());
        assert_eq!(check_found(&link), Ok(()), "we chose its target");
        assert!(check_found(&inner.join("gone")).is_err());
    }

    #[test]
    fn every_parent_is_checked() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().canonicalize().unwrap().join("a/b/c");
        fs::create_dir_all(&folder).unwrap();
        let open = folder.parent().unwrap().parent().unwrap();
        fs::set_permissions(open, Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(
            check_parents(&folder),
            Err(format!("{} can be written by every user", open.display()))
        );
        assert_eq!(check_found(&folder), Ok(()));
        assert_eq!(check_parents(Path::new("/")), Ok(()));
    }

    #[test]
    fn only_a_private_group_may_write() {
        assert!(is_private_group(0));
        // No account has this group.
        assert!(!is_private_group(u32::MAX - 7));
    }

    #[test]
    fn untrusted_owners_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = check(folder.path(), &|_| false).unwrap_err();
        assert_eq!(refused, format!("{} belongs to {}", folder.path().display(), name_of(user())));
        assert!(is_trusted(user()) && is_trusted(0) && !is_trusted(u32::MAX - 7));
    }
}
