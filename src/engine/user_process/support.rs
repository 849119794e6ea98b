//! The support library: functions that must use the same standard library as the cells.
//!
//! Cells link `libstd` dynamically, while this executable contains its own copy. A few functions
//! are compiled against the shared `libstd` ([`SOURCE`]) and loaded: they flush the cells' stdout
//! and report panics as values instead of text. Without the library everything still runs, but
//! failures are described only by the engine's marker lines.

use super::wire::{self, PacketKind, PanicReport};
use super::{interpose, stack};
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = include_str!("support_library.rs");

/// Compiles the library for this compiler, unless it is in the cache, and returns its path.
///
/// # Errors
/// If the compiler fails or the cache is not writable.
pub fn prepare(rustc: &Path) -> Result<PathBuf> {
    compile(
        rustc,
        "parcourse_support",
        SOURCE,
        "so",
        &["--crate-type", "cdylib", "-Cprefer-dynamic", "-Crpath", "-Copt-level=2"],
    )
}

/// Compiles a library for this compiler, unless it is in the cache, and returns its path.
pub fn compile(
    rustc: &Path,
    name: &str,
    source: &str,
    extension: &str,
    flags: &[&str],
) -> Result<PathBuf> {
    let metadata =
        std::fs::metadata(rustc).with_context(|| format!("failed to read {}", rustc.display()))?;
    let mut hash = Sha256::new();
    hash.update(source);
    hash.update(flags.join(" "));
    hash.update(rustc.as_os_str().as_encoded_bytes());
    hash.update(format!("{:?}", metadata.modified().ok()));
    let key = crate::base::hash::hex(&hash.finalize()[..8]);
    let directory = crate::base::paths::cache()?.join("support");
    let library = directory.join(format!("lib{name}-{key}.{extension}"));
    if library.exists() {
        return Ok(library);
    }
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("failed to create {}", directory.display()))?;
    let work = tempfile::tempdir_in(&directory)?;
    let file = work.path().join(format!("{name}.rs"));
    std::fs::write(&file, source)?;
    let built = work.path().join(format!("lib{name}.{extension}"));
    let output = Command::new(rustc)
        .args(["--edition", "2024", "--crate-name", name, "-o"])
        .arg(&built)
        .arg(&file)
        .args(flags)
        .args([
            "-Cstrip=debuginfo".to_owned(),
            format!("-Clink-arg=-Wl,-rpath,{}", target_libdir(rustc)?),
        ])
        .args(cargos_linker(std::env::vars_os()).map(|linker| format!("-Clinker={linker}")))
        .env_remove("RUSTC_WRAPPER")
        .output()
        .with_context(|| format!("failed to run {}", rustc.display()))?;
    if !output.status.success() {
        bail!(
            "failed to compile the library {name} for cells:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    // Two kernels may build at the same time; the later one replaces an identical file.
    std::fs::rename(&built, &library)
        .with_context(|| format!("failed to write {}", library.display()))?;
    Ok(library)
}

/// The linker that cargo is configured to use on this machine. Conda's compilers, for example, are
/// not called `cc`, which rustc would look for.
fn cargos_linker(variables: impl Iterator<Item = (OsString, OsString)>) -> Option<String> {
    let ours = format!("CARGO_TARGET_{}_", std::env::consts::ARCH.to_uppercase());
    let system = if cfg!(target_os = "macos") {
        "DARWIN".to_owned()
    } else {
        std::env::consts::OS.to_uppercase()
    };
    let text = |text: OsString| text.into_string().ok();
    variables.filter_map(|(name, value)| Some((text(name)?, text(value)?))).find_map(
        |(name, value)| {
            let target = name.strip_prefix(&ours)?.strip_suffix("_LINKER")?;
            (target.contains(&system) && !value.is_empty()).then_some(value)
        },
    )
}

fn target_libdir(rustc: &Path) -> Result<String> {
    let output = Command::new(rustc).args(["--print", "target-libdir"]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[repr(C)]
struct Text {
    start: *const u8,
    length: usize,
}

impl Text {
    /// # Safety
    /// The pointers must be valid, which they are during the library's call.
    unsafe fn read(&self) -> String {
        // SAFETY: guaranteed by the caller.
        String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(self.start, self.length) })
            .into_owned()
    }
}

#[repr(C)]
struct Panic {
    message: Text,
    file: Text,
    line: u32,
    column: u32,
    thread: Text,
}

type SetHookFunction = extern "C" fn(extern "C" fn(Panic));

/// The loaded library; empty if it is not available.
pub struct Support {
    flush: Option<extern "C" fn()>,
}

impl Support {
    /// Loads the library that the kernel named and sets its panic hook.
    pub fn load() -> Support {
        let Some(path) = std::env::var_os(wire::SUPPORT_VARIABLE) else {
            return Support { flush: None };
        };
        // SAFETY: no other thread runs yet.
        unsafe { std::env::remove_var(wire::SUPPORT_VARIABLE) };
        use libloading::os::unix::Library;
        // SAFETY: the library is ours and has no initialisers. Its functions have these signatures
        // (support_library.rs).
        unsafe {
            let Ok(library) = Library::new(&path) else { return Support { flush: None } };
            // Never unloaded, because the panic hook points into it.
            let library = std::mem::ManuallyDrop::new(library);
            if let Ok(set_hook) = library.get::<SetHookFunction>(b"parcourse_set_panic_hook") {
                set_hook(report_panic);
            }
            Support {
                flush: library
                    .get::<extern "C" fn()>(b"parcourse_flush")
                    .ok()
                    .map(|function| *function),
            }
        }
    }

    /// Flushes what the cell printed without a line end.
    pub fn flush(&self) {
        if let Some(flush) = self.flush {
            flush();
        }
    }
}

fn is_main_thread() -> bool {
    #[cfg(target_os = "linux")]
    {
        rustix::thread::gettid() == rustix::process::getpid()
    }
    #[cfg(not(target_os = "linux"))]
    {
        std::thread::current().name() == Some("main")
    }
}

extern "C" fn report_panic(panic: Panic) {
    // SAFETY: the library's texts live during the call.
    let (message, file, thread) =
        unsafe { (panic.message.read(), panic.file.read(), panic.thread.read()) };
    let report = PanicReport {
        // An escaped byte takes up to six; together with the stack the report must fit into one
        // packet.
        message: message[..message.floor_char_boundary(5 * 1024)].to_owned(),
        file,
        line: panic.line,
        column: panic.column,
        thread: thread[..thread.floor_char_boundary(200)].to_owned(),
        main: is_main_thread(),
        stack: stack::addresses(),
    };
    if let Ok(json) = serde_json::to_vec(&report) {
        interpose::report(PacketKind::Panic, &json);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linker_is_the_one_that_cargo_uses() {
        let linker = |name: &str, value: &str| {
            cargos_linker([(OsString::from(name), OsString::from(value))].into_iter())
        };
        let architecture = std::env::consts::ARCH.to_uppercase();
        let target = if cfg!(target_os = "macos") { "APPLE_DARWIN" } else { "UNKNOWN_LINUX_GNU" };
        assert_eq!(
            linker(&format!("CARGO_TARGET_{architecture}_{target}_LINKER"), "conda-cc").as_deref(),
            Some("conda-cc")
        );
        assert_eq!(linker(&format!("CARGO_TARGET_{architecture}_{target}_LINKER"), ""), None);
        assert_eq!(linker(&format!("CARGO_TARGET_{architecture}_{target}_RUNNER"), "qemu"), None);
        assert_eq!(
            linker(&format!("CARGO_TARGET_{architecture}_PC_WINDOWS_MSVC_LINKER"), "link.exe"),
            None
        );
        assert_eq!(linker("PATH", "/bin"), None);
    }
}
