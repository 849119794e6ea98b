//! What `cargo deny` checks, as far as that needs no network: licences and sources of every crate in
//! Cargo.lock, by the lists in deny.toml. (Known vulnerabilities are looked up by the workflow.)

use serde_json::Value;
use std::process::Command;

#[test]
fn licences_and_sources_are_those_of_deny_toml() {
    let rules: toml::Table = std::fs::read_to_string("deny.toml").unwrap().parse().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--all-features"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "{} packages", packages.len());
    let faults: Vec<String> =
        packages.iter().filter_map(|package| fault(package, &rules)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = |licence: &str| ["MIT", "Zlib"].contains(&licence);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("Apache-2.0/MIT", true),
        ("MIT AND Zlib", true),
        ("(GPL-3.0 OR MIT) AND Unicode-3.0", false),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", false),
    ] {
        assert_eq!(satisfies(expression, &allowed), expected, "{expression}");
    }
}

fn fault(package: &Value, rules: &toml::Table) -> Option<String> {
    let name = package["name"].as_str()?;
    let source = package["source"].as_str().unwrap_or_default();
    let known = strings(&rules["sources"]["allow-registry"]);
    if !source.is_empty() && !known.iter().any(|url| source == format!("registry+{url}")) {
        return Some(format!("{name} comes from {source}"));
    }
    let licences = &rules["licenses"];
    let exceptions = licences["exceptions"].as_array().into_iter().flatten();
    let own = exceptions
        .filter(|exception| exception["crate"].as_str() == Some(name))
        .flat_map(|exception| strings(&exception["allow"]));
    let allowed: Vec<String> = strings(&licences["allow"]).into_iter().chain(own).collect();
    let expression = package["license"].as_str().unwrap_or_default();
    let is_allowed = |licence: &str| allowed.iter().any(|known| known == licence);
    (!satisfies(expression, &is_allowed))
        .then(|| format!("{name} has the licence {expression:?}, which deny.toml does not allow"))
}

fn strings(list: &toml::Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|item| Some(item.as_str()?.to_owned())).collect()
}

/// Whether an SPDX expression holds with these licences. `A/B` is an old way to write `A OR B`.
fn satisfies(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let any = |part: &str| {
        let part = part.trim().trim_start_matches('(').trim_end_matches(')');
        part.replace('/', " OR ").split(" OR ").any(|licence| allowed(licence.trim()))
    };
    expression.split(" AND ").all(any)
}
