//! Manifest and folder: both name the same notebooks, in order, and every entry is complete.

use super::material::Material;
use super::report::Report;

pub fn check(material: &Material, report: &mut Report) {
    let manifest = material.manifest();
    if material.course.notebooks.is_empty() {
        report.file(&manifest, "lists no notebook: add one [[notebook]] for each");
    }
    for file in material.on_disk.iter().filter(|file| material.course.entry(file).is_none()) {
        report.file(
            &material.folder.join(file),
            "is not listed in the manifest: add a [[notebook]] for it to course.toml, or move it elsewhere",
        );
    }
    for entry in &material.course.notebooks {
        let file = &entry.file;
        if !material.on_disk.contains(file) {
            report.file(
                &manifest,
                format!("lists {file}, which does not exist: add it, or remove its entry"),
            );
        }
        if entry.minutes.is_none() {
            report.file(
                &manifest,
                format!("says no minutes for {file}: add `minutes = …`, exercises included"),
            );
        }
        if entry.goals.is_empty() {
            report.file(
                &manifest,
                format!("says no goals for {file}: add `goals = […]`, as in the notebook"),
            );
        }
        if entry.exercises.is_none() {
            report.file(
                &manifest,
                format!("does not say how many exercises {file} has: add `exercises = …`"),
            );
        }
    }
    order(material, report);
    nested(material, report);
}

/// Files are numbered in the order of the manifest, so that a folder shows them as they are to be
/// read.
fn order(material: &Material, report: &mut Report) {
    let manifest = material.manifest();
    let mut before: Option<(u32, &str)> = None;
    for entry in &material.course.notebooks {
        let digits: String = entry.file.chars().take_while(char::is_ascii_digit).collect();
        let Ok(number) = digits.parse::<u32>() else {
            report.file(
                &manifest,
                format!("lists {}, whose name has no number: begin it with two digits, in the order of reading", entry.file),
            );
            continue;
        };
        if let Some((last, file)) = before
            && last >= number
        {
            report.file(
                &manifest,
                format!(
                    "lists {} behind {file}: order the entries by the numbers of their files",
                    entry.file
                ),
            );
        }
        before = Some((number, &entry.file));
    }
}

/// Folders below would be overlooked. Hidden ones hold JupyterLab's checkpoints.
fn nested(material: &Material, report: &mut Report) {
    for entry in std::fs::read_dir(&material.folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') || !path.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&path).into_iter().flatten().flatten().map(|file| file.path())
        {
            if file.extension().is_some_and(|end| end == "ipynb") {
                report.file(
                    &file,
                    "is in a folder of its own, where no tool looks: move it beside course.toml",
                );
            }
        }
    }
}
