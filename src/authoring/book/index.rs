//! The first page: an overview of the course, from its manifest.

use super::page;
use crate::course::Entry;
use std::fmt::Write;

/// The page in MyST Markdown, with the table of contents for the sidebar.
pub fn page(title: &str, notebooks: &[Entry]) -> String {
    let mut text = format!("# {title}\n\n");
    let minutes: u32 = notebooks.iter().filter_map(|entry| entry.minutes).sum();
    if minutes > 0 {
        let _ = writeln!(
            text,
            "{} lessons, {} in total, exercises included.\n",
            notebooks.len(),
            hours(minutes)
        );
    }
    text.push_str(
        "Every lesson is a Jupyter notebook. Read it here, with the results of its cells, or \
        download it and work through it: you learn \
         from an exercise by solving it. The folded solutions are here, too.\n\n",
    );
    for entry in notebooks {
        let _ = writeln!(text, "## [{}]({})\n", entry.title, entry.file);
        let _ = writeln!(text, "{}\n", page::facts(entry));
        if !entry.goals.is_empty() {
            text.push_str("After this lesson you can\n\n");
            for goal in &entry.goals {
                let _ = writeln!(text, "- {goal}");
            }
            text.push('\n');
        }
    }
    text.push_str("```{toctree}\n:hidden:\n\n");
    for entry in notebooks {
        let _ = writeln!(text, "{}", entry.file.trim_end_matches(".ipynb"));
    }
    text.push_str("```\n");
    text
}

fn hours(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} minutes"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::Course;

    #[test]
    fn every_lesson_has_its_link_its_goals_and_its_place_in_the_sidebar() {
        let course = Course::parse(
            "[[notebook]]\nfile='a.ipynb'\ntitle='First'\nminutes=45\ngoals=['run a \
            cell']\nexercises=3\n\
             [[notebook]]\nfile='b.ipynb'\ntitle='Second'\nminutes=30\n",
        );
        let text = page("The course", &course.unwrap().notebooks);
        assert!(text.starts_with("# The course\n\n2 lessons, 1 h 15 min in total"), "{text}");
        assert!(
            text.contains("## [First](a.ipynb)\n") && text.contains("\n- run a cell\n"),
            "{text}"
        );
        assert!(text.ends_with("```{toctree}\n:hidden:\n\na\nb\n```\n"), "{text}");
        assert_eq!(
            (hours(45), hours(60), hours(61)),
            ("45 minutes".into(), "1 h".into(), "1 h 1 min".into())
        );
    }
}
