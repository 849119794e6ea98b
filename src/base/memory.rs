//! The memory of this machine.

use sysinfo::{MemoryRefreshKind, System};

/// The memory that is available without swapping, in bytes. `None` if the system does not report
/// it.
pub fn available() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    Some(system.available_memory()).filter(|_| system.total_memory() > 0)
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn agrees_with_proc_meminfo() {
        let text = std::fs::read_to_string("/proc/meminfo").unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
        let found = super::available().unwrap();
        // Other tests allocate and free memory in between.
        assert!(found.abs_diff(kib * 1024) < kib * 1024 / 2, "{found} B, {kib} KiB");
    }
}
