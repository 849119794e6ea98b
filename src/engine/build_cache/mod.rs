//! Warm start: prepared build directories that kernels copy.
//!
//! Every kernel compiles the dependencies of its cells in a directory of its own; for the helper
//! crate that takes half a minute on a small machine, at every start. A *template* is such a
//! directory, filled once per (compiler, helper sources, settings, CPU) by running the engine
//! itself on the first cells of a notebook. A kernel gets a private *checkout* of it, where nobody
//! else can write ([`paths::build_folder`](crate::base::paths::build_folder)), through the engine's
//! variable `EVCXR_TMPDIR`, and finds everything compiled already. The checkout vanishes with its
//! owner; what a killed process left behind is swept by the next start.
//!
//! Layout: `CACHE/template/KEY/{template.json, used, work/}`, complete or absent, because it is
//! built elsewhere and renamed; `CACHE/template/KEY.lock` while one is being built;
//! `BUILDS/kernel-PID-RANDOM/{owner, work/, config/}` for checkouts.

mod build;
mod builder;
mod checkout;
mod command;
mod copy;
mod flavor;
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
pub use checkout::{WorkDirectory, abandoned, claim_for_sockets, sweep, sweep_after};
pub use command::{PrepareArguments, main};
pub use flavor::Flavor;
pub use lockfile::{RUNTIME, needed_by as locked, restore as restore_lockfile};
pub use sources::Sources;
pub use store::Template;
pub use toolchain::{Toolchain, locate as locate_compiler};

use anyhow::{Result, bail};
use key::Ingredients;
use std::path::Path;

/// Raised when the contents of a template change their meaning: older ones are then rebuilt.
const FORMAT: u32 = 2;

/// The template for this helper crate and kernel, if it is ready. Costs some 20 ms.
pub fn find(helpers: &Path, flavor: Flavor) -> Result<Option<Template>> {
    let cache = crate::base::paths::cache()?;
    let ingredients = Ingredients::look(helpers, flavor, &cache)?;
    Ok(store::find(&store::root(&cache), &ingredients))
}

/// The template for this helper crate and kernel, built now if it is not ready.
///
/// `progress` receives lines for people. When another process is already building the same
/// template, this waits for it and says so.
///
/// # Errors
/// When the helper crate does not compile (with the compiler's words), when its dependencies cannot
/// be downloaded, when the cache cannot be written.
pub fn ensure(helpers: &Path, flavor: Flavor, progress: &mut dyn FnMut(&str)) -> Result<Template> {
    let cache = crate::base::paths::cache()?;
    let root = store::root(&cache);
    for _ in 0..3 {
        let ingredients = Ingredients::look(helpers, flavor, &cache)?;
        if let Some(template) = store::find(&root, &ingredients) {
            return Ok(template);
        }
        store::make(&root)?;
        let lock =
            match lock::take(&root.join(format!("{}.lock", ingredients.key)), progress, || {
                store::find(&root, &ingredients).is_some()
            })? {
                lock::Turn::Ours(lock) => Some(lock),
                lock::Turn::Unlocked => None,
                lock::Turn::Done => None,
            };
        if let Some(template) = store::find(&root, &ingredients) {
            return Ok(template);
        }
        let staged = build::build(&ingredients, &root, lock.as_ref(), progress)?;
        if Ingredients::look(helpers, flavor, &cache)?.key != ingredients.key {
            progress("the helper crate was edited meanwhile: starting again");
            continue;
        }
        staged.install()?;
        store::tidy(&root, &ingredients.key);
        match store::find(&root, &ingredients) {
            Some(template) => return Ok(template),
            None => bail!(
                "the new template {} vanished: is something else clearing {}?",
                ingredients.key,
                root.display()
            ),
        }
    }
    bail!(
        "the helper crate {} was edited three times while it was being compiled: try again",
        helpers.display()
    )
}
