//! `parcourse book`: the site of a small course, from its cells to what a reader's browser would
//! load.

use crate::python::gate::{self, Suite, Test};
use crate::python::{PARCOURSE, output, root};
use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const TESTS: &[Test<SetUp>] = &[
    ("pages_show_cells_and_fold_solutions", pages),
    ("the_first_page_comes_from_the_manifest", first_page),
    ("words_are_found", words_are_found),
    ("nothing_is_loaded_from_elsewhere", nothing_from_elsewhere),
    ("learners_download_notebooks_without_solutions", downloads),
    ("executed_notebooks_make_a_book_offline", offline),
    ("a_failing_cell_means_no_book", a_failing_cell),
    ("other_peoples_folders_and_missing_courses_are_refused", refusals),
];

const COURSE: &str = "tests/fixtures/book";

type SetUp = Result<Book, String>;

/// A book of the small course, made once.
struct Book {
    folder: TempDir,
}

impl Book {
    fn make() -> SetUp {
        let folder = folder()?;
        output(book(&folder.path().join("book")).arg(COURSE))?;
        Ok(Self { folder })
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("book")
    }

    fn read(&self, file: &str) -> Result<String, String> {
        read(&self.root().join(file))
    }
}

fn pages(book: &SetUp) -> Result<(), String> {
    let page = ready(book)?.read("first.html")?;
    expect(
        &page,
        &[
            "The zebrafish lesson",
            "42",
            "a cell of a table",
            "on purpose",
            "Hint",
            "<math",
            "href=\"second.html\"",
        ],
    )?;
    ensure(!page.contains("aardvark"), || "a note for the instructor is in the book".to_owned())?;
    let solution = page.find("wombat").ok_or("the solution is not in the book")?;
    let folded = page[..solution].rfind("<details").ok_or("the solution is not folded")?;
    ensure(
        page[folded..solution].contains("Solution")
            && !page[folded..solution].contains("</details>"),
        || format!("the solution is not folded: {}", &page[folded..solution]),
    )?;
    ensure(page[..folded].contains("YOUR CODE HERE"), || {
        "the stub does not stand before the solution".to_owned()
    })?;
    ensure(!page.contains("BEGIN SOLUTION"), || "the marks of the solution are shown".to_owned())?;
    expect(&ready(book)?.read("second.html")?, &["_images/", ".svg"])
}

fn first_page(book: &SetUp) -> Result<(), String> {
    let page = ready(book)?.read("index.html")?;
    expect(
        &page,
        &[
            "A small course",
            "1 h 15 min",
            "The first lesson",
            "count to forty-two",
            "30 minutes · 1 exercise",
            "downloads/first.ipynb",
        ],
    )?;
    expect(&page, &["toctree-l1", "href=\"second.html\""])
}

/// The search index is a script, which works for pages on disk, too.
fn words_are_found(book: &SetUp) -> Result<(), String> {
    expect(
        &ready(book)?.read("searchindex.js")?,
        &["Search.setIndex(", "zebrafish", "first.ipynb"],
    )?;
    expect(&ready(book)?.read("search.html")?, &["searchindex.js"])
}

fn nothing_from_elsewhere(book: &SetUp) -> Result<(), String> {
    let loads = Regex::new(
        r#"(?i)<(?:script|img|iframe|source|object|embed)[^>]*\s(?:src|data)\s*=\s*["']?(?:https?:)?//|<link[^>]*\shref\s*=\s*["']?(?:https?:)?//|url\(\s*["']?(?:https?:)?//|@import\s+["'](?:https?:)?//"#,
    );
    let loads = loads.expect("a constant");
    let mut seen = 0;
    for file in files(&ready(book)?.root())? {
        if file
            .extension()
            .is_some_and(|end| ["html", "css", "svg"].iter().any(|known| end == *known))
        {
            let text = read(&file)?;
            seen += 1;
            if let Some(found) = loads.find(&text) {
                return Err(format!("{}: {}", file.display(), found.as_str()));
            }
        }
    }
    ensure(seen > 5, || format!("only {seen} files were looked at"))
}

fn downloads(book: &SetUp) -> Result<(), String> {
    let notebook = ready(book)?.read("downloads/first.ipynb")?;
    expect(&notebook, &["YOUR CODE HERE", "zebrafish"])?;
    ensure(!notebook.contains("wombat") && !notebook.contains("aardvark"), || {
        "the solution can be downloaded".to_owned()
    })
}

fn offline(made: &SetUp) -> Result<(), String> {
    ready(made)?;
    let work = folder()?;
    let executed = work.path().join("executed");
    let notebooks = ["first.ipynb", "second.ipynb"].map(|name| root().join(COURSE).join(name));
    output(Command::new(PARCOURSE).arg("run").args(&notebooks).arg("--output").arg(&executed))?;
    let out = work.path().join("book");
    let again = || {
        let mut command = book(&out);
        command
            .arg(COURSE)
            .arg("--offline")
            .arg("--executed")
            .arg(&executed)
            .env("PIP_INDEX_URL", "http://127.0.0.1:9/");
        command
    };
    output(&mut again())?;
    fs::write(out.join("CNAME"), "example.org").map_err(|error| error.to_string())?;
    output(&mut again())?;
    ensure(out.join("first.html").is_file() && out.join("CNAME").is_file(), || {
        "the second book is not complete".to_owned()
    })?;

    let stale = read(&executed.join("second.ipynb"))?.replace("cx=", "cy=");
    fs::write(executed.join("second.ipynb"), stale).map_err(|error| error.to_string())?;
    refused(
        &mut again(),
        2,
        &["second.ipynb", "its cells differ from the course", "parcourse run --output"],
    )?;
    let nothing_installed = folder()?;
    refused(
        again().env("PARCOURSE_CACHE", nothing_installed.path()),
        2,
        &["Sphinx is not set up yet", "run `parcourse book` where there is a network"],
    )
}

fn a_failing_cell(made: &SetUp) -> Result<(), String> {
    ready(made)?;
    let work = folder()?;
    let course = work.path().join("course");
    fs::create_dir(&course).map_err(|error| error.to_string())?;
    for file in ["course.toml", "first.ipynb", "second.ipynb"] {
        let text = read(&root().join(COURSE).join(file))?.replace("twice(21), 42", "twice(21), 43");
        fs::write(course.join(file), text).map_err(|error| error.to_string())?;
    }
    let out = work.path().join("book");
    refused(book(&out).arg(&course), 1, &["first.ipynb, code cell 5 of 5", "no book was made"])?;
    ensure(!out.exists(), || "a book was made of a course that fails".to_owned())
}

fn refusals(_: &SetUp) -> Result<(), String> {
    let work = folder()?;
    fs::write(work.path().join("thesis.tex"), "years").map_err(|error| error.to_string())?;
    refused(
        book(work.path()).arg(COURSE),
        2,
        &["is not empty and does not hold a book of the course"],
    )?;
    refused(book(&work.path().join("new")).arg(work.path()), 2, &["is not a course"])?;
    let unknown = work.path().join("no such folder");
    refused(
        book(&work.path().join("new")).arg(COURSE).arg("--executed").arg(&unknown),
        2,
        &["no such folder"],
    )?;
    ensure(
        read(&work.path().join("thesis.tex"))? == "years" && !work.path().join("new").exists(),
        || "something was written".to_owned(),
    )
}

/// `parcourse book --out OUT`, without further arguments.
fn book(out: &Path) -> Command {
    let mut command = Command::new(PARCOURSE);
    command.current_dir(root()).args(["book", "--out"]).arg(out);
    command
}

fn refused(command: &mut Command, code: i32, expected: &[&str]) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    ensure(output.status.code() == Some(code), || {
        format!("{command:?}: {}\n{text}", output.status)
    })?;
    expect(&text, expected)
}

fn ready(book: &SetUp) -> Result<&Book, String> {
    book.as_ref().map_err(Clone::clone)
}

fn expect(text: &str, parts: &[&str]) -> Result<(), String> {
    parts
        .iter()
        .try_for_each(|part| ensure(text.contains(part), || format!("no {part:?} in:\n{text}")))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())?.flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path())?)
        } else {
            found.push(entry.path())
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn folder() -> Result<TempDir, String> {
    tempfile::Builder::new().prefix("pb-").tempdir_in("/tmp").map_err(|error| error.to_string())
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

pub fn suite() -> Suite {
    Suite::new("book", TESTS, gate::python_and_packages, Book::make)
}
