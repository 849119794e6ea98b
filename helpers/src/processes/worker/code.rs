//! The location of a function's code, in a form that another process can use: the file it was
//! loaded from, and the offset in it.
//!
//! A worker that was forked from this process has all code that was loaded then, at the same
//! addresses. In a notebook every cell is a shared object; the worker loads those that are newer
//! than itself.

use serde::{Deserialize, Serialize};
use std::ffi::{CStr, CString, OsStr, c_void};
use std::os::unix::ffi::OsStrExt;

/// The location of a function's code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct CodeLocation {
    file: CString,
    /// Where the file is loaded in the sending process.
    base: usize,
    offset: usize,
}

impl CodeLocation {
    /// The location of this address; `None` if it is in no file.
    pub(crate) fn at(address: *const c_void) -> Option<CodeLocation> {
        let (file, base) = loaded(address)?;
        Some(CodeLocation { file, base, offset: address.addr() - base })
    }

    /// The address in this process; loads the file if necessary.
    ///
    /// # Errors
    ///
    /// The message of the system if it cannot load the file.
    pub(crate) fn find(&self) -> Result<*const c_void, String> {
        let same = std::ptr::with_exposed_provenance(self.base + self.offset);
        if loaded(same).is_some_and(|(file, base)| file == self.file && base == self.base) {
            return Ok(same);
        }
        let base = load(&self.file)?;
        Ok(std::ptr::with_exposed_provenance(base + self.offset))
    }
}

/// The file that this address was loaded from, and where the file begins.
fn loaded(address: *const c_void) -> Option<(CString, usize)> {
    // SAFETY: dladdr takes any address; the path that it fills in lives as long as the file is
    // loaded, so it is valid while we copy it.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(address, &mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        Some((CStr::from_ptr(info.dli_fname).to_owned(), info.dli_fbase.expose_provenance()))
    }
}

/// Loads a file and returns where it begins. It stays loaded.
fn load(file: &CStr) -> Result<usize, String> {
    let name = || OsStr::from_bytes(file.to_bytes()).display().to_string();
    // SAFETY: the file holds code of this very program, which the parent has loaded; its
    // initialisers have run there, too.
    let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW) };
    if handle.is_null() {
        // SAFETY: after a failure it is null or a text that lives until the next call from this
        // thread.
        let reason = unsafe {
            let text = libc::dlerror();
            if text.is_null() {
                String::new()
            } else {
                CStr::from_ptr(text).to_string_lossy().into_owned()
            }
        };
        return Err(format!("failed to load {}: {reason}", name()));
    }
    base_of(handle, file).ok_or_else(|| format!("failed to find {} in memory", name()))
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn base_of(handle: *mut c_void, _: &CStr) -> Option<usize> {
    /// The beginning of the C library's structure of this name.
    #[repr(C)]
    struct LinkMap {
        _address: usize,
        _name: *const libc::c_char,
        /// The dynamic section, which lies somewhere in the file.
        dynamic: *const c_void,
    }
    let mut map: *const LinkMap = std::ptr::null();
    // SAFETY: the handle is open; the answer is a pointer to a structure that lives as long as the
    // handle.
    let dynamic = unsafe {
        let result = libc::dlinfo(handle, libc::RTLD_DI_LINKMAP, (&raw mut map).cast());
        if result != 0 || map.is_null() {
            return None;
        }
        (*map).dynamic
    };
    loaded(dynamic).map(|(_, base)| base)
}

#[cfg(target_vendor = "apple")]
#[allow(deprecated, reason = "the crate that libc recommends instead offers nothing else")]
fn base_of(_: *mut c_void, file: &CStr) -> Option<usize> {
    // SAFETY: the numbers are below the count, and the names live as long as the files are loaded.
    unsafe {
        (0..libc::_dyld_image_count())
            .find(|&number| CStr::from_ptr(libc::_dyld_get_image_name(number)) == file)
            .map(|number| libc::_dyld_get_image_header(number).expose_provenance())
    }
}

#[cfg(not(any(all(target_os = "linux", target_env = "gnu"), target_vendor = "apple")))]
fn base_of(_: *mut c_void, _: &CStr) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forty_two() -> i32 {
        42
    }

    #[test]
    fn code_is_found_again() {
        let code = CodeLocation::at(forty_two as *const c_void).unwrap();
        assert_eq!(code.find().unwrap(), forty_two as *const c_void);
    }

    /// As for a cell that the parent has loaded at another address.
    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn code_of_a_shared_object_is_found_by_its_name() {
        let here = libc::getpid as *const c_void;
        let elsewhere = CodeLocation { base: 4096, ..CodeLocation::at(here).unwrap() };
        assert_eq!(elsewhere.find().unwrap(), here);
        let missing = CodeLocation { file: c"/no/such/file.so".to_owned(), ..elsewhere };
        assert!(missing.find().unwrap_err().starts_with("failed to load /no/such/file.so: "));
    }

    #[test]
    fn data_without_a_file_has_no_code() {
        assert_eq!(CodeLocation::at(std::ptr::null()), None);
    }
}
