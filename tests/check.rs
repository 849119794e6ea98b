//! `parcourse check` on a course with exactly one problem.

use crate::support::course::{CourseCopy, Ended, FIRST, SECOND, cell, remove, source, swap, tag};
use serde_json::json;

#[test]
fn a_course_in_order_passes() {
    let course = CourseCopy::new();
    course.parcourse(&["check"]).assert(0, &["notebooks: 2 notebooks, no problems"]);
    course.parcourse(&["check", "--quiet", "notebooks"]).assert(0, &[]);
}

/// Output of `check` after one notebook was changed.
fn spoilt(edit: impl FnOnce(&mut serde_json::Value)) -> Ended {
    let course = CourseCopy::new();
    course.edit(FIRST, edit);
    course.parcourse(&["check"])
}

/// One test per rule: how the first notebook is broken, and the expected output.
macro_rules! rules {
    ($($name:ident: $edit:expr => $($expected:literal),+;)+) => {
        $(#[test]
        fn $name() {
            spoilt($edit).assert(1, &[$($expected),+]);
        })+
    };
}

rules! {
    // Contents.
    no_title: |n| swap(n, "title-text", "# First \
        steps", "First \
            steps") => "00_first.ipynb: title-text: is the first cell, but does not begin with a \
                title";
    other_title: |n| swap(n, "title-text", "First", "Last") => "has the title \"Last steps\", but \
        course.toml says \"First steps\": make them equal";
    no_minutes: |n| swap(n, "title-text", "**30 \
        minutes**", "30 \
            minutes") => "title-text: does not say how long the notebook takes: write `**45 \
                minutes**`";
    other_minutes: |n| swap(n, "title-text", "**30", "**35") => "says 35 minutes, but course.toml \
        says 30", "10 to read and run and 20 for exercises add up to 30";
    other_minutes_of_exercises: |n| swap(n, "exercise-2-text", "(15 \
        min", "(10 min") => "says 20 minutes for exercises, but their headings add up to 15";
    other_number_of_exercises: |n| swap(n, "title-text", "two \
        exercises", "three exercises") => "says three exercises, but 2 headings state minutes";
    no_goals: |n| tag(n, "title-text", &[]) => "00_first.ipynb: has no Markdown cell tagged \
        `goals`";
    two_cells_of_goals: |n| tag(n, "numbers-text", &["goals"]) => "has several cells tagged \
        `goals` (title-text, numbers-text)";
    other_goals: |n| swap(n, "title-text", "add up \
        numbers", "add up \
            sheep") => "does not list the goal \"add up \
                numbers\"", "lists the goal \"add up sheep\"";
    goals_in_another_order: |n| swap(n, "title-text", "- double a number;\n- add up \
        numbers.", "- add up numbers;\n- double a number.")
        => "lists the goals in a different order";
    no_key_points: |n| remove(n, "key-points-text") => "00_first.ipynb: has no Markdown cell \
        tagged `key-points`";
    key_points_without_points: |n| source(n, "key-points-text", "## Key \
        points") => "key-points-text: lists no key points";
    nothing_to_go_on_with: |n| swap(n, "going-further-text", "## Going \
        further", "## More") => "has no heading `## Going further`";

    // Exercises.
    too_few_exercises: |n| ["text", "work", "check"].iter().for_each(|part| remove(n, &format!("exercise-2-{part}")))
        => "the number of exercises (cells `exercise-N-…`) is 1: it must be 2 to \
            4", "the number of exercises is 1, but course.toml says 2";
    gap_in_numbers: |n| ["text", "work", "check"].iter().for_each(|part| cell(n, &format!("exercise-2-{part}"))["id"] = json!(format!("exercise-3-{part}"))) => "has the exercises 1, 3: number them consecutively from 1";
    no_check: |n| remove(n, "exercise-1-check") => "exercise 1 has no cell `exercise-1-check`";
    out_of_order: |n| n["cells"].as_array_mut().unwrap().swap(11, 12) => "exercise 2 is out of \
        order: arrange its cells as text, given, work, check";
    stranger_among_them: |n| n["cells"].as_array_mut().unwrap()[3..6].rotate_left(1) => "numbers: \
        is between the cells of exercise 1: move it";
    no_heading: |n| swap(n, "exercise-1-text", "## Exercise 1: \
        double", "## Double") => "exercise-1-text: does not begin with a heading";
    no_minutes_in_heading: |n| swap(n, "exercise-1-text", " (5 \
        minutes)", "") => "its heading does not say how long the exercise takes";
    no_hint: |n| swap(n, "exercise-1-text", "Hint", "Story") => "exercise-1-text: has no hint";
    hint_that_is_no_markdown: |n| swap(n, "exercise-1-text", "</summary>\n\n", "</summary>\n") => "has a hint without empty lines";
    hint_that_is_not_closed: |n| swap(n, "exercise-1-text", "</details>", "") => "opens <details> \
        1 times but closes it 0 times";
    no_tag: |n| tag(n, "exercise-1-check", &[]) => "exercise-1-check: is not tagged `check`: add \
        the tag";
    tag_elsewhere: |n| tag(n, "triple", &["check"]) => "triple: is tagged `check`, but its id is \
        not `exercise-N-check`";
    old_form: |n| tag(n, "triple", &["solution"]) => "triple: is tagged `solution`: move the \
        solution into the exercise's work cell";
    no_nbgrader: |n| cell(n, "exercise-1-work")["metadata"]["nbgrader"]["locked"] = json!(true) => "exercise-1-work: needs the nbgrader metadata", "--fix";
    grade_id_twice: |n| cell(n, "triple")["metadata"]["nbgrader"] = json!({"grade_id": "exercise-1-work"})
        => "triple: has the same grade_id `exercise-1-work` as `exercise-1-work`";
    nothing_checked: |n| source(n, "exercise-1-check", "double(21)") => "exercise-1-check: checks \
        nothing";
    needs_no_solution: |n| tag(n, "numbers", &["needs-solution"]) => "numbers: is tagged \
        `needs-solution`, but is not a code cell after an exercise's check";
    no_solution: |n| source(n, "exercise-1-work", "fn double(number: i32) -> i32 { 2 * number \
        }") => "exercise-1-work: is tagged `exercise`, but has no solution";
    solution_not_closed: |n| swap(n, "exercise-1-work", "    // END \
        SOLUTION\n", "") => "exercise-1-work: line 2: `// BEGIN SOLUTION` without `// END \
            SOLUTION`";
    solution_elsewhere: |n| source(n, "triple", "// BEGIN SOLUTION\n9\n// END \
        SOLUTION") => "triple: has a solution marker, but is not tagged `exercise`";
    solution_in_text: |n| source(n, "going-further-text", "## Going further\n\n// BEGIN \
        SOLUTION") => "going-further-text: has a solution marker, which is allowed only in code";

    // Cells.
    no_id: |n| { cell(n, "triple").as_object_mut().unwrap().remove("id"); } => "cell 16 of 16: \
        has no id";
    bad_id: |n| cell(n, "triple")["id"] = json!("three \
        times") => "three times: has an id that Jupyter rejects";
    id_twice: |n| cell(n, "triple")["id"] = json!("numbers") => "numbers: has the same id as \
        another cell";
    misspelt_tags: |n| tag(n, "triple", &["hide_input", "raises-exeption"]) => "did you mean \
        `hide-input`?", "did you mean `raises-exception`?";
    nothing_to_compare_with: |n| cell(n, "numbers")["outputs"] = json!([]) => "numbers: is tagged \
        `check-output`, but has no stored output";

    // Form.
    outputs: |n| cell(n, "triple")["outputs"] = json!([{"output_type": "stream", "name": "stdout", "text": ["9"]}]) => "triple: has outputs, which are not committed";
    counts: |n| cell(n, "triple")["execution_count"] = json!(3) => "triple: has an execution \
        count or execution times";
    other_kernel: |n| n["metadata"]["kernelspec"]["name"] = json!("evcxr") => "its metadata names \
        another kernel";
    old_format: |n| n["nbformat_minor"] = json!(4) => "is in an old notebook format without cell \
        ids";

    // Links.
    no_picture: |n| swap(n, "numbers-text", "sheep.svg", "goat.svg") => "numbers-text: links to \
        `goat.svg`, which does not exist";
    no_notebook: |n| swap(n, "numbers-text", "01_more", "02_more") => "links to `02_more.ipynb`, \
        which does not exist";
    no_heading_there: |n| swap(n, "numbers-text", "#Key-points", "#Questions") => "links to \
        `01_more.ipynb#Questions`, but that notebook has no such heading";
    no_heading_here: |n| swap(n, "numbers-text", "#Exercise-1:-", "#Exercise-7:-") => "links to \
        `#Exercise-7:-double-(5-minutes)`, but the notebook has no such heading";
    picture_outside: |n| swap(n, "numbers-text", "sheep.svg", "../sheep.svg") => "which is \
        outside the course's folder";
    picture_in_html: |n| source(n, "going-further-text", "## Going further\n\n<img alt='x' \
        src=\"goat.png\">") => "links to `goat.png`, which does not exist";
    not_attached: |n| swap(n, "numbers-text", "sheep.svg", "attachment:sheep.svg") => "shows \
        `attachment:sheep.svg`, which is not attached";
}

#[test]
fn what_is_allowed_is_not_told() {
    let text = spoilt(|n| {
        source(
            n,
            "going-further-text",
            "## Going further\n\n<https://rust-lang.org> [std](https://doc.rust-lang.org/std/) \
            `a[i](x)` [me](#Going-further) [slug](#key-points) \
             [the crate](../helpers/src/lib.rs)\n\n```rust\nlet link = \"[a](b)\";\n```",
        );
        // Notes, and cells that need the solution, may be among the cells of an exercise.
        tag(n, "exercise-1-given", &["hide-input"]);
    });
    text.assert(0, &["no problems"]);
}

#[test]
fn every_problem_is_told_at_once() {
    let course = CourseCopy::new();
    course.edit(FIRST, |n| remove(n, "key-points-text"));
    course.edit(SECOND, |n| tag(n, "setup", &["hid-input"]));
    course.parcourse(&["check"]).assert(
        1,
        &[
            "00_first.ipynb: has no Markdown cell",
            "01_more.ipynb: setup: unknown tag",
            "2 notebooks, 2 problems",
        ],
    );
}

#[test]
fn manifest_and_folder_agree() {
    let course = CourseCopy::new();
    std::fs::copy(course.notebooks().join(SECOND), course.notebooks().join("02_extra.ipynb"))
        .unwrap();
    course.write("drafts/03_draft.ipynb", "{}");
    course.write(".ipynb_checkpoints/00_first-checkpoint.ipynb", "{}");
    course.replace("course.toml", "file = \"00_first.ipynb\"", "file = \"00_frist.ipynb\"");
    course.replace("course.toml", "minutes = 20\n", "");
    course.parcourse(&["check"]).assert(
        1,
        &[
            "00_first.ipynb: is not listed in course.toml",
            "02_extra.ipynb: is not listed",
            "course.toml: lists 00_frist.ipynb, which does not exist",
            "course.toml: has no minutes for 01_more.ipynb",
            "03_draft.ipynb: is in a subfolder",
        ],
    );
    let course = CourseCopy::new();
    std::fs::rename(course.notebooks().join(SECOND), course.notebooks().join("more.ipynb"))
        .unwrap();
    course.replace("course.toml", SECOND, "more.ipynb");
    course.parcourse(&["check"]).assert(1, &["lists more.ipynb, whose name has no number"]);
    let course = CourseCopy::new();
    std::fs::rename(course.notebooks().join(FIRST), course.notebooks().join("07_first.ipynb"))
        .unwrap();
    course.replace("course.toml", FIRST, "07_first.ipynb");
    course.parcourse(&["check"]).assert(1, &["lists 01_more.ipynb after 07_first.ipynb"]);
}

#[test]
fn the_form_is_mended_when_asked() {
    let course = CourseCopy::new();
    let original = std::fs::read_to_string(course.notebooks().join(FIRST)).unwrap();
    let mut notebook: serde_json::Value = serde_json::from_str(&original).unwrap();
    cell(&mut notebook, "triple")["outputs"] =
        json!([{"output_type": "stream", "name": "stdout", "text": ["9"]}]);
    cell(&mut notebook, "exercise-1-work")["metadata"].as_object_mut().unwrap().remove("nbgrader");
    course.write(FIRST, &notebook.to_string());
    course.parcourse(&["check"]).assert(1, &["--fix"]);
    course.parcourse(&["check", "--fix"]).assert(0, &["00_first.ipynb: rewritten", "no problems"]);
    assert_eq!(std::fs::read_to_string(course.notebooks().join(FIRST)).unwrap(), original);
    // A difference in whitespace only, with no other problem.
    course.write(FIRST, &original.replace("\n ", "\n  "));
    course
        .parcourse(&["check"])
        .assert(1, &["00_first.ipynb: is not formatted as Jupyter does", "1 problem"]);
}

#[test]
fn what_cannot_be_checked_is_another_matter() {
    let course = CourseCopy::new();
    course.write(SECOND, "{\"nbformat\": 3}");
    course.parcourse(&["check"]).assert(2, &["01_more.ipynb: is in the old notebook format 3"]);
    course.parcourse(&["check", "nowhere"]).assert(2, &["nowhere: no such folder"]);
    course
        .parcourse(&["check", "notebooks/sheep.svg"])
        .assert(2, &["is a file, not the folder of a course"]);
    course.replace("course.toml", "minutes = 30", "minuten = 30");
    course.parcourse(&["check"]).assert(2, &["course.toml is not a valid manifest", "minuten"]);
    std::fs::remove_file(course.notebooks().join("course.toml")).unwrap();
    course
        .parcourse(&["check", "notebooks"])
        .assert(2, &["notebooks is not a course: it has no course.toml"]);
}

#[test]
fn exercises_are_executed_as_given_and_solved() {
    let course = CourseCopy::new();
    course.parcourse(&["check", "--execute"]).assert(
        0,
        &[
            "00_first.ipynb (learner's edition)",
            "no problems; executed, unsolved exercises that fail as they should: 4",
        ],
    );
    assert!(course.left().is_empty(), "{:?}", course.left());
}

#[test]
fn exercises_that_are_none_are_told() {
    let course = CourseCopy::new();
    // One check passes unsolved, one fails to compile, and one cell needs the solution but lacks
    // the tag.
    course.edit(FIRST, |n| {
        source(n, "exercise-1-check", "check_eq!(double_given(2), 4);");
        source(n, "exercise-2-check", "check_eq!(totals(&numbers), 6);");
        source(n, "triple", "double(numbers[2])");
    });
    let ended = course.parcourse(&["check", "--execute=learner", "--only", FIRST]);
    ended.assert(
        1,
        &[
            "00_first.ipynb (learner's edition), cell exercise-1-check: passes although the \
            exercise is not solved",
            "check_eq!(totals(&numbers), 6)",
            "The check does not compile: declare everything it uses in the stub",
            "code cell 9 of 9: panic",
            "To reproduce: parcourse edition learner --out DIR notebooks && parcourse run \
            --kernel parcourse DIR/notebooks/00_first.ipynb",
            "problems found",
        ],
    );
    assert!(!ended.text.contains(SECOND), "{}", ended.text);
    assert!(course.left().is_empty(), "{:?}", course.left());
    course
        .parcourse(&["check", "--execute", "--only", "07.ipynb"])
        .assert(2, &["--only 07.ipynb: no such notebook"]);
}
