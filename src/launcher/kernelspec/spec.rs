//! One registered kernel: the folder with `kernel.json` and logos.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Jupyter shows these next to the kernel's name: overlapping tracks that reach the finish
/// together.
const LOGOS: [(&str, &[u8]); 2] = [
    ("logo-32x32.png", include_bytes!("logo-32x32.png")),
    ("logo-64x64.png", include_bytes!("logo-64x64.png")),
];

/// Key in the metadata that marks our specs.
const MARK: &str = "parcourse";

/// A registered kernel, as found on disk.
#[derive(Debug)]
pub struct Spec {
    pub name: String,
    pub folder: PathBuf,
    pub display_name: String,
    /// The program that Jupyter would start.
    pub program: Option<PathBuf>,
    pub ours: bool,
}

impl Spec {
    /// Reads the spec in `folder`; `None` if there is none. A `kernel.json` that cannot be parsed
    /// counts as another program's.
    pub fn read(folder: &Path) -> Option<Spec> {
        let text = std::fs::read_to_string(folder.join("kernel.json")).ok()?;
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        Some(Spec {
            name: folder.file_name()?.to_string_lossy().into_owned(),
            folder: folder.to_path_buf(),
            display_name: value["display_name"].as_str().unwrap_or("?").to_owned(),
            program: value["argv"][0].as_str().map(PathBuf::from),
            ours: value["metadata"][MARK].is_object(),
        })
    }

    /// Whether its program exists. Jupyter looks up a bare name on PATH, as a shell does.
    pub fn program_exists(&self) -> bool {
        match &self.program {
            Some(program) if program.components().count() > 1 => program.is_file(),
            Some(program) => std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
                .any(|folder| folder.join(program).is_file()),
            None => false,
        }
    }
}

/// The contents of one of our specs.
#[derive(Debug, Clone, Copy)]
pub struct Contents<'a> {
    pub display_name: &'a str,
    /// The helper crate whose template kernels start from.
    pub helpers: Option<&'a Path>,
}

/// Writes a spec for this program to `directory/NAME` (`directory` is one of Jupyter's `kernels`
/// folders) and returns that folder.
///
/// Replaces our own spec; replaces another program's only with `force`.
pub fn write(directory: &Path, name: &str, contents: Contents<'_>, force: bool) -> Result<PathBuf> {
    check_name(name)?;
    let folder = directory.join(name);
    if let Some(present) = Spec::read(&folder)
        && !present.ours
        && !force
    {
        bail!(
            "`{name}` in {} is another program's kernel ({}): choose another --name, or replace \
            it with --force",
            directory.display(),
            present.display_name
        );
    }
    let program = std::env::current_exe().context("failed to find this program's own file")?;
    let text = serde_json::to_string_pretty(&contents.to_json(&program))? + "\n";
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to create {}", folder.display()))?;
    // Logos first, so that they exist once kernel.json is visible.
    for (file, bytes) in LOGOS.into_iter().chain([("kernel.json", text.as_bytes())]) {
        replace(&folder, file, bytes)?;
    }
    Ok(folder)
}

/// Removes a spec if it is ours.
pub fn remove(spec: &Spec) -> Result<()> {
    if !spec.ours {
        bail!(
            "`{}` in {} is another program's kernel: remove it with `jupyter kernelspec remove {}`",
            spec.name,
            spec.folder.display(),
            spec.name
        );
    }
    std::fs::remove_dir_all(&spec.folder)
        .with_context(|| format!("failed to remove {}", spec.folder.display()))
}

impl Contents<'_> {
    fn to_json(self, program: &Path) -> Value {
        let mut environment = serde_json::Map::new();
        if let Some(helpers) = self.helpers {
            environment.insert("PARCOURSE_HELPERS".to_owned(), json!(helpers));
        }
        let argv = [
            json!(program),
            json!("kernel"),
            json!("--connection-file"),
            json!("{connection_file}"),
        ];
        json!({
            "argv": argv,
            "display_name": self.display_name,
            "language": "rust",
            // The kernel decides what an interrupt means for the user's process: variables survive
            // where they can.
            "interrupt_mode": "message",
            "env": environment,
            "metadata": { MARK: { "version": env!("CARGO_PKG_VERSION") } },
        })
    }
}

/// What Jupyter accepts as a kernel's name.
fn check_name(name: &str) -> Result<()> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(allowed) {
        bail!(
            "`{name}` cannot name a kernel: use ASCII letters, digits, hyphens, underscores and \
            dots"
        );
    }
    Ok(())
}

fn replace(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let written = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(folder)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            Ok(file.persist(folder.join(name))?)
        });
    written.map(drop).with_context(|| format!("failed to write {}", folder.join(name).display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Contents<'_> = Contents { display_name: "Rust", helpers: None };

    #[test]
    fn writes_what_jupyter_needs_and_knows_its_own() {
        let location = tempfile::tempdir().unwrap();
        let folder = write(
            location.path(),
            "rust",
            Contents { helpers: Some(Path::new("/course/helpers")), ..PLAIN },
            false,
        )
        .unwrap();
        assert_eq!(folder, location.path().join("rust"));
        let value: Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join("kernel.json")).unwrap())
                .unwrap();
        let program = std::env::current_exe().unwrap();
        assert_eq!(
            value["argv"],
            json!([program, "kernel", "--connection-file", "{connection_file}"])
        );
        assert_eq!(value["display_name"], "Rust");
        assert_eq!(value["language"], "rust");
        assert_eq!(value["interrupt_mode"], "message");
        assert_eq!(value["env"], json!({ "PARCOURSE_HELPERS": "/course/helpers" }));
        let spec = Spec::read(&folder).unwrap();
        assert!(spec.ours && spec.program_exists());
        write(location.path(), "rust", Contents { display_name: "Rust again", ..PLAIN }, false)
            .unwrap();
        assert_eq!(Spec::read(&folder).unwrap().display_name, "Rust again");
        assert_eq!(
            std::fs::read_dir(&folder).unwrap().count(),
            3,
            "kernel.json and two logos, nothing temporary"
        );
        remove(&spec).unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn leaves_other_programs_alone() {
        let location = tempfile::tempdir().unwrap();
        for text in
            [r#"{"argv": ["/usr/bin/evcxr_jupyter"], "display_name": "Rust"}"#, "not even JSON"]
        {
            let folder = location.path().join("rust");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("kernel.json"), text).unwrap();
            let error = write(location.path(), "rust", PLAIN, false).unwrap_err().to_string();
            assert!(error.contains("--force"), "{error}");
            assert!(remove(&Spec::read(&folder).unwrap()).is_err());
            assert_eq!(std::fs::read_to_string(folder.join("kernel.json")).unwrap(), text);
        }
        write(location.path(), "rust", PLAIN, true).unwrap();
        assert!(Spec::read(&location.path().join("rust")).unwrap().ours);
    }

    #[test]
    fn names_that_jupyter_would_refuse_are_refused() {
        let location = tempfile::tempdir().unwrap();
        for name in ["", "..", "a/b", "rust kernel", "ünï"] {
            assert!(write(location.path(), name, PLAIN, false).is_err(), "{name:?}");
        }
        assert_eq!(std::fs::read_dir(location.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_missing_program_is_noticed() {
        let mut spec = Spec {
            name: "x".into(),
            folder: "/x".into(),
            display_name: "x".into(),
            program: None,
            ours: true,
        };
        assert!(!spec.program_exists());
        spec.program = Some("/nowhere/parcourse".into());
        assert!(!spec.program_exists());
        spec.program = Some("sh".into());
        assert!(spec.program_exists(), "found along PATH");
    }

    #[test]
    fn logos_are_pictures_of_the_size_they_claim() {
        for (name, bytes) in LOGOS {
            assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n", "{name}");
            let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
            assert_eq!(name, format!("logo-{}x{}.png", side(16), side(20)));
        }
    }
}
