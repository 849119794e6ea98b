//! Prepared build directories that kernels copy, so that they start warm.
//!
//! Every kernel compiles the dependencies of its cells in its own directory. For the helper crate
//! that takes half a minute on a small machine, at every start. A *template* is such a directory,
//! filled once per compiler, helper sources, settings and CPU by running the engine on the first
//! cells of a notebook. A kernel gets a private copy, a *checkout*, in a folder that no other user
//! can write to ([`paths::build_folder`](crate::base::paths::build_folder)). The engine's variable
//! `EVCXR_TMPDIR` points to it, and everything is already compiled. The checkout is removed with
//! its kernel; the next start removes what killed processes left.
//!
//! Layout: `CACHE/template/KEY/{template.json, used, work/}` (complete or absent, because it is
//! built under another name and renamed), `CACHE/template/KEY.lock` during a build, and
//! `BUILDS/kernel-PID-RANDOM/{owner, work/, config/}` for checkouts.

mod build;
mod builder;
mod checkout;
mod command;
mod copy;
mod kernel_kind;
mod key;
mod lock;
mod lockfile;
mod progress;
mod prune;
mod sources;
mod store;
mod toolchain;

pub use build::abandoned as abandoned_builds;
pub use builder::{BuildArguments, dependency, main as build_main};
pub use checkout::{WorkDirectory, abandoned, create_socket_directory, sweep, sweep_after};
pub use command::{PrepareArguments, main};
pub use kernel_kind::KernelKind;
pub use lockfile::{RUNTIME, needed_by as locked, restore as restore_lockfile};
pub use progress::finished as finished_crates;
pub use sources::Sources;
pub use store::Template;
pub use toolchain::{Toolchain, locate as locate_compiler};

use anyhow::{Result, bail};
use key::CacheInputs;
use lock::LockOutcome;
use std::path::Path;

/// Version of the template format. Templates of another version are built again.
const FORMAT: u32 = 2;

/// The template for this helper crate and kernel, if it is ready. Takes about 20 ms.
pub fn find(helpers: &Path, kind: KernelKind) -> Result<Option<Template>> {
    let cache = crate::base::paths::cache()?;
    let inputs = CacheInputs::read(helpers, kind, &cache)?;
    Ok(store::find(&store::root(&cache), &inputs))
}

/// The template for this helper crate and kernel. Builds it if it is missing.
///
/// `progress` receives messages for the user. If another process is already building the same
/// template, this waits for it and reports its progress.
///
/// # Errors
/// If the helper crate does not compile (with the compiler's messages), if its dependencies cannot
/// be downloaded, or if the cache is not writable.
pub fn ensure(
    helpers: &Path,
    kind: KernelKind,
    progress: &mut dyn FnMut(&str),
) -> Result<Template> {
    let cache = crate::base::paths::cache()?;
    let root = store::root(&cache);
    for _ in 0..3 {
        let inputs = CacheInputs::read(helpers, kind, &cache)?;
        if let Some(template) = store::find(&root, &inputs) {
            return Ok(template);
        }
        store::make(&root)?;
        let lock =
            match lock::acquire(&root.join(format!("{}.lock", inputs.key)), progress, || {
                store::find(&root, &inputs).is_some()
            })? {
                LockOutcome::Acquired(lock) => Some(lock),
                LockOutcome::Unavailable | LockOutcome::Done => None,
            };
        if let Some(template) = store::find(&root, &inputs) {
            return Ok(template);
        }
        let staged = build::build(&inputs, &root, lock.as_ref(), progress)?;
        if CacheInputs::read(helpers, kind, &cache)?.key != inputs.key {
            progress("the helper crate was edited during the build: starting again");
            continue;
        }
        staged.install()?;
        store::tidy(&root, &inputs.key);
        match store::find(&root, &inputs) {
            Some(template) => return Ok(template),
            None => bail!(
                "the new template {} has disappeared: is another program clearing {}?",
                inputs.key,
                root.display()
            ),
        }
    }
    bail!(
        "the helper crate {} was edited three times while it was being compiled: try again",
        helpers.display()
    )
}
