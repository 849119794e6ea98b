//! macOS: information from sysctl. There are no NUMA nodes, no control groups, and no number for
//! the available memory.

use super::{Cache, CacheKind, NodeInfo, job};
use std::ffi::CStr;

pub(super) fn gather(variable: &dyn Fn(&str) -> Option<String>) -> NodeInfo {
    let count = |name: &CStr| number(name).and_then(|count| usize::try_from(count).ok());
    let cache = |level, kind, name: &CStr, shared_by| {
        let size = number(name).filter(|&size| size > 0)?;
        Some(Cache {
            level,
            kind,
            size,
            shared_by,
            count: count(c"hw.logicalcpu")?.checked_div(shared_by)?,
        })
    };
    let caches = [
        cache(1, CacheKind::Data, c"hw.l1dcachesize", 1),
        cache(1, CacheKind::Instruction, c"hw.l1icachesize", 1),
        cache(
            2,
            CacheKind::Unified,
            c"hw.l2cachesize",
            count(c"hw.perflevel0.cpusperl2").unwrap_or(1),
        ),
    ];
    NodeInfo {
        host: crate::cores::host_name(),
        system: text(c"kern.osproductversion").map(|version| format!("macOS {version}")),
        kernel: text(c"kern.osrelease"),
        architecture: std::env::consts::ARCH,
        cpu: text(c"machdep.cpu.brand_string"),
        sockets: count(c"hw.packages"),
        cores: count(c"hw.physicalcpu"),
        threads: count(c"hw.logicalcpu"),
        caches: caches.into_iter().flatten().collect(),
        numa: Vec::new(),
        memory: number(c"hw.memsize"),
        memory_available: None,
        memory_limit: None,
        job: job::job(variable),
    }
}

/// The value of this name, as bytes.
fn value(name: &CStr) -> Option<Vec<u8>> {
    let mut buffer = vec![0u8; 256];
    let mut size = buffer.len();
    // SAFETY: `buffer` and `size` describe 256 bytes; the call stores how many it wrote.
    let result = unsafe {
        libc::sysctlbyname(
            name.as_ptr(),
            buffer.as_mut_ptr().cast(),
            &raw mut size,
            std::ptr::null_mut(),
            0,
        )
    };
    buffer.truncate(size);
    (result == 0).then_some(buffer)
}

/// Numbers have four or eight bytes, depending on the name.
fn number(name: &CStr) -> Option<u64> {
    let value = value(name)?;
    match value.len() {
        4 => Some(u32::from_ne_bytes(value.try_into().ok()?).into()),
        8 => Some(u64::from_ne_bytes(value.try_into().ok()?)),
        _ => None,
    }
}

fn text(name: &CStr) -> Option<String> {
    let value = value(name)?;
    let text = String::from_utf8_lossy(&value).trim_end_matches('\0').trim().to_string();
    (!text.is_empty()).then_some(text)
}
