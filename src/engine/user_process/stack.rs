//! The calling thread's stack, for reports of panics and of errors that leave a cell.

use super::wire::Address;

/// The maximum number of calls, because a report must fit into one packet.
const MAX_DEPTH: usize = 64;

/// The calls on the stack that are in cells, innermost first. The kernel looks up names and lines,
/// because the standard library's own backtraces know only the objects that were loaded when the
/// first one was taken.
pub fn addresses() -> Vec<Address> {
    let mut addresses = Vec::new();
    backtrace::trace(|frame| {
        // A return address points behind the call.
        let address = (frame.ip() as usize).wrapping_sub(1);
        let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: dladdr accepts any address and fills the structure if its result is not 0; the
        // name lives as long as the object.
        let found = unsafe {
            (libc::dladdr(address as *const libc::c_void, info.as_mut_ptr()) != 0).then(|| {
                let info = info.assume_init();
                (
                    std::ffi::CStr::from_ptr(info.dli_fname).to_string_lossy().into_owned(),
                    info.dli_fbase as usize,
                )
            })
        };
        if let Some((object, base)) = found.filter(|(object, _)| is_cell(object)) {
            addresses.push(Address { object, offset: address.wrapping_sub(base) as u64 });
        }
        addresses.len() < MAX_DEPTH
    });
    addresses
}

/// The engine names a cell's object `libcode_<number>.so`.
fn is_cell(object: &str) -> bool {
    object.rsplit('/').next().is_some_and(|name| name.starts_with("libcode_"))
}
