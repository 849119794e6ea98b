//! `#[line_profile]`: inserts a note "from here on it is line 7" before every statement of a
//! function.
//!
//! ```text
//! fn f(n: u32) -> u32 {                      fn f(n: u32) -> u32 {
//!     let mut sum = 0;                           let frame = Frame::enter(&FUNCTION);
//!     for i in 0..n {                            frame.line(2); let mut sum = 0;
//!         sum += i;                  becomes     frame.line(3); for i in 0..n {
//!     }                                              frame.line(4); sum += i;
//!     sum                                            frame.line(3);
//! }                                              }
//!                                                frame.line(6); sum
//!                                            }
//! ```
//!
//! It only adds statements and never rewrites expressions, so types, borrows, temporaries and the
//! value of the last expression stay the same. If a statement needs a block around it, one is
//! added: in an arm of a `match`, `else if`, `continue`. At the end of all three, temporaries are
//! dropped anyway.
//!
//! The added names are hygienic: the function cannot see them.

mod instrument;
mod source;

use instrument::Instrument;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use source::Source;
use syn::{Error, ItemFn, Result, Signature};

/// Returns the function with its notes, or the reason why that is not possible.
pub fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "`#[line_profile]` takes no arguments"));
    }
    let mut function: ItemFn = syn::parse2(item).map_err(|error| {
        Error::new(
            error.span(),
            format!("`#[line_profile]` goes on a function with a body: {error}"),
        )
    })?;
    refuse(&function.sig)?;
    let source = Source::of(&function)?;
    let mut instrument = Instrument::new(&source);
    instrument.function(&mut function.block);
    let lines = instrument.into_lines();
    let text = source.text();
    let counters = instrument::function_name();
    let frame = instrument::frame_name();
    let stmts = std::mem::take(&mut function.block.stmts);
    let here = syn::Ident::new("here", Span::mixed_site());
    function.block.stmts = syn::parse_quote! {
        static #counters: ::parcourse::profile::Function = {
            fn #here() {}
            ::parcourse::profile::Function::new(
                || ::core::any::type_name_of_val(&#here),
                ::core::module_path!(),
                #text,
                &[#(#lines),*],
            )
        };
        let #frame = ::parcourse::profile::Frame::enter(&#counters);
        #(#stmts)*
    };
    Ok(quote!(#function))
}

fn refuse(signature: &Signature) -> Result<()> {
    if let Some(token) = &signature.asyncness {
        let reason = "`#[line_profile]` cannot follow an `async fn`, whose lines run whenever it \
                      is polled; put it on the functions it calls";
        return Err(Error::new_spanned(token, reason));
    }
    if let Some(token) = &signature.constness {
        let reason = "`#[line_profile]` cannot count in a `const fn`, which the compiler may run \
                      itself; profile it without `const`";
        return Err(Error::new_spanned(token, reason));
    }
    Ok(())
}

/// Only the errors: a span knows its line and text only while the compiler runs. The tests of
/// `parcourse` cover the rest.
#[cfg(test)]
mod tests {
    use super::*;

    fn error(arguments: TokenStream, item: TokenStream) -> String {
        expand(arguments, item).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_profiled_is_refused_with_the_reason() {
        let none = TokenStream::new;
        let asynchronous = error(
            none(),
            quote!(
                async fn f() {}
            ),
        );
        assert!(
            asynchronous.contains("`async fn`") && asynchronous.contains("the functions it calls"),
            "{asynchronous}"
        );
        let constant = error(
            none(),
            quote!(
                const fn f() {}
            ),
        );
        assert!(
            constant.contains("`const fn`") && constant.contains("without `const`"),
            "{constant}"
        );
        for item in [
            quote!(
                struct S;
            ),
            quote!(impl S {}),
            quote!(
                fn f();
            ),
            quote!(
                mod m {}
            ),
        ] {
            let reason = error(none(), item);
            assert!(
                reason.starts_with("`#[line_profile]` goes on a function with a body"),
                "{reason}"
            );
        }
        assert_eq!(
            error(
                quote!(fast),
                quote!(
                    fn f() {}
                )
            ),
            "`#[line_profile]` takes no arguments"
        );
    }
}
