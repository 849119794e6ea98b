//! What `check` reads: the manifest, and every notebook in its folder.

use super::problems::Problems;
use crate::course::notebook::{self, Cell, Document};
use crate::course::{Course, Entry, FILE_NAME};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// A course read into memory.
pub struct Material {
    pub folder: PathBuf,
    pub course: Course,
    /// The readable notebooks, listed in the manifest or not, sorted by name.
    pub notebooks: Vec<Notebook>,
    /// Names of all notebooks in the folder.
    pub on_disk: Vec<String>,
}

/// A notebook of the course.
pub struct Notebook {
    pub file: String,
    pub path: PathBuf,
    pub text: String,
    pub document: Document,
    /// The notebook's entry in the manifest.
    pub entry: Option<Entry>,
}

impl Material {
    /// Reads a course. Notebooks that cannot be read are reported and left out.
    pub fn read(folder: &Path, problems: &mut Problems) -> Result<Material> {
        let course = Course::beside(folder)?
            .with_context(|| format!("{} has no {FILE_NAME}", folder.display()))?;
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("failed to read the folder {}", folder.display()))?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut on_disk: Vec<String> =
            names.filter(|name| name.ends_with(".ipynb") && !name.starts_with('.')).collect();
        on_disk.sort();
        let mut notebooks = Vec::new();
        for file in &on_disk {
            let path = folder.join(file);
            let read = notebook::read(&path).and_then(|text| Ok((Document::parse(&text)?, text)));
            match read {
                Ok((document, text)) => notebooks.push(Notebook {
                    file: file.clone(),
                    path,
                    text,
                    document,
                    entry: course.entry(file).cloned(),
                }),
                Err(error) => problems.file(&path, format!("{error:#}")),
            }
        }
        Ok(Material { folder: folder.to_path_buf(), course, notebooks, on_disk })
    }

    pub fn manifest(&self) -> PathBuf {
        self.folder.join(FILE_NAME)
    }
}

impl Notebook {
    /// Returns the cells with a tag, and their names.
    pub fn tagged(&self, tag: &str) -> Vec<(String, &Cell)> {
        self.document.named_cells().filter(|(_, cell)| cell.has_tag(tag)).collect()
    }
}
