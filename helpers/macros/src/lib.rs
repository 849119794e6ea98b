//! Procedural macros of the helper crate `parcourse`. Use them through that crate: their expansions
//! refer to `::parcourse`.
#![deny(missing_docs)]

mod line_profile;

use proc_macro::TokenStream;

/// Counts and times a function line by line; `profile::report()` shows the result.
///
/// Works on any function with a body: generic, `unsafe`, a method in an `impl` or a trait. See the
/// module `profile` of the crate `parcourse` for what is counted.
///
/// # Errors
///
/// Does not compile on an `async fn` (its lines run whenever it is polled, on any thread), on a
/// `const fn` (the compiler runs it), on a function that another macro writes (it has no source
/// text of its own), or on anything that is not a function.
#[proc_macro_attribute]
pub fn line_profile(arguments: TokenStream, item: TokenStream) -> TokenStream {
    match line_profile::expand(arguments.into(), item.clone().into()) {
        Ok(function) => function.into(),
        // The function stays, or the compiler would also complain about its absence.
        Err(error) => TokenStream::from_iter([error.into_compile_error().into(), item]),
    }
}
