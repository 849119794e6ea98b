//! Checks that the manifest and the folder have the same notebooks, in order, and that every entry
//! is complete.

use super::material::Material;
use super::problems::Problems;

pub fn check(material: &Material, problems: &mut Problems) {
    let manifest = material.manifest();
    if material.course.notebooks.is_empty() {
        problems.file(&manifest, "lists no notebooks: add a [[notebook]] for each");
    }
    for file in material.on_disk.iter().filter(|file| material.course.entry(file).is_none()) {
        problems.file(
            &material.folder.join(file),
            "is not listed in course.toml: add a [[notebook]] for it, or move it elsewhere",
        );
    }
    for entry in &material.course.notebooks {
        let file = &entry.file;
        if !material.on_disk.contains(file) {
            problems.file(
                &manifest,
                format!("lists {file}, which does not exist: add it, or remove its entry"),
            );
        }
        if entry.minutes.is_none() {
            problems.file(
                &manifest,
                format!("has no minutes for {file}: add `minutes = …`, exercises included"),
            );
        }
        if entry.goals.is_empty() {
            problems.file(
                &manifest,
                format!("has no goals for {file}: add `goals = […]`, as in the notebook"),
            );
        }
        if entry.exercises.is_none() {
            problems.file(
                &manifest,
                format!("has no number of exercises for {file}: add `exercises = …`"),
            );
        }
    }
    order(material, problems);
    nested(material, problems);
}

/// Files must be numbered in the order of the manifest, so that a folder lists them in reading
/// order.
fn order(material: &Material, problems: &mut Problems) {
    let manifest = material.manifest();
    let mut before: Option<(u32, &str)> = None;
    for entry in &material.course.notebooks {
        let digits: String = entry.file.chars().take_while(char::is_ascii_digit).collect();
        let Ok(number) = digits.parse::<u32>() else {
            problems.file(
                &manifest,
                format!(
                    "lists {}, whose name has no number: begin it with two digits, in reading \
                    order",
                    entry.file
                ),
            );
            continue;
        };
        if let Some((last, file)) = before
            && last >= number
        {
            problems.file(
                &manifest,
                format!(
                    "lists {} after {file}: sort the entries by the numbers of their files",
                    entry.file
                ),
            );
        }
        before = Some((number, &entry.file));
    }
}

/// Reports notebooks in subfolders, which would be overlooked. Hidden folders hold JupyterLab's
/// checkpoints.
fn nested(material: &Material, problems: &mut Problems) {
    for entry in std::fs::read_dir(&material.folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') || !path.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&path).into_iter().flatten().flatten().map(|file| file.path())
        {
            if file.extension().is_some_and(|end| end == "ipynb") {
                problems.file(
                    &file,
                    "is in a subfolder, where no tool looks: move it next to course.toml",
                );
            }
        }
    }
}
