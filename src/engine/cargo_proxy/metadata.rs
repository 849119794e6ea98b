//! `cargo metadata` without the crates that cells cannot use.
//!
//! We leave out the dependencies of build scripts, the dependencies of procedural macros
//! (rust-analyzer does not expand those here, because that would need a server), and the crates
//! that a package lists in its manifest:
//!
//! ```toml
//! [package.metadata.parcourse]
//! unseen = ["gimli"]
//! ```
//!
//! The list applies to what is reached through this package. A crate that the cells ask for
//! themselves stays, and so do its dependencies.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The same answer with fewer packages. `None` if it does not have the form of cargo's answer.
pub fn as_cells_see_it(answer: &[u8]) -> Option<Value> {
    let mut answer: Value = serde_json::from_slice(answer).ok()?;
    let seen = seen(&answer)?;
    let stays = |id: &Value| id.as_str().is_some_and(|id| seen.contains(id));
    let packages = answer["packages"].as_array_mut()?;
    packages.retain(|package| stays(&package["id"]));
    let nodes = answer["resolve"]["nodes"].as_array_mut()?;
    nodes.retain(|node| stays(&node["id"]));
    for node in nodes {
        node["dependencies"].as_array_mut()?.retain(stays);
        node["deps"].as_array_mut()?.retain(|dependency| stays(&dependency["pkg"]));
    }
    Some(answer)
}

/// The ids of the packages that stay.
fn seen(answer: &Value) -> Option<BTreeSet<String>> {
    let packages = by_id(&answer["packages"])?;
    let nodes = by_id(&answer["resolve"]["nodes"])?;
    let members: Vec<&str> =
        answer["workspace_members"].as_array()?.iter().filter_map(Value::as_str).collect();
    let mut seen: BTreeSet<&str> = members.iter().copied().collect();
    // The packages to visit, and what is hidden from each. Nothing is hidden from the cells' own
    // dependencies, so they come first.
    let mut queue: VecDeque<(&str, Vec<&str>)> =
        members.iter().map(|id| (*id, Vec::new())).collect();
    while let Some((id, unseen)) = queue.pop_front() {
        if is_procedural_macro(packages.get(id)?) {
            continue;
        }
        for dependency in nodes.get(id)?["deps"].as_array()? {
            let needed = dependency["pkg"].as_str()?;
            let package = packages.get(needed)?;
            let is_hidden = package["name"].as_str().is_some_and(|name| unseen.contains(&name));
            if is_hidden || !is_linked(dependency) || !seen.insert(needed) {
                continue;
            }
            match unseen_list(package) {
                Some(own) => queue.push_back((needed, own)),
                None if unseen.is_empty() => queue.push_front((needed, Vec::new())),
                None => queue.push_back((needed, unseen.clone())),
            }
        }
    }
    Some(seen.into_iter().map(str::to_owned).collect())
}

fn by_id(values: &Value) -> Option<BTreeMap<&str, &Value>> {
    values.as_array()?.iter().map(|value| Some((value["id"].as_str()?, value))).collect()
}

/// The crates that a package's manifest hides.
fn unseen_list(package: &Value) -> Option<Vec<&str>> {
    Some(
        package["metadata"]["parcourse"]["unseen"]
            .as_array()?
            .iter()
            .filter_map(Value::as_str)
            .collect(),
    )
}

fn is_procedural_macro(package: &Value) -> bool {
    let targets = package["targets"].as_array().into_iter().flatten();
    targets
        .flat_map(|target| target["kind"].as_array().into_iter().flatten())
        .any(|kind| kind == "proc-macro")
}

/// Whether this is a normal dependency. Build and dev dependencies have a `kind`.
fn is_linked(dependency: &Value) -> bool {
    dependency["dep_kinds"]
        .as_array()
        .is_none_or(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// An answer from lines `NAME -> DEPENDENCY…`; `NAME!` is a procedural macro, `build:NAME` a
    /// build dependency.
    fn answer(lines: &str, member: &str, unseen: &[&str]) -> Vec<u8> {
        let (mut packages, mut nodes) = (Vec::new(), Vec::new());
        for line in lines.lines() {
            let (name, needs) = line.split_once("->").unwrap();
            let id = name.trim().trim_end_matches('!');
            let kind = if name.trim().ends_with('!') { "proc-macro" } else { "lib" };
            let metadata = if id == "helpers" {
                json!({ "parcourse": { "unseen": unseen } })
            } else {
                Value::Null
            };
            let targets = json!([{ "kind": [kind] }]);
            packages
                .push(json!({ "id": id, "name": id, "targets": targets, "metadata": metadata }));
            let needs: Vec<(&str, Option<&str>)> = needs
                .split_whitespace()
                .map(|need| {
                    need.strip_prefix("build:").map_or((need, None), |need| (need, Some("build")))
                })
                .collect();
            let deps: Vec<Value> = needs
                .iter()
                .map(|(need, kind)| json!({ "pkg": need, "dep_kinds": [{ "kind": kind }] }))
                .collect();
            let ids: Vec<&str> = needs.iter().map(|(need, _)| *need).collect();
            nodes.push(json!({ "id": id, "dependencies": ids, "deps": deps }));
        }
        let answer = json!({
            "packages": packages, "resolve": { "nodes": nodes }, "workspace_members": [member],
        });
        serde_json::to_vec(&answer).unwrap()
    }

    fn names(answer: &[u8]) -> Vec<String> {
        let seen = as_cells_see_it(answer).unwrap();
        let nodes = seen["resolve"]["nodes"].as_array().unwrap();
        let packages: Vec<String> = seen["packages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["id"].as_str().unwrap().to_owned())
            .collect();
        assert!(
            nodes.iter().map(|node| node["id"].as_str().unwrap()).eq(packages.iter()),
            "{seen}"
        );
        for needed in nodes.iter().flat_map(|node| node["deps"].as_array().unwrap()) {
            assert!(packages.iter().any(|id| needed["pkg"] == id.as_str()), "{needed} is missing");
        }
        packages
    }

    const HELPERS: &str = "ctx -> helpers\nhelpers -> rayon gimli macros libc\nrayon -> libc \
        build:autocfg\nautocfg ->\ngimli -> alone\n\
        alone ->\nmacros! -> syn\nsyn ->\nlibc ->";

    #[test]
    fn keeps_what_cells_can_use() {
        assert_eq!(
            names(&answer(HELPERS, "ctx", &["gimli", "libc"])),
            ["ctx", "helpers", "rayon", "macros"]
        );
        assert_eq!(
            names(&answer(HELPERS, "ctx", &[])),
            ["ctx", "helpers", "rayon", "gimli", "alone", "macros", "libc"]
        );
    }

    #[test]
    fn direct_dependencies_keep_their_own() {
        let lines = HELPERS.replacen("ctx -> helpers", "ctx -> helpers nix", 1) + "\nnix -> libc";
        assert_eq!(
            names(&answer(&lines, "ctx", &["gimli", "libc"])),
            ["ctx", "helpers", "rayon", "macros", "libc", "nix"]
        );
    }

    #[test]
    fn unknown_answers_are_rejected() {
        assert_eq!(as_cells_see_it(b"error: no such command"), None);
        assert_eq!(
            as_cells_see_it(br#"{"packages": [], "resolve": null, "workspace_members": []}"#),
            None
        );
        let whole = answer("ctx -> rayon\nrayon ->", "ctx", &[]);
        assert_eq!(
            as_cells_see_it(&whole),
            serde_json::from_slice(&whole).ok(),
            "nothing to leave out"
        );
    }
}
