//! The machine, and its load during the benchmark.

use super::sandbox::Sandbox;
use serde::Serialize;

#[derive(Serialize)]
pub struct Machine {
    pub cpus: usize,
    pub rustc: String,
    /// One-minute load averages before and after.
    pub load: [Option<f64>; 2],
}

impl Machine {
    /// Before the first measurement.
    pub async fn new(sandbox: &Sandbox) -> Machine {
        let rustc = tokio::process::Command::new("rustc")
            .arg("--version")
            .current_dir(sandbox.folder())
            .output()
            .await;
        let rustc = rustc
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string())
            .unwrap_or_default();
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Machine { cpus, rustc, load: [load(), None] }
    }

    /// After the last measurement.
    pub fn finish(&mut self) {
        self.load[1] = load();
    }

    /// The load, if it is high enough to distort times.
    pub fn too_busy(&self) -> Option<f64> {
        let load = self.load.iter().flatten().copied().reduce(f64::max)?;
        (load > self.cpus as f64 * 1.5).then_some(load)
    }
}

fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}
