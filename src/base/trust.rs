//! Whether another user of this machine could have put something into a folder.
//!
//! On shared machines anybody may write to `/tmp`, and tools that search upwards from a folder read
//! what they find there: cargo takes `.cargo/config.toml` from every parent of its working
//! directory, and with it a linker or a compiler wrapper to run; rustup takes
//! `rust-toolchain.toml`, cargo a workspace's `Cargo.toml`. A sticky bit does not help there: it
//! protects what exists, not what does not yet.
//!
//! The same holds for what we look for upwards ourselves: a helper crate above a notebook is
//! compiled, build script and all.
//!
//! Trusted are root, this user, and whoever owns this very program, since that user could have us
//! run anything. A group may write when it is root's or the user's private one (the group of the
//! same name without other members, with which many systems set up accounts).

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

/// Whether what runs in `folder` can read something of another user: all of its parents, and the
/// folder itself, belong to somebody trusted and can be written by nobody else. The folder must
/// exist, without symbolic links in its path.
///
/// # Errors
/// Names the folder that is not trusted, and why.
pub fn check_parents(folder: &Path) -> Result<(), String> {
    // In a container the folders of the host's root belong to the number that stands for unknown
    // users.
    let trusted = |owner| is_trusted(owner) || unmapped_user() == Some(owner);
    folder.ancestors().try_for_each(|folder| check(folder, &trusted))
}

/// Whether a folder that was found, not named, is to be used. Where it is not, says so once on
/// stderr, and that `option` may name it.
pub fn accepts_found(folder: &Path, option: &str) -> bool {
    static TOLD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let Err(reason) = check_found(folder) else { return true };
    if TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned()) {
        let folder = folder.display();
        log!(
            "parcourse: {folder} is not used, because {reason}: if you trust it, name it with \
             {option}"
        );
    }
    false
}

/// The folder belongs to somebody trusted and can be written by nobody else; in its parent nobody
/// else can put another one in its place. Who made a link chose where it leads to.
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
    // What somebody trusted has in a folder like /tmp stays theirs.
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

/// The number by which users appear that this user namespace does not know. `None` in the first
/// one, which knows all.
fn unmapped_user() -> Option<u32> {
    let map = std::fs::read_to_string("/proc/self/uid_map").ok()?;
    let is_complete = map.split_whitespace().eq(["0", "0", "4294967295"]);
    if is_complete {
        None
    } else {
        std::fs::read_to_string("/proc/sys/kernel/overflowuid").ok()?.trim().parse().ok()
    }
}

/// Whether a group is root's, or named like the user and without other members.
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

/// Name and members.
fn group(gid: u32) -> Option<(CString, Vec<CString>)> {
    let mut buffer = vec![0; 64 * 1024];
    // SAFETY: zeroed plain data; the call fills it with pointers into the buffer, or leaves `found`
    // null.
    let (mut entry, mut found) =
        unsafe { (std::mem::zeroed::<libc::group>(), std::ptr::null_mut()) };
    // SAFETY: all pointers are valid for the call, and the length is the buffer's. A group too
    // large for it is nobody's private one.
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
/// `text` is a string with a zero at its end.
unsafe fn owned(text: *const c_char) -> CString {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn what_others_can_write_is_refused_by_name() {
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
        assert_eq!(check_found(&inner), Ok(()), "ours, and nobody can replace it");
        let link = root.join("link");
        fs::set_permissions(&inner, Permissions::from_mode(0o777)).unwrap();
        symlink(&inner, &link).unwrap();
        assert!(check_found(&inner).is_err());
        assert_eq!(check_found(&link), Ok(()), "we made it lead there");
        assert!(check_found(&inner.join("gone")).is_err());
    }

    #[test]
    fn every_parent_counts() {
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
    fn other_owners_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = check(folder.path(), &|_| false).unwrap_err();
        assert_eq!(refused, format!("{} belongs to {}", folder.path().display(), name_of(user())));
        assert!(is_trusted(user()) && is_trusted(0) && !is_trusted(u32::MAX - 7));
    }
}
