//! Rewrites a cell's source just before rustc reads it.
//!
//! The engine surrounds the user's code with its own, which is compiled and optimised again with
//! each cell; for a simple cell that is most of the work. Here we replace it by calls to a library
//! that was compiled once (`library.rs`). If the engine's code differs from what we know, we do not
//! touch it. Line numbers stay the same.

use super::LIBRARY;
use crate::base::hash;

/// How the kernel makes the engine show values: a method that the engine tries first. It does not
/// use the library, because rust-analyzer reads it and the library may be missing.
pub const DISPLAY: &str = r#"
pub trait ParcourseDisplay { fn evcxr_display(&self); }
impl<T: ?Sized + ::std::fmt::Debug> ParcourseDisplay for T {
    #[cold]
    fn evcxr_display(&self) {
        let text = ::std::format!("{:?}", self);
        if text != "()" {
            ::std::print!(
                "EVCXR_BEGIN_CONTENT application/vnd.parcourse.message+json\n\
                 {{\"msg\":\"result\"}}\nEVCXR_END_CONTENT\n\
                 EVCXR_BEGIN_CONTENT text/plain\n{text}\nEVCXR_END_CONTENT\n"
            );
        }
    }
}
"#;

/// The first and last lines of the engine's variable store.
const STORE: [&str; 2] = [
    "mod evcxr_internal_runtime {\n",
    "pub fn create_variable_store() -> *mut VariableStore {\n    \
     Box::into_raw(Box::new(VariableStore::new()))\n}\n}\n",
];
/// SHA-256 of the store's code in the engine's release that the library replaces.
const KNOWN: &str = "6aec0f4358cddd3961f5bd78c9f4f5fbd93761cd0efd856fd903ca5f896d7d64";

/// The beginning of the function that contains the user's code.
const FUNCTION: &str = "#[unsafe(no_mangle)]\npub extern \"C\" fn run_user_code_";
/// How it catches panics, without and with variables.
const CATCH: [&str; 2] = [
    "if std::panic::catch_unwind(||{",
    "match std::panic::catch_unwind(\n  std::panic::AssertUnwindSafe(||{",
];
const CALL: &str = "std::panic::catch_unwind(";
/// How it reports a panic.
const PANICKED: &str = "println!(\"EVCXR_PANIC_NOTIFICATION\");";

/// The line before the variables are taken out of the store.
const CHECKED: &str = "if !vars_ok {return evcxr_variable_store;}}\n";

/// The name of the engine's runtime in the store, and the end of the call that uses it.
const RUNTIME: &str = "\"evcxr_tokio_runtime\"";
const WAIT: &str = ".block_on(async {";

/// Replaces the engine's own code in the source by the library. Leaves the source unchanged if the
/// notebook has set another display format (`:fmt`, `:types`), because the engine would treat an
/// error about our method in the library as the user's error.
pub fn with_library(text: &str) -> String {
    let Some(text) = with_display(text) else { return text.to_owned() };
    [with_store, with_catch, with_taken].iter().fold(text, |text, step| step(&text).unwrap_or(text))
}

fn with_store(text: &str) -> Option<String> {
    let begin = text.find(STORE[0])?;
    let end = begin + text[begin..].find(STORE[1])? + STORE[1].len();
    (hash::sha256(&text.as_bytes()[begin..end]) == KNOWN).then(|| {
        replaced(text, begin, end, &format!("extern crate {LIBRARY} as evcxr_internal_runtime;"))
    })
}

fn with_display(text: &str) -> Option<String> {
    let known = DISPLAY.trim();
    let begin = text.find(known)?;
    let library = format!("pub use ::{LIBRARY}::{{ParcourseDisplay, ParcourseDisplayPlain}};");
    Some(replaced(text, begin, begin + known.len(), &library))
}

fn with_catch(text: &str) -> Option<String> {
    let function = text.rfind(FUNCTION)?;
    let catch = CATCH.iter().filter_map(|catch| text[function..].find(catch)).min()? + function;
    let call = catch + text[catch..].find(CALL)?;
    let report = text.rfind(PANICKED).filter(|report| *report > call)?;
    let text =
        replaced(text, report, report + PANICKED.len(), &format!("::{LIBRARY}::panicked();"));
    Some(replaced(&text, call, call + CALL.len(), &format!("::{LIBRARY}::catch(")))
}

/// Takes variables out of the store and puts them back with functions that need no destructors.
/// With the engine's functions, every cell compiles the destructors of all the notebook's
/// variables. Must run after the other two steps.
fn with_taken(text: &str) -> Option<String> {
    let function = text.rfind(FUNCTION)?;
    let begin = function + text[function..].find(CHECKED)? + CHECKED.len();
    let cell = begin + text[begin..].find(&format!("match ::{LIBRARY}::catch("))?;
    let report =
        text.rfind(&format!("::{LIBRARY}::panicked();")).filter(|report| *report > cell)?;
    let end = report + text[report..].find('\n')?;
    let mut source = text[..begin].to_owned();
    for (number, line) in text[begin..cell].lines().enumerate() {
        let (variable, rest) = line.split_once(" = evcxr_variable_store.take_variable::<")?;
        let (of_type, name) = rest.rsplit_once(">(stringify!(")?;
        let name = name.strip_suffix("));")?;
        if number == 0 {
            source += &format!("let mut parcourse_taken = ::{LIBRARY}::Taken::new(); ");
        }
        source += &format!(
            "{variable} = ::{LIBRARY}::take::<{of_type}>({STORE_AND_TAKEN}, stringify!({name}));\n"
        );
    }
    source += &text[cell..end];
    for line in text[end..].split_inclusive('\n') {
        match line
            .strip_prefix("evcxr_variable_store.put_variable::<")
            .and_then(|rest| rest.rsplit_once(">(stringify!("))
        {
            Some((of_type, names)) => {
                source += &format!(
                    "::{LIBRARY}::put_back::<{of_type}>({STORE_AND_TAKEN}, stringify!({names}"
                )
            }
            None => source += line,
        }
    }
    Some(source)
}

const STORE_AND_TAKEN: &str = "evcxr_variable_store, &mut parcourse_taken";

/// Replaces the engine's way of awaiting async code by the helper crate's. `None` if the cell does
/// not await anything.
pub fn with_helpers_runtime(text: &str) -> Option<String> {
    let name = text.find(RUNTIME)?;
    let begin = text[..name].rfind("let mut mutex")?;
    let end = name + text[name..].find(WAIT)? + WAIT.len();
    let lines = "\n".repeat(text[begin..end].matches('\n').count());
    Some(format!(
        "{}{lines}::parcourse::asynchronous::run_cell(async {{{}",
        &text[..begin],
        &text[end..]
    ))
}

/// Replaces a part of the text and keeps the number of lines.
fn replaced(text: &str, begin: usize, end: usize, by: &str) -> String {
    let lines = "\n".repeat(text[begin..end].matches('\n').count());
    format!("{}{by}{lines}{}", &text[..begin], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHOUT_VARIABLES: &str = "fn decoy() { println!(\"EVCXR_PANIC_NOTIFICATION\"); \
        }\n#[unsafe(no_mangle)]\n\
        pub extern \"C\" fn run_user_code_3(\nstore: *mut u8) -> *mut u8 {\nif \
        std::panic::catch_unwind(||{\n\
        let c = std::panic::catch_unwind(f);\n}).is_err() {\n    \
        println!(\"EVCXR_PANIC_NOTIFICATION\");\n}\nstore\n}\n";

    #[test]
    fn the_library_catches_panics_and_the_users_code_stays() {
        let source = with_library(&format!("{DISPLAY}{WITHOUT_VARIABLES}"));
        let expected = "fn decoy() { println!(\"EVCXR_PANIC_NOTIFICATION\"); \
            }\n#[unsafe(no_mangle)]\n\
            pub extern \"C\" fn run_user_code_3(\nstore: *mut u8) -> *mut u8 {\nif \
            ::parcourse_cell::catch(||{\n\
            let c = std::panic::catch_unwind(f);\n}).is_err() {\n    \
            ::parcourse_cell::panicked();\n}\nstore\n}\n";
        assert!(source.ends_with(expected), "{source}");
        // With another display format, nothing changes.
        assert_eq!(with_library(WITHOUT_VARIABLES), WITHOUT_VARIABLES);
    }

    #[test]
    fn the_library_shows_values_and_lines_stay() {
        let cell =
            format!("#![allow(dead_code)]{DISPLAY}use parcourse::prelude::*;\nfn f() {{}}\n");
        let source = with_library(&cell);
        assert!(
            source.contains("pub use ::parcourse_cell::{ParcourseDisplay, ParcourseDisplayPlain};"),
            "{source}"
        );
        assert!(!source.contains("format!"), "{source}");
        assert_eq!(
            source.lines().position(|line| line == "fn f() {}"),
            cell.lines().position(|line| line == "fn f() {}")
        );
    }

    #[test]
    fn variables_are_taken_and_put_back_line_by_line() {
        let cell = "#[unsafe(no_mangle)]\npub extern \"C\" fn run_user_code_3(\n{let mut vars_ok \
            = true;\n\
            if !vars_ok {return evcxr_variable_store;}}\n\
            let a = evcxr_variable_store.take_variable::<Vec<f64>>(stringify!(a));\n\
            let mut b = evcxr_variable_store.take_variable::<u8>(stringify!(b));\n\
            match std::panic::catch_unwind(\n  std::panic::AssertUnwindSafe(||{\n\
            evcxr_variable_store.put_variable::<u8>(stringify!(new), new);\n\
            })) { \n  Ok(_) => {}\n  Err(_) => {\n    println!(\"EVCXR_PANIC_NOTIFICATION\");\n}}\n\
            evcxr_variable_store.put_variable::<Vec<f64>>(stringify!(a), \
            a);\nevcxr_variable_store\n}\n";
        let shown = DISPLAY.lines().count();
        let source = with_library(&format!("{DISPLAY}{cell}"));
        let lines: Vec<&str> = source.lines().skip(shown).collect();
        assert_eq!(lines.len(), cell.lines().count());
        let store = "evcxr_variable_store, &mut parcourse_taken";
        let first = format!(
            "let mut parcourse_taken = ::parcourse_cell::Taken::new(); let a = \
             ::parcourse_cell::take::<Vec<f64>>({store}, stringify!(a));"
        );
        assert_eq!(lines[4], first);
        assert_eq!(
            lines[5],
            format!("let mut b = ::parcourse_cell::take::<u8>({store}, stringify!(b));")
        );
        assert!(
            lines[8].starts_with("evcxr_variable_store.put_variable::<u8>(stringify!(new)"),
            "a new variable: {source}"
        );
        assert_eq!(
            lines[14],
            format!("::parcourse_cell::put_back::<Vec<f64>>({store}, stringify!(a), a);")
        );
    }

    #[test]
    fn unknown_code_is_left_alone() {
        for text in [
            "fn main() {}\n",
            &format!("{}pub struct Other;\n{}fn run() {{}}\n", STORE[0], STORE[1]),
        ] {
            assert!(with_library(&format!("{DISPLAY}{text}")).ends_with(text));
        }
    }

    #[test]
    fn waiting_is_left_to_the_helpers() {
        let cell = "let x = 1;\nlet mut mutex = store.lazy_arc(\"evcxr_tokio_runtime\",\n|| new());\nmatch mutex.lock() { g => g, }\n.block_on(async {\nf().await;\n});";
        let expected =
            "let x = 1;\n\n\n\n::parcourse::asynchronous::run_cell(async {\nf().await;\n});";
        assert_eq!(with_helpers_runtime(cell).as_deref(), Some(expected));
        assert_eq!(with_helpers_runtime("runtime.block_on(async {})"), None);
    }
}
