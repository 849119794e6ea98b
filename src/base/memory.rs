//! The memory of this machine.

use sysinfo::{MemoryRefreshKind, System};

/// What could be used without swapping, in bytes, where the system tells.
pub fn available() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    Some(system.available_memory()).filter(|_| system.total_memory() > 0)
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn is_what_the_kernel_says() {
        let said = std::fs::read_to_string("/proc/meminfo").unwrap();
        let line = said.lines().find_map(|line| line.strip_prefix("MemAvailable:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
        let found = super::available().unwrap();
        // Other tests take and give back memory in between.
        assert!(found.abs_diff(kib * 1024) < kib * 1024 / 2, "{found} B, {kib} KiB");
    }
}
