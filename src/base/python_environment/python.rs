//! Finds a Python that can create private environments.

use anyhow::{Result, bail};
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The oldest version that the pinned packages support.
const OLDEST: (u32, u32) = (3, 9);

/// Checks for modules that the pinned packages import and that may be missing: Debian puts venv and
/// ensurepip into separate packages, and a Python built from source lacks the modules for which its
/// build machine had no headers.
const PROBE: &str = "
import sys
missing = []
for name in ('venv', 'ensurepip', 'ssl', 'sqlite3', 'ctypes'):
    try:
        __import__(name)
    except Exception:
        missing.append(name)
print('%d.%d.%d' % sys.version_info[:3])
print(sys.executable)
print(getattr(sys, 'base_prefix', sys.prefix))
print(' '.join(missing))
";

/// A usable Python.
#[derive(Debug, PartialEq)]
pub struct Python {
    pub program: PathBuf,
    /// For example `3.11.7`.
    pub version: String,
    /// Where it is installed; there may be two Pythons of the same version.
    pub prefix: PathBuf,
}

/// The named Python, or else the first usable one of `python3`, `python` and the versioned names.
/// Systems with an old `python3` often have a newer Python under a versioned name.
pub fn find(named: Option<&OsStr>) -> Result<Python> {
    find_in(named.map(OsStr::to_owned), &default_names())
}

fn default_names() -> Vec<OsString> {
    let plain = ["python3", "python"].map(OsString::from);
    let versioned = (OLDEST.1..=14).rev().map(|minor| OsString::from(format!("python3.{minor}")));
    plain.into_iter().chain(versioned).collect()
}

fn find_in(named: Option<OsString>, names: &[OsString]) -> Result<Python> {
    let names = named.as_ref().map_or(names, std::slice::from_ref);
    let mut refused = Vec::new();
    for name in names {
        match probe(name) {
            Ok(python) => return Ok(python),
            Err(Refusal::Absent) => {}
            Err(Refusal::Unusable(reason)) => refused.push(format!("{}: {reason}", name.display())),
        }
    }
    let what = match (&named, refused.is_empty()) {
        (Some(name), true) => {
            format!("--python (or PARCOURSE_PYTHON) is {}, which cannot be started", name.display())
        }
        (None, true) => "found no Python".to_owned(),
        (_, false) => format!("found no usable Python ({})", refused.join("; ")),
    };
    bail!(
        "{what}\n  the private environment needs Python {}.{} or newer with its modules venv and \
         ensurepip\n  Debian, Ubuntu: apt install python3 \
         python3-venv\n  Fedora: dnf install python3 python3-pip\n  conda: conda install \
         python\n  or name one with --python",
        OLDEST.0,
        OLDEST.1
    )
}

enum Refusal {
    /// There is no program of that name.
    Absent,
    Unusable(String),
}

fn probe(name: &OsString) -> Result<Python, Refusal> {
    // `-I` ignores the caller's PYTHONHOME, PYTHONPATH and current folder.
    let output = match Command::new(name).args(["-I", "-c", PROBE]).stdin(Stdio::null()).output() {
        Ok(output) => output,
        // A folder on PATH that cannot be read counts as one without the program.
        Err(error)
            if [ErrorKind::NotFound, ErrorKind::PermissionDenied].contains(&error.kind()) =>
        {
            return Err(Refusal::Absent);
        }
        Err(error) => return Err(Refusal::Unusable(error.to_string())),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Refusal::Unusable(
            said.lines().last().unwrap_or("it failed without a message").to_owned(),
        ));
    }
    parse(&String::from_utf8_lossy(&output.stdout))
}

fn parse(answer: &str) -> Result<Python, Refusal> {
    let [version, program, prefix, missing] = answer.lines().collect::<Vec<_>>()[..] else {
        return Err(Refusal::Unusable(format!("unexpected answer {answer:?}")));
    };
    let mut numbers = version.split('.').map_while(|part| part.parse().ok());
    let major_minor = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if major_minor < OLDEST {
        return Err(Refusal::Unusable(format!("version {version} is too old")));
    }
    if !missing.is_empty() {
        return Err(Refusal::Unusable(format!(
            "version {version} lacks the modules {}",
            missing.replace(' ', ", ")
        )));
    }
    Ok(Python { program: program.into(), version: version.to_owned(), prefix: prefix.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn python_that_answers(answer: &str) -> (tempfile::TempDir, OsString) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("python3");
        std::fs::write(&program, format!("#!/bin/sh\ncat <<'END'\n{answer}\nEND\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        (folder, program.into_os_string())
    }

    fn reason(answer: &str) -> String {
        let (_folder, program) = python_that_answers(answer);
        find_in(None, &[program]).unwrap_err().to_string()
    }

    #[test]
    fn old_and_incomplete_pythons_are_refused_with_the_package_to_install() {
        assert!(reason("3.8.18\n/usr/bin/python3\n/usr\n").contains("version 3.8.18 is too old"));
        let incomplete = reason("3.11.2\n/usr/bin/python3\n/usr\nensurepip");
        assert!(incomplete.contains("lacks the modules ensurepip"), "{incomplete}");
        assert!(incomplete.contains("apt install python3 python3-venv"), "{incomplete}");
    }

    #[test]
    fn the_first_usable_one_is_taken() {
        let (_old_folder, old) = python_that_answers("3.6.8\n/usr/bin/python3\n/usr\n");
        let (_new_folder, new) =
            python_that_answers("3.12.1\n/opt/python/bin/python3\n/opt/python\n");
        let found = find_in(None, &["no-such-python-anywhere".into(), old.clone(), new]).unwrap();
        assert_eq!(
            (found.version.as_str(), found.prefix),
            ("3.12.1", PathBuf::from("/opt/python"))
        );
        assert!(find_in(Some(old), &[]).unwrap_err().to_string().contains("3.6.8"));
    }

    #[test]
    fn a_missing_python_is_reported() {
        let nothing = find_in(None, &["no-such-python-anywhere".into()]).unwrap_err().to_string();
        assert!(nothing.starts_with("found no Python\n"), "{nothing}");
        let named =
            find_in(Some("/no/such/python".into()), &["python3".into()]).unwrap_err().to_string();
        assert!(named.contains("is /no/such/python"), "{named}");
    }
}
