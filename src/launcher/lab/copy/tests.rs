//! Merging, on folders.

use super::*;
use serde_json::json;

struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { root: tempfile::Builder::new().prefix("läb copy ").tempdir().unwrap() }
    }

    fn folder(&self) -> Folder {
        Folder::open(&self.root.path().join("my course")).unwrap()
    }

    /// Gives these files, by name and content.
    fn give(&self, files: &[(&str, &str)], restore: bool) -> Changes {
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
        files(&self.folder().notebooks())
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
fn what_is_given_once_is_given_once() {
    let place = Place::new();
    let files = [("00.ipynb", "{}"), ("course.toml", "title = 'x'"), ("data/numbers.csv", "1,2")];
    assert_eq!(place.give(&files, false).given, ["00.ipynb", "course.toml", "data/numbers.csv"]);
    assert_eq!(place.give(&files, false), Changes::default());
    assert_eq!(place.names(), ["00.ipynb", "course.toml", "data/numbers.csv"]);
}

#[test]
fn what_the_learner_only_ran_follows_the_course() {
    let place = Place::new();
    place.give(&[("00.ipynb", &notebook("old", ""))], false);
    fs::write(place.path("00.ipynb"), notebook("old", "42")).unwrap();
    assert_eq!(place.give(&[("00.ipynb", &notebook("old", ""))], false), Changes::default());
    assert_eq!(
        place.read("00.ipynb"),
        notebook("old", "42"),
        "outputs stay as long as the course does not change"
    );
    assert_eq!(place.give(&[("00.ipynb", &notebook("new", ""))], false).replaced, ["00.ipynb"]);
    assert_eq!(place.read("00.ipynb"), notebook("new", ""));
}

#[test]
fn work_is_never_overwritten() {
    let place = Place::new();
    place.give(&[("00.ipynb", &notebook("old", ""))], false);
    fs::write(place.path("00.ipynb"), notebook("mine", "42")).unwrap();
    assert_eq!(place.give(&[("00.ipynb", &notebook("old", ""))], false), Changes::default());
    assert_eq!(place.read("00.ipynb"), notebook("mine", "42"));
    let changes = place.give(&[("00.ipynb", &notebook("new", ""))], false);
    let [(name, aside)] = &changes.kept_aside[..] else { panic!("{changes:?}") };
    assert_eq!((name.as_str(), place.read(aside)), ("00.ipynb", notebook("mine", "42")));
    assert!(aside.starts_with("00 (yours of 20") && aside.ends_with(").ipynb"), "{aside}");
    assert_eq!(place.read("00.ipynb"), notebook("new", ""));
    // Once more, on the same day.
    fs::write(place.path("00.ipynb"), notebook("mine again", "")).unwrap();
    let changes = place.give(&[("00.ipynb", &notebook("newest", ""))], false);
    assert_eq!(place.read(&changes.kept_aside[0].1), notebook("mine again", ""));
    assert_eq!(place.names().len(), 3, "{:?}", place.names());
}

#[test]
fn a_deletion_is_respected_until_restored() {
    let place = Place::new();
    place.give(&[("00.ipynb", "{}"), ("01.ipynb", "{}")], false);
    fs::remove_file(place.path("01.ipynb")).unwrap();
    assert_eq!(
        place.give(&[("00.ipynb", "{}"), ("01.ipynb", &notebook("new", ""))], false).deleted,
        ["01.ipynb"]
    );
    assert_eq!(place.names(), ["00.ipynb"]);
    assert_eq!(place.give(&[("01.ipynb", "{}")], true).given, ["01.ipynb"]);
    assert_eq!(place.names(), ["00.ipynb", "01.ipynb"], "and what left the course stays");
}

/// Killed at each place where something has been done and the rest has not.
#[test]
fn a_broken_off_update_is_finished_by_the_next() {
    let place = Place::new();
    place.give(&[("00.ipynb", &notebook("old", ""))], false);
    fs::write(place.path("00.ipynb"), notebook("mine", "")).unwrap();
    // Behind the second name, before the new file is in place.
    let kept = aside::keep(&place.path("00.ipynb")).unwrap();
    let changes = place.give(&[("00.ipynb", &notebook("new", ""))], false);
    assert_eq!(changes.kept_aside, [("00.ipynb".to_owned(), kept.clone())]);
    assert_eq!(place.names().len(), 2, "{:?}", place.names());
    // Behind the new file, before it is written down.
    fs::write(place.path("00.ipynb"), notebook("newest", "")).unwrap();
    assert_eq!(place.give(&[("00.ipynb", &notebook("newest", ""))], false), Changes::default());
    assert_eq!(
        place.give(&[("00.ipynb", &notebook("newest 2", ""))], false).replaced,
        ["00.ipynb"]
    );
    // What was given is forgotten altogether: nothing is lost, either.
    fs::write(place.path("00.ipynb"), notebook("mine 2", "")).unwrap();
    fs::remove_file(place.folder().given()).unwrap();
    let changes = place.give(&[("00.ipynb", &notebook("newest 2", ""))], false);
    assert_eq!(place.read(&changes.kept_aside[0].1), notebook("mine 2", ""));
    assert_eq!(place.read(&kept), notebook("mine", ""));
}
