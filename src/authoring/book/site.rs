//! Sphinx's sources, and the site it builds from them.

use super::page::DOWNLOADS;
use crate::base::paths;
use crate::base::python_environment::{Environment, Log};
use crate::base::steps::Steps;
use crate::course::notebook::{Document, markdown};
use anyhow::{Context, Result};
use serde_json::json;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Sphinx's settings, except those that depend on the course.
const SETTINGS: &str = include_str!("conf.py");
const STYLE: &str = include_str!("book.css");

/// A temporary folder with Sphinx's sources and the site.
pub struct Site {
    folder: TempDir,
}

impl Site {
    pub fn create() -> Result<Self> {
        let parent = paths::private_tmp()?;
        let folder = tempfile::Builder::new().prefix("book-").tempdir_in(&parent);
        let site = Self {
            folder: folder
                .with_context(|| format!("failed to create a folder in {}", parent.display()))?,
        };
        site.write("conf.py", SETTINGS.as_bytes())?;
        site.write("static/book.css", STYLE.as_bytes())?;
        std::fs::create_dir_all(site.sources().join("extra").join(DOWNLOADS))
            .context("failed to create the folder of the downloads")?;
        Ok(site)
    }

    fn sources(&self) -> PathBuf {
        self.folder.path().join("sources")
    }

    /// The folder with the finished site.
    pub fn html(&self) -> PathBuf {
        self.folder.path().join("html")
    }

    /// Adds a source; `path` is relative.
    pub fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        let path = self.sources().join(path);
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, content));
        written.with_context(|| format!("failed to write {}", path.display()))
    }

    /// Adds the course's files that a page links to or shows. Sphinx warns about files that are
    /// missing or outside the course.
    pub fn copy_linked(&self, course: &Path, page: &Document) -> Result<()> {
        for target in page
            .cells
            .iter()
            .filter(|cell| cell.is_markdown())
            .flat_map(|cell| markdown::targets(&cell.source))
        {
            let path = Path::new(target.split(['#', '?']).next().unwrap_or_default());
            let within = path
                .components()
                .all(|component| matches!(component, Component::Normal(_) | Component::CurDir));
            let is_page = path.extension().is_some_and(|end| end == "ipynb" || end == "md");
            if within && !is_page && course.join(path).is_file() {
                let content = std::fs::read(course.join(path))
                    .with_context(|| format!("failed to read {}", course.join(path).display()))?;
                self.write(&target, &content)?;
            }
        }
        Ok(())
    }

    /// Builds the site with Sphinx and returns its warnings.
    pub fn build(
        &self,
        title: &str,
        environment: &Environment,
        steps: &mut Steps,
    ) -> Result<Vec<String>> {
        steps.begin("Building the pages");
        self.write("settings.json", json!({ "title": title }).to_string().as_bytes())?;
        let warnings = self.folder.path().join("warnings");
        let mut sphinx = Command::new(environment.python());
        // `-I`: keeps a PYTHONPATH set for other work out of the pinned environment.
        sphinx
            .args([
                "-I",
                "-m",
                "sphinx",
                "--builder",
                "html",
                "--no-color",
                "--keep-going",
                "--warning-file",
            ])
            .arg(&warnings);
        sphinx
            .arg("--doctree-dir")
            .arg(self.folder.path().join("doctrees"))
            .arg(self.sources())
            .arg(self.html());
        // Jupyter's libraries read the user's settings and store files in these folders.
        for variable in ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"] {
            sphinx.env(variable, self.folder.path().join("jupyter"));
        }
        let mut log = Log::create(&paths::cache()?.join("book.log"))?;
        log.run(&mut sphinx, |line| steps.inside(line))
            .context("Sphinx failed to build the pages")?;
        let warnings = std::fs::read_to_string(&warnings).unwrap_or_default();
        let sources = format!(
            "{}/",
            self.sources().canonicalize().unwrap_or_else(|_| self.sources()).display()
        );
        let warnings: Vec<String> = warnings
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.replace(&sources, ""))
            .collect();
        steps.done(&match warnings.len() {
            0 => "no warnings".to_owned(),
            count => format!("{count} lines of warnings"),
        });
        Ok(warnings)
    }
}
