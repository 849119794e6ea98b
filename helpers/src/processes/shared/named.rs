//! Finds shared memory by name, and leaves nothing behind.
//!
//! `shm_open` and Python's `SharedMemory` keep a file in `/dev/shm`, which remains when the program
//! is killed. We use a *memfd*: a file without a path, which the system frees with the last process
//! that has it open. Its name describes the array; to find one, we look through the open files of
//! all processes of the same user in `/proc`.

use super::error::Kind;
use super::memory;
use crate::processes::fork;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The memory of a named array that some process has.
pub(super) struct Found {
    pub(super) file: File,
    pub(super) element: String,
    pub(super) len: usize,
    pub(super) bytes: usize,
    pub(super) pid: u32,
}

/// Makes memory of that name, unless it exists.
pub(super) fn create(name: &str, element: &str, len: usize, bytes: usize) -> Result<File, Kind> {
    check(name)?;
    // A child would inherit the socket, and keep others waiting as long as it lives.
    let _no_children = fork::block_forks();
    let _turn = CreateLock::take();
    if let Some(found) = find(name)? {
        return Err(Kind::Taken { pid: found.pid });
    }
    // Sealed: its size cannot change, so every access by a process that attaches is valid.
    memory::sealed_file(&format!("parcourse:{element}:{len}:{name}"), bytes).map_err(Kind::System)
}

/// The memory of that name, of any process.
pub(super) fn find(name: &str) -> Result<Option<Found>, Kind> {
    check(name)?;
    // SAFETY: takes nothing and cannot fail.
    let user = unsafe { libc::geteuid() };
    let processes = fs::read_dir("/proc").map_err(Kind::System)?.flatten();
    let own =
        processes.filter(|process| process.metadata().is_ok_and(|metadata| metadata.uid() == user));
    for process in own {
        let Some(pid) = process.file_name().to_str().and_then(|number| number.parse().ok()) else {
            continue;
        };
        // A process may have ended since, or not be accessible.
        let Ok(open_files) = fs::read_dir(process.path().join("fd")) else { continue };
        for open_file in open_files.flatten() {
            if let Some(found) = look_at(&open_file.path(), name, pid) {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

fn check(name: &str) -> Result<(), Kind> {
    if (1..=150).contains(&name.len()) && !name.contains('\0') { Ok(()) } else { Err(Kind::Name) }
}

/// Opens the file at `/proc/PID/fd/N` if it has that name.
fn look_at(path: &Path, name: &str, pid: u32) -> Option<Found> {
    parse(fs::read_link(path).ok()?.to_str()?, name)?;
    let file = File::options().read(true).write(true).open(path).ok()?;
    // Between the two calls another file may have got that number.
    let target = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let (element, len) = parse(target.to_str()?, name)?;
    let bytes = file.metadata().ok()?.len() as usize;
    // Only a sealed file is complete.
    memory::is_sealed(&file).then(|| Found { element: element.to_string(), len, bytes, file, pid })
}

/// Element type and length, from the target of a link to an array of that name.
fn parse<'a>(target: &'a str, name: &str) -> Option<(&'a str, usize)> {
    let description = target.strip_prefix("/memfd:parcourse:")?.strip_suffix(" (deleted)")?;
    let (element, rest) = description.split_once(':')?;
    let (len, found) = rest.split_once(':')?;
    (found == name).then_some((element, len.parse().ok()?))
}

/// Locks the creation of names, so that two processes cannot find a name free at the same moment.
/// An address in the system's table of sockets, which the system frees when a process dies.
struct CreateLock(#[allow(dead_code, reason = "holds the address")] Option<UnixDatagram>);

impl CreateLock {
    fn take() -> CreateLock {
        // SAFETY: takes nothing and cannot fail.
        let address = format!("parcourse-create-{}", unsafe { libc::geteuid() });
        let Ok(address) = SocketAddr::from_abstract_name(address) else { return CreateLock(None) };
        let start = Instant::now();
        loop {
            match UnixDatagram::bind_addr(&address) {
                Ok(socket) => return CreateLock(Some(socket)),
                // Whoever has held it for this long is doing something else.
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse
                        && start.elapsed() < Duration::from_secs(2) =>
                {
                    sleep(Duration::from_millis(1));
                }
                Err(_) => return CreateLock(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names_may_contain_anything() {
        assert_eq!(parse("/memfd:parcourse:f64:10:cake (deleted)", "cake"), Some(("f64", 10)));
        assert_eq!(
            parse("/memfd:parcourse:f64:10:a:b/c (deleted) (deleted)", "a:b/c (deleted)"),
            Some(("f64", 10))
        );
        assert_eq!(parse("/memfd:parcourse:f64:10:cakes (deleted)", "cake"), None);
        assert_eq!(parse("/memfd:other:f64:10:cake (deleted)", "cake"), None);
        assert_eq!(parse("socket:[1234]", "cake"), None);
    }
}
