//! Chooses the notebooks to open: the learner's copy of the course, or a folder as it is.

use super::copy;
use crate::base::trust;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// The notebook that new learners see first.
pub const FIRST_NOTEBOOK: &str = "00_welcome.ipynb";
/// Default name of the copy in the home folder.
const HOME_COPY: &str = "parcourse";
/// The name if the course itself was cloned to the default folder.
const HOME_COPY_BESIDE: &str = "parcourse-work";

/// What to open.
#[derive(Debug, PartialEq)]
pub enum Choice {
    /// This folder, without copying.
    AsItIs(PathBuf),
    /// A copy of the course `course` (a folder of notebooks) in `copy`.
    Copy { course: PathBuf, copy: PathBuf },
}

/// The options that determine which notebooks to open.
#[derive(Default)]
pub struct CourseOptions<'a> {
    /// `--dir`
    pub dir: Option<&'a Path>,
    /// `--course`
    pub course: Option<&'a Path>,
    /// `--source`
    pub source: bool,
}

impl CourseOptions<'_> {
    /// Chooses what to open, given the current folder `here` and the home folder `home`.
    pub fn choose(&self, here: &Path, home: Option<&Path>) -> Result<Choice> {
        if self.source {
            return Ok(Choice::AsItIs(match self.dir {
                Some(folder) if folder.is_dir() => canonical(folder)?,
                Some(folder) => bail!("--dir {}: no such folder", folder.display()),
                None => self.find_course(here)?,
            }));
        }
        let Some(named) = self.dir else {
            let mut copies = here.ancestors().filter(|folder| copy::is_copy(folder));
            let copy = match copies.find(|folder| trust::accepts_found(folder, "--dir")) {
                Some(around_us) => around_us.to_path_buf(),
                None => {
                    let home = home.context(
                        "found no home folder: pass a folder for your notebooks with --dir DIR",
                    )?;
                    default_copy(home, self.find_course(here).ok().as_deref())
                }
            };
            return self.follow(here, copy);
        };
        // The user may also name the folder `notebooks` within a copy.
        let around = std::path::absolute(named)
            .with_context(|| format!("failed to find {}", named.display()))?;
        if let Some(folder) = around.parent()
            && around.ends_with("notebooks")
            && copy::is_copy(folder)
        {
            return self.follow(here, folder.to_path_buf());
        }
        if !copy::is_copy(named) && is_complete(named) {
            let notebooks = canonical(&named.join("notebooks"))?;
            if self.find_course(here).is_ok_and(|course| course == notebooks) {
                bail!(
                    "--dir {}: this is the course itself, with its solutions: choose another \
                    folder for your notebooks, or open the course's own with --source",
                    named.display()
                );
            }
            return Ok(Choice::AsItIs(notebooks));
        }
        self.follow(here, named.to_path_buf())
    }

    /// Returns the copy with the course that it follows. The copy remembers a course that was named
    /// once.
    fn follow(&self, here: &Path, copy: PathBuf) -> Result<Choice> {
        let remembered = copy::remembered_course(&copy)
            .filter(|course| self.course.is_none() && has_notebooks(course));
        Ok(Choice::Copy { course: remembered.map_or_else(|| self.find_course(here), Ok)?, copy })
    }

    /// Returns the named folder, else the nearest `notebooks/` in or above the current folder, else
    /// the course this binary was built with. Skips learners' copies and folders that another user
    /// could have put there.
    fn find_course(&self, here: &Path) -> Result<PathBuf> {
        if let Some(named) = self.course {
            let inside = named.join("notebooks");
            let folder = if inside.is_dir() { inside } else { named.to_path_buf() };
            return if has_notebooks(&folder) {
                canonical(&folder)
            } else {
                bail!("--course {}: no notebooks found in it", named.display())
            };
        }
        let found = here
            .ancestors()
            .chain([Path::new(env!("CARGO_MANIFEST_DIR"))])
            .filter(|folder| !copy::is_copy(folder))
            .map(|folder| folder.join("notebooks"))
            .find(|folder| {
                folder.join(FIRST_NOTEBOOK).is_file() && trust::accepts_found(folder, "--course")
            });
        canonical(&found.with_context(|| {
            format!(
                "found no notebooks/{FIRST_NOTEBOOK} in {} or above it: pass the course's \
                folder with --course DIR",
                here.display()
            )
        })?)
    }
}

fn default_copy(home: &Path, course: Option<&Path>) -> PathBuf {
    let copy = home.join(HOME_COPY);
    let is_the_course = course
        .and_then(Path::parent)
        .is_some_and(|root| copy.canonicalize().is_ok_and(|copy| copy == root));
    if is_the_course { home.join(HOME_COPY_BESIDE) } else { copy }
}

/// Whether a folder has everything the notebooks need, as an edition does, so that nothing needs to
/// be copied into it.
fn is_complete(folder: &Path) -> bool {
    let helpers = folder.join("helpers");
    has_notebooks(&folder.join("notebooks"))
        && !helpers.is_symlink()
        && crate::base::paths::is_helper_crate(&helpers)
}

fn has_notebooks(folder: &Path) -> bool {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    names.into_iter().any(|entry| entry.path().extension().is_some_and(|end| end == "ipynb"))
}

fn canonical(folder: &Path) -> Result<PathBuf> {
    folder.canonicalize().with_context(|| format!("failed to read {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A home folder, by its canonical path, with a clone of the course in `clone`.
    fn home() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        complete(&home.join("clone"));
        (folder, home)
    }

    fn complete(folder: &Path) {
        fs::create_dir_all(folder.join("notebooks")).unwrap();
        fs::create_dir_all(folder.join("helpers")).unwrap();
        fs::write(folder.join("notebooks").join(FIRST_NOTEBOOK), "{}").unwrap();
        fs::write(folder.join("helpers/Cargo.toml"), "[package]\nname = \"parcourse\"\n").unwrap();
    }

    fn copy_of(course: &Path, copy: &Path) -> Choice {
        Choice::Copy { course: course.join("notebooks"), copy: copy.to_path_buf() }
    }

    #[test]
    fn what_another_user_could_have_put_there_is_passed_over() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, home) = home();
        let open = home.join("open");
        complete(&open);
        fs::create_dir(open.join(".parcourse")).unwrap();
        let choose =
            || CourseOptions::default().choose(&open.join("notebooks"), Some(&home)).unwrap();
        assert_eq!(
            choose(),
            copy_of(Path::new(env!("CARGO_MANIFEST_DIR")), &open),
            "a copy of ours"
        );
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(
            choose(),
            copy_of(Path::new(env!("CARGO_MANIFEST_DIR")), &home.join("parcourse"))
        );
        fs::remove_dir(open.join(".parcourse")).unwrap();
        assert_eq!(
            choose(),
            copy_of(Path::new(env!("CARGO_MANIFEST_DIR")), &home.join("parcourse")),
            "nor a course"
        );
        let named = CourseOptions { course: Some(&open), ..CourseOptions::default() }
            .choose(&home, Some(&home))
            .unwrap();
        assert_eq!(named, copy_of(&open, &home.join("parcourse")));
    }

    #[test]
    fn a_copy_in_the_home_folder_unless_something_else_is_named() {
        let (_folder, home) = home();
        let clone = home.join("clone");
        let choose = |dir: Option<&Path>, here: &Path| {
            CourseOptions { dir, ..CourseOptions::default() }.choose(here, Some(&home)).unwrap()
        };
        assert_eq!(
            choose(None, &clone.join("notebooks")),
            copy_of(&clone, &home.join("parcourse"))
        );
        assert_eq!(choose(Some(&home.join("mine")), &clone), copy_of(&clone, &home.join("mine")));
        // Inside a copy, that copy is chosen and never the course.
        let copy = clone.join("mine");
        fs::create_dir_all(copy.join(".parcourse")).unwrap();
        fs::create_dir_all(copy.join("notebooks")).unwrap();
        fs::write(copy.join("notebooks").join(FIRST_NOTEBOOK), "{}").unwrap();
        assert_eq!(choose(None, &copy.join("notebooks")), copy_of(&clone, &copy));
        assert_eq!(choose(Some(&copy.join("notebooks")), &clone), copy_of(&clone, &copy));
        // A course that was named once is used as long as it exists.
        let other = home.join("other");
        complete(&other);
        copy::Folder::open(&copy).unwrap().remember_course(&other.join("notebooks")).unwrap();
        assert_eq!(choose(Some(&copy), &clone), copy_of(&other, &copy));
        fs::remove_dir_all(&other).unwrap();
        assert_eq!(choose(Some(&copy), &clone), copy_of(&clone, &copy));
    }

    #[test]
    fn a_clone_in_the_default_place_is_not_taken_for_a_copy() {
        let (_folder, home) = home();
        let clone = home.join("parcourse");
        complete(&clone);
        let choice = CourseOptions::default().choose(&clone, Some(&home)).unwrap();
        assert_eq!(choice, copy_of(&clone, &home.join("parcourse-work")));
        let error = CourseOptions { dir: Some(&clone), ..CourseOptions::default() }
            .choose(&clone, Some(&home))
            .unwrap_err()
            .to_string();
        assert!(error.contains("--source"), "{error}");
    }

    #[test]
    fn an_edition_is_opened_as_it_is_and_so_is_the_source() {
        let (_folder, home) = home();
        let edition = home.join("edition");
        complete(&edition);
        let choice = CourseOptions { dir: Some(&edition), ..CourseOptions::default() }
            .choose(&home.join("clone"), Some(&home))
            .unwrap();
        assert_eq!(choice, Choice::AsItIs(edition.join("notebooks")));
        let source = CourseOptions { source: true, ..CourseOptions::default() };
        assert_eq!(
            source.choose(&home.join("clone/helpers"), None).unwrap(),
            Choice::AsItIs(home.join("clone/notebooks"))
        );
        assert_eq!(
            CourseOptions { dir: Some(&home), ..source }.choose(&home, None).unwrap(),
            Choice::AsItIs(home)
        );
    }

    #[test]
    fn what_is_not_there_is_named() {
        let nowhere = Path::new("/no/such folder");
        let choose = |options: CourseOptions, home| {
            options.choose(Path::new("/"), home).unwrap_err().to_string()
        };
        let error = |options| choose(options, Some(nowhere));
        assert!(
            error(CourseOptions { dir: Some(nowhere), source: true, ..CourseOptions::default() })
                .contains("--dir /no/such folder")
        );
        assert!(
            error(CourseOptions { course: Some(nowhere), ..CourseOptions::default() })
                .contains("--course /no/such folder")
        );
        assert!(choose(CourseOptions::default(), None).contains("--dir DIR"));
    }
}
