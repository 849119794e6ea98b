//! Tests of merging, on real folders.

use super::*;
use serde_json::json;
use std::path::PathBuf;

struct TestCopy {
    root: tempfile::TempDir,
}

impl TestCopy {
    fn new() -> TestCopy {
        TestCopy { root: tempfile::Builder::new().prefix("läb copy ").tempdir().unwrap() }
    }

    fn folder(&self) -> Folder {
        Folder::open(&self.root.path().join("my course")).unwrap()
    }

    /// Updates the copy from these files, by name and content.
    fn update(&self, files: &[(&str, &str)], restore: bool) -> Changes {
        let new = self.root.path().join("new");
        for (name, text) in files {
            fs::create_dir_all(new.join(name).parent().unwrap()).unwrap();
            fs::write(new.join(name), text).unwrap();
        }
        let changes = merge(&self.folder(), &new, restore).unwrap();
        let _ = fs::remove_dir_all(new);
        changes
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder().notebooks().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        below(&self.folder().notebooks(), &|_| true)
            .unwrap()
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect()
    }
}

fn notebook(source: &str, outputs: &str) -> String {
    json!({ "cells": [{ "cell_type": "code", "source": source, "outputs": [outputs] }], "nbformat": 4 }).to_string()
}

#[test]
fn files_are_written_only_once() {
    let copy = TestCopy::new();
    let files = [("00.ipynb", "{}"), ("course.toml", "title = 'x'"), ("data/numbers.csv", "1,2")];
    assert_eq!(copy.update(&files, false).written, ["00.ipynb", "course.toml", "data/numbers.csv"]);
    assert_eq!(copy.update(&files, false), Changes::default());
    assert_eq!(copy.names(), ["00.ipynb", "course.toml", "data/numbers.csv"]);
}

#[test]
fn what_the_learner_only_ran_follows_the_course() {
    let copy = TestCopy::new();
    copy.update(&[("00.ipynb", &notebook("old", ""))], false);
    fs::write(copy.path("00.ipynb"), notebook("old", "42")).unwrap();
    assert_eq!(copy.update(&[("00.ipynb", &notebook("old", ""))], false), Changes::default());
    assert_eq!(
        copy.read("00.ipynb"),
        notebook("old", "42"),
        "outputs stay as long as the course does not change"
    );
    assert_eq!(copy.update(&[("00.ipynb", &notebook("new", ""))], false).replaced, ["00.ipynb"]);
    assert_eq!(copy.read("00.ipynb"), notebook("new", ""));
}

#[test]
fn work_is_never_overwritten() {
    let copy = TestCopy::new();
    copy.update(&[("00.ipynb", &notebook("old", ""))], false);
    fs::write(copy.path("00.ipynb"), notebook("mine", "42")).unwrap();
    assert_eq!(copy.update(&[("00.ipynb", &notebook("old", ""))], false), Changes::default());
    assert_eq!(copy.read("00.ipynb"), notebook("mine", "42"));
    let changes = copy.update(&[("00.ipynb", &notebook("new", ""))], false);
    let [(name, backup)] = &changes.backed_up[..] else { panic!("{changes:?}") };
    assert_eq!((name.as_str(), copy.read(backup)), ("00.ipynb", notebook("mine", "42")));
    assert!(backup.starts_with("00 (yours of 20") && backup.ends_with(").ipynb"), "{backup}");
    assert_eq!(copy.read("00.ipynb"), notebook("new", ""));
    // Again, on the same day.
    fs::write(copy.path("00.ipynb"), notebook("mine again", "")).unwrap();
    let changes = copy.update(&[("00.ipynb", &notebook("newest", ""))], false);
    assert_eq!(copy.read(&changes.backed_up[0].1), notebook("mine again", ""));
    assert_eq!(copy.names().len(), 3, "{:?}", copy.names());
}

#[test]
fn a_deletion_is_respected_until_restored() {
    let copy = TestCopy::new();
    copy.update(&[("00.ipynb", "{}"), ("01.ipynb", "{}")], false);
    fs::remove_file(copy.path("01.ipynb")).unwrap();
    assert_eq!(
        copy.update(&[("00.ipynb", "{}"), ("01.ipynb", &notebook("new", ""))], false).deleted,
        ["01.ipynb"]
    );
    assert_eq!(copy.names(), ["00.ipynb"]);
    assert_eq!(copy.update(&[("01.ipynb", "{}")], true).written, ["01.ipynb"]);
    assert_eq!(copy.names(), ["00.ipynb", "01.ipynb"], "and what left the course stays");
}

/// An update killed between any two steps.
#[test]
fn a_broken_off_update_is_finished_by_the_next() {
    let copy = TestCopy::new();
    copy.update(&[("00.ipynb", &notebook("old", ""))], false);
    fs::write(copy.path("00.ipynb"), notebook("mine", "")).unwrap();
    // After the backup, before the new file is in copy.
    let kept = backup::create(&copy.path("00.ipynb")).unwrap();
    let changes = copy.update(&[("00.ipynb", &notebook("new", ""))], false);
    assert_eq!(changes.backed_up, [("00.ipynb".to_owned(), kept.clone())]);
    assert_eq!(copy.names().len(), 2, "{:?}", copy.names());
    // After the new file is in copy, before the baseline is saved.
    fs::write(copy.path("00.ipynb"), notebook("newest", "")).unwrap();
    assert_eq!(copy.update(&[("00.ipynb", &notebook("newest", ""))], false), Changes::default());
    assert_eq!(
        copy.update(&[("00.ipynb", &notebook("newest 2", ""))], false).replaced,
        ["00.ipynb"]
    );
    // Even if the baseline is lost, no work is lost.
    fs::write(copy.path("00.ipynb"), notebook("mine 2", "")).unwrap();
    fs::remove_file(copy.folder().baseline()).unwrap();
    let changes = copy.update(&[("00.ipynb", &notebook("newest 2", ""))], false);
    assert_eq!(copy.read(&changes.backed_up[0].1), notebook("mine 2", ""));
    assert_eq!(copy.read(&kept), notebook("mine", ""));
}
