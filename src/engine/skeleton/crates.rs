//! The crates that get a skeleton: the standard library, and the packages of `cargo metadata`.

use super::cfg::Cfg;
use super::package::{self, Package, sources_below};
use super::store::{Key, Store};
use anyhow::{Context, Result};
use ra_ap_syntax::Edition;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates of the standard library that cells can name, and where rust-analyzer looks for them
/// in a folder without a manifest.
const LIBRARY: [(&str, &str); 4] = [
    ("core", "core"),
    ("alloc", "alloc"),
    ("std", "std"),
    ("std_detect", "stdarch/crates/std_detect"),
];
/// The types of `hashbrown` in the standard library's hash tables. The toolchain does not contain
/// their sources.
const HASHBROWN: &str = include_str!("hashbrown.rs");
/// The features of the distributed standard library.
const LIBRARY_FEATURES: [&str; 2] = ["backtrace", "panic-unwind"];
/// Options that only nightly compilers print; rust-analyzer adds the same.
const UNSTABLE: &str = "target_has_atomic\ntarget_thread_local\ntarget_has_atomic_load_store\n\
    target_has_atomic_load_store=\"8\"\ntarget_has_atomic_load_store=\"16\"\ntarget_has_atomic_load_store=\"32\"\n\
    target_has_atomic_load_store=\"64\"\ntarget_has_atomic_load_store=\"ptr\"";

/// The skeleton of this compiler's standard library: a folder for `RUST_SRC_PATH`. `None` if it
/// cannot be created.
///
/// # Errors
/// If the sources are not installed or the cache is not writable.
pub fn library(rustc: &Path) -> Result<Option<PathBuf>> {
    if wants_whole_sources() {
        return Ok(None);
    }
    let sysroot =
        rustc.parent().and_then(Path::parent).context("the compiler is in no toolchain")?;
    let sources = sysroot.join("lib/rustlib/src/rust/library");
    let mut key = Key::new();
    key.add_stamp(rustc);
    key.add_stamp(&sources.join("core/src/lib.rs"));
    Store::open()?.skeleton("library", &key, |to| {
        let cfg = rustc_cfg(rustc, true)?.with_features(LIBRARY_FEATURES);
        each(&LIBRARY, |(name, place)| {
            let folder = sources.join(name);
            let root = folder.join("src/lib.rs");
            let package = Package {
                root: &root,
                folder: &folder,
                cfg: &cfg,
                edition: Edition::Edition2024,
                declares_all: true,
                has_macros: false,
            };
            package::strip(&package, &to.join(place)).map(drop)
        })
        .into_iter()
        .collect::<Result<()>>()?;
        add_hashbrown(&to.join("std/src"))
    })
}

/// Adds a stand-in for the crate `hashbrown` to the skeleton of `std`: see [`HASHBROWN`].
fn add_hashbrown(std: &Path) -> Result<()> {
    let rewrite = |file: &str, change: &dyn Fn(String) -> Option<String>| -> Result<()> {
        let file = std.join(file);
        let text = change(std::fs::read_to_string(&file)?);
        Ok(std::fs::write(
            &file,
            text.with_context(|| format!("{} has an unexpected form", file.display()))?,
        )?)
    };
    std::fs::write(std.join("hashbrown.rs"), HASHBROWN)?;
    rewrite("lib.rs", &|text| Some(text + "\nmod hashbrown;\n"))?;
    for file in ["collections/hash/map.rs", "collections/hash/set.rs"] {
        let import = "use hashbrown::";
        rewrite(file, &|text| {
            text.contains(import).then(|| text.replace(import, "use crate::hashbrown::"))
        })?;
    }
    Ok(())
}

/// Replaces the crates' folders by skeletons in an answer of `cargo metadata`. Packages of the
/// workspace stay, because they are the cells.
pub fn redirect(answer: &mut Value, rustc: &Path) -> Result<()> {
    if wants_whole_sources() {
        return Ok(());
    }
    let store = Store::open()?;
    let cfg =
        std::sync::LazyLock::new(|| rustc_cfg(rustc, false).map_err(|error| format!("{error:#}")));
    let members: Vec<String> = answer["workspace_members"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|id| Some(id.as_str()?.to_owned()))
        .collect();
    let nodes = answer["resolve"]["nodes"].as_array().into_iter().flatten();
    let features: BTreeMap<String, Vec<String>> = nodes
        .filter_map(|node| {
            let features = node["features"]
                .as_array()?
                .iter()
                .filter_map(|name| Some(name.as_str()?.to_owned()))
                .collect();
            Some((node["id"].as_str()?.to_owned(), features))
        })
        .collect();
    let packages: Vec<&mut Value> =
        answer["packages"].as_array_mut().context("no packages")?.iter_mut().collect();
    let packages = packages
        .into_iter()
        .filter(|package| !members.iter().any(|id| package["id"] == id.as_str()));
    let packages: Vec<std::sync::Mutex<&mut Value>> = packages.map(std::sync::Mutex::new).collect();
    each(&packages, |package| {
        let mut package = package.lock().expect("one thread each");
        let active = package["id"]
            .as_str()
            .and_then(|id| features.get(id))
            .map(Vec::as_slice)
            .unwrap_or_default();
        // If a crate has no skeleton, rust-analyzer reads its whole sources.
        let _ = redirect_package(&mut package, active, &store, rustc, &cfg);
    });
    Ok(())
}

/// Environment variable that disables skeletons, in case one lacks something. Users may set it,
/// too.
const WHOLE_SOURCES: &str = "PARCOURSE_WHOLE_SOURCES";

fn wants_whole_sources() -> bool {
    std::env::var_os(WHOLE_SOURCES).is_some()
}

/// Disables skeletons for this process and its children.
pub fn use_whole_sources() {
    // SAFETY: the other threads of this process read the environment only through std, which locks
    // it.
    unsafe { std::env::set_var(WHOLE_SOURCES, "1") };
}

fn redirect_package(
    package: &mut Value,
    features: &[String],
    store: &Store,
    rustc: &Path,
    cfg: &dyn std::ops::Deref<Target = Result<Cfg, String>>,
) -> Result<()> {
    let manifest = PathBuf::from(package["manifest_path"].as_str().context("no manifest")?);
    let folder = manifest.parent().context("no folder")?.to_owned();
    let targets = package["targets"].as_array().context("no targets")?;
    let kinds = |target: &Value| target["kind"].as_array().cloned().unwrap_or_default();
    let is_library = |target: &&Value| {
        kinds(target).iter().any(|kind| {
            ["lib", "rlib", "dylib", "proc-macro"].iter().any(|library| kind == library)
        })
    };
    let target = targets.iter().find(is_library).context("no library")?.clone();
    let root = PathBuf::from(target["src_path"].as_str().context("no root module")?);
    let mut key = Key::new();
    key.add(package["id"].as_str().unwrap_or_default());
    key.add_stamp(rustc);
    key.add_stamp(&root);
    key.add(features.join(","));
    if package["source"].is_null() {
        // Its files can change without its version.
        for file in sources_below(&folder) {
            key.add_stamp(&file);
        }
    }
    let name = format!(
        "{}-{}",
        package["name"].as_str().unwrap_or_default(),
        package["version"].as_str().unwrap_or_default()
    );
    let edition = match target["edition"].as_str() {
        Some("2015") => Edition::Edition2015,
        Some("2018") => Edition::Edition2018,
        Some("2021") => Edition::Edition2021,
        _ => Edition::Edition2024,
    };
    let has_macros = kinds(&target).iter().any(|kind| kind == "proc-macro");
    let made = store.skeleton(&name, &key, |to| {
        let cfg = (**cfg)
            .as_ref()
            .map_err(|error| anyhow::anyhow!("{error}"))?
            .with_features(features.iter().map(String::as_str));
        package::strip(
            &Package {
                root: &root,
                folder: &folder,
                cfg: &cfg,
                edition,
                declares_all: false,
                has_macros,
            },
            to,
        )
        .map(drop)
    })?;
    let Some(skeleton) = made else { return Ok(()) };
    let moved = skeleton.join(root.strip_prefix(&folder)?);
    package["manifest_path"] = skeleton.join("Cargo.toml").display().to_string().into();
    let mut target = target;
    target["src_path"] = moved.display().to_string().into();
    package["targets"] = Value::Array(vec![target]);
    Ok(())
}

/// This compiler's `cfg` options; with `unstable`, those with which the standard library was
/// compiled.
fn rustc_cfg(rustc: &Path, unstable: bool) -> Result<Cfg> {
    let mut command = Command::new(rustc);
    command.args(["--print", "cfg", "-O"]).env_remove("RUSTC_BOOTSTRAP");
    if unstable {
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    let output = command.output().with_context(|| format!("failed to run {}", rustc.display()))?;
    Ok(Cfg::parse(&format!("{}\n{UNSTABLE}", String::from_utf8_lossy(&output.stdout))))
}

/// Applies `work` to all items, on all cores. The results are in order.
fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let run = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(item) = items.get(index) else { return done };
                done.push((index, work(item)));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a worker does not panic"))
            .collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
