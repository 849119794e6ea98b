//! Function names as a learner would write them.

/// The names of the outermost frames that are left out.
const OUTERMOST: [&str; 2] =
    ["parcourse::profile::flame::begin", "std::sys::backtrace::__rust_begin_short_backtrace"];

/// Frames that only forward a call.
const FORWARDING: [&str; 10] = [
    "parcourse::threads::",
    "core::ops::function::",
    "<alloc::boxed::Box<",
    "<core::panic::unwind_safe::AssertUnwindSafe",
    "std::panicking::",
    "std::panic::",
    "__rust_try",
    "std::sys::backtrace::__rust_",
    "<&F as core::ops::function::",
    "<&mut F as core::ops::function::",
];

/// A demangled name without the cell's crate and the function that the engine wraps around a cell's
/// statements.
pub fn learners_name(name: &str) -> String {
    let name = name.replace("ctx::", "");
    match name.strip_prefix("run_user_code_") {
        Some(rest) => {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            let rest = rest.strip_prefix("::").unwrap_or(rest);
            if rest.is_empty() { "cell".to_owned() } else { rest.to_owned() }
        }
        None => name,
    }
}

/// Converts a stack, innermost first, to the one that is drawn: outermost first, without the frames
/// below the work, and with rayon's internals as one frame.
pub fn learners_stack(stack: &[String]) -> Vec<String> {
    let is_outermost =
        |name: &String| OUTERMOST.iter().any(|outermost| name.starts_with(outermost));
    let end = stack.iter().position(is_outermost).unwrap_or(stack.len());
    let mut frames: Vec<String> = Vec::new();
    if stack[..end].is_empty() {
        // Everything was inlined.
        frames.push("{closure}".to_owned());
    }
    for name in stack[..end].iter().rev() {
        if FORWARDING.iter().any(|passing| name.starts_with(passing)) {
            continue;
        }
        let name = if is_rayon(name) { "rayon" } else { name };
        if name != "rayon" || frames.last().is_none_or(|last| last != name) {
            frames.push(name.to_owned());
        }
    }
    frames
}

/// `rayon::iter::…`, `rayon_core::…`, `<rayon::… as …>::…`.
fn is_rayon(name: &str) -> bool {
    let name = name.trim_start_matches(['<', '&', '(']);
    name.starts_with("rayon::") || name.starts_with("rayon_core::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_no_part_of_a_name() {
        assert_eq!(learners_name("ctx::work"), "work");
        assert_eq!(
            learners_name("<ctx::Grid as core::fmt::Debug>::fmt"),
            "<Grid as core::fmt::Debug>::fmt"
        );
        assert_eq!(learners_name("ctx::run_user_code_12::{{closure}}"), "{{closure}}");
        assert_eq!(learners_name("run_user_code_3"), "cell");
    }

    #[test]
    fn stacks_begin_with_the_work() {
        let stack = |names: &[&str]| {
            learners_stack(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        let main = ["fib", "fib", "work", "parcourse::profile::flame::begin", "cell", "main"];
        assert_eq!(stack(&main), ["work", "fib", "fib"]);
        assert_eq!(stack(&main[3..]), ["{closure}"]);
        let worker = [
            "work",
            "<rayon::iter::map::MapFolder<C,F> as F>::consume",
            "core::ops::function::FnOnce::call_once",
            "rayon_core::join",
        ];
        assert_eq!(stack(&worker), ["rayon", "work"]);
    }
}
