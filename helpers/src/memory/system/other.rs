//! Systems without `/proc`. macOS reports the resident memory and the peak since the process
//! started; elsewhere nothing is available.

use crate::memory::Counted;

/// Reads the memory in use now.
#[derive(Debug)]
pub(in crate::memory) struct Meter {
    last: f64,
}

impl Meter {
    /// `None` if it is not available.
    pub(in crate::memory) fn new() -> Option<Meter> {
        resident().map(|last| Meter { last })
    }

    /// Resident memory of this process.
    pub(in crate::memory) fn resident(&self) -> Option<f64> {
        resident()
    }

    /// Memory in use now; children are not available. If a reading fails, returns the previous one.
    pub(in crate::memory) fn now(&mut self, _children: bool) -> (f64, Counted) {
        self.last = resident().unwrap_or(self.last);
        (self.last, Counted::Resident)
    }
}

#[cfg(target_os = "macos")]
fn resident() -> Option<f64> {
    let mut info = std::mem::MaybeUninit::<libc::proc_taskinfo>::zeroed();
    let size = size_of::<libc::proc_taskinfo>() as libc::c_int;
    // SAFETY: `info` has the size given; all zeros is a valid proc_taskinfo.
    let info = unsafe {
        let written = libc::proc_pidinfo(
            libc::getpid(),
            libc::PROC_PIDTASKINFO,
            0,
            info.as_mut_ptr().cast(),
            size,
        );
        (written == size).then(|| info.assume_init())?
    };
    Some(info.pti_resident_size as f64 / (1 << 20) as f64)
}

#[cfg(not(target_os = "macos"))]
fn resident() -> Option<f64> {
    None
}

/// The most resident memory since the process started; macOS counts it in bytes.
#[cfg(target_os = "macos")]
pub(in crate::memory) fn high_water() -> Option<f64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `usage` is valid for one rusage; all zeros is a valid rusage, too.
    let usage = unsafe {
        (libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) == 0)
            .then(|| usage.assume_init())?
    };
    Some(usage.ru_maxrss as f64 / (1 << 20) as f64)
}

#[cfg(not(target_os = "macos"))]
pub(in crate::memory) fn high_water() -> Option<f64> {
    None
}

/// Not available here.
pub(in crate::memory) fn reset_high_water() -> bool {
    false
}
