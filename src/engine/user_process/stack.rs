//! Where the calling thread is, for reports of panics and of errors that leave a cell.

use super::wire::Address;

/// Calls of a deeper stack are left out; a report must fit one packet.
const DEEPEST_STACK: usize = 64;

/// The calling thread's stack, as far as it lies in cells, innermost call first. Names and lines
/// are looked up by the kernel: the standard library's own backtraces know only the objects that
/// were loaded when the first one was taken.
pub fn addresses() -> Vec<Address> {
    let mut addresses = Vec::new();
    backtrace::trace(|frame| {
        // Return addresses point behind the call.
        let address = (frame.ip() as usize).wrapping_sub(1);
        let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: dladdr accepts any address and fills the structure where it answers other than 0;
        // the name lives as long as the object.
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
        addresses.len() < DEEPEST_STACK
    });
    addresses
}

/// The engine names the object of a cell `libcode_<number>.so`.
fn is_cell(object: &str) -> bool {
    object.rsplit('/').next().is_some_and(|name| name.starts_with("libcode_"))
}
