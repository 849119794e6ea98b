//! Walks through a function's body and inserts the notes.

use super::source::Source;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::BTreeSet;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprBlock, Ident, Item, Lifetime, Pat, Stmt, parse_quote};

/// The local variable that takes the notes.
pub fn frame_name() -> Ident {
    Ident::new("frame", Span::mixed_site())
}

/// The static that the notes of all threads belong to.
pub fn function_name() -> Ident {
    // Items have no hygiene; this name keeps it apart.
    Ident::new("__PARCOURSE_LINE_PROFILE", Span::mixed_site())
}

/// The state of the walk.
pub struct Instrument<'a> {
    source: &'a Source,
    /// Lines that have a note.
    lines: BTreeSet<u32>,
    /// The line of the last note: what is on the same line needs no further note.
    line: Option<u32>,
    /// The line to return to when a block inside a larger expression ends.
    resume: Option<u32>,
    /// The surrounding loops: their labels and, if they have a header that runs every time, its
    /// line.
    loops: Vec<(Option<Lifetime>, Option<u32>)>,
    /// Whether the current function or closure has a note.
    noted: bool,
}

impl<'a> Instrument<'a> {
    pub fn new(source: &'a Source) -> Instrument<'a> {
        Instrument {
            source,
            lines: BTreeSet::new(),
            line: None,
            resume: None,
            loops: Vec::new(),
            noted: false,
        }
    }

    /// The body of the function.
    pub fn function(&mut self, block: &mut Block) {
        self.block(block);
    }

    /// The lines that have notes, in order.
    pub fn into_lines(self) -> Vec<u32> {
        self.lines.into_iter().collect()
    }

    /// The note for a line. If a statement is configured away, so is its note.
    fn note(&mut self, line: u32, conditions: TokenStream) -> Stmt {
        self.lines.insert(line);
        self.noted = true;
        let frame = frame_name();
        // After a `continue` at the end of a body it is unreachable; the learner must not see a
        // warning for that.
        parse_quote! {
            #conditions #[allow(unreachable_code)] ::parcourse::profile::Frame::line(&#frame, #line);
        }
    }

    /// Restores the surrounding line when the block ends in any way.
    fn resumption(&self, line: u32) -> Stmt {
        let frame = frame_name();
        let guard = Ident::new("resumption", Span::mixed_site());
        parse_quote! { let #guard = ::parcourse::profile::Frame::resume(&#frame, #line); }
    }

    fn block(&mut self, block: &mut Block) {
        let (line, resume) = (self.line, self.resume.take());
        let noted = std::mem::take(&mut self.noted);
        let mut stmts: Vec<Stmt> = Vec::with_capacity(2 * block.stmts.len() + 1);
        for mut stmt in std::mem::take(&mut block.stmts) {
            if let Some((own, conditions)) = self.line_of(&stmt)
                && self.line != Some(own)
            {
                stmts.push(self.note(own, conditions));
                self.line = Some(own);
            }
            self.stmt(&mut stmt);
            stmts.push(stmt);
        }
        if let Some(line) = resume
            && self.noted
        {
            stmts.insert(0, self.resumption(line));
        }
        block.stmts = stmts;
        self.noted |= noted;
        (self.line, self.resume) = (line, resume);
    }

    /// The line of a statement that does something, and its `cfg` conditions.
    fn line_of(&self, stmt: &Stmt) -> Option<(u32, TokenStream)> {
        match stmt {
            Stmt::Item(_) => return None,
            // A name without a value.
            Stmt::Local(local) if local.init.is_none() => return None,
            _ => {}
        }
        let mut tokens = stmt.to_token_stream().into_iter().peekable();
        let mut conditions = TokenStream::new();
        while let Some(TokenTree::Punct(mark)) =
            tokens.next_if(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == '#'))
        {
            let Some(TokenTree::Group(attribute)) = tokens.next() else { return None };
            if attribute.stream().into_iter().next().is_some_and(|name| name.to_string() == "cfg") {
                conditions.extend([TokenTree::Punct(mark), TokenTree::Group(attribute)]);
            }
        }
        Some((self.source.line(tokens.next()?.span())?, conditions))
    }

    fn stmt(&mut self, stmt: &mut Stmt) {
        match stmt {
            Stmt::Local(local) => {
                if let Some(init) = &mut local.init {
                    self.expression(&mut init.expr);
                    if let Some((_, diverge)) = &mut init.diverge {
                        self.expression(diverge);
                    }
                }
            }
            Stmt::Expr(expression, _) => self.expression(expression),
            Stmt::Item(_) | Stmt::Macro(_) => {}
        }
    }

    /// An expression whose value is the value of the statement: nothing happens on this line after
    /// its last block.
    fn expression(&mut self, expression: &mut Expr) {
        self.visit_expr_mut(expression);
    }

    /// An expression after which the surrounding line continues.
    fn operand(&mut self, expression: &mut Expr) {
        let outer = std::mem::replace(&mut self.resume, self.line);
        self.visit_expr_mut(expression);
        self.resume = outer;
    }

    /// The body of a loop. `header` is the line that runs again after every round.
    fn body(&mut self, label: Option<Lifetime>, header: Option<u32>, body: &mut Block) {
        let resume = self.resume.take();
        self.loops.push((label, header));
        self.block(body);
        self.loops.pop();
        if let Some(line) = header {
            // The value of a body is `()`, so it may become a statement.
            match body.stmts.last_mut() {
                Some(Stmt::Expr(_, semicolon @ None)) => *semicolon = Some(Default::default()),
                Some(Stmt::Macro(call)) => call.semi_token = Some(Default::default()),
                _ => {}
            }
            body.stmts.push(self.note(line, TokenStream::new()));
        }
        self.resume = resume;
    }

    /// An arm of a `match`, or what follows `else`.
    fn branch(&mut self, branch: &mut Expr) {
        match branch {
            Expr::Block(ExprBlock { attrs, label: None, block })
                if attrs.is_empty() && !block.stmts.is_empty() =>
            {
                self.block(block)
            }
            _ => {
                let line = self.line_at(branch).filter(|line| self.line != Some(*line));
                let Some(line) = line else { return self.expression(branch) };
                let note = self.note(line, TokenStream::new());
                let outer = self.line.replace(line);
                let resumption = self.resume.map(|line| self.resumption(line));
                let resume = self.resume.take();
                self.expression(branch);
                (self.line, self.resume) = (outer, resume);
                *branch = parse_quote!({ #resumption #note #branch });
            }
        }
    }

    fn closure(&mut self, body: &mut Expr) {
        let (line, resume, noted) =
            (self.line, self.resume.take(), std::mem::take(&mut self.noted));
        let loops = std::mem::take(&mut self.loops);
        match &mut *body {
            Expr::Block(ExprBlock { label: None, block, .. }) => self.block(block),
            body => {
                // Without braces it belongs to the surrounding statement, on whichever line it is.
                self.line = self.line_at(body);
                self.expression(body);
            }
        }
        if self.noted {
            let (frame, function) = (frame_name(), function_name());
            let enter: Stmt = parse_quote! {
                let #frame = ::parcourse::profile::Frame::enter_closure(&#function);
            };
            match body {
                Expr::Block(ExprBlock { label: None, block, .. }) => block.stmts.insert(0, enter),
                body => *body = parse_quote!({ #enter #body }),
            }
        }
        (self.line, self.resume, self.noted, self.loops) = (line, resume, noted, loops);
    }

    /// The line on which an expression starts.
    fn line_at(&self, expression: &Expr) -> Option<u32> {
        self.source.line(expression.to_token_stream().into_iter().next()?.span())
    }

    /// The line that `continue` goes to.
    fn target(&self, label: &Option<Lifetime>) -> Option<u32> {
        match label {
            None => self.loops.last()?.1,
            Some(label) => {
                self.loops
                    .iter()
                    .rev()
                    .find(|(own, _)| own.as_ref().is_some_and(|own| own.ident == label.ident))?
                    .1
            }
        }
    }
}

impl VisitMut for Instrument<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        match expression {
            // These run at another time or by the compiler; what another macro does with its tokens
            // is unknown.
            Expr::Async(_) | Expr::Const(_) | Expr::Macro(_) | Expr::Verbatim(_) => {}
            Expr::Closure(closure)
                if closure.asyncness.is_some() || closure.constness.is_some() => {}
            Expr::Closure(closure) => self.closure(&mut closure.body),
            Expr::Block(block) => self.block(&mut block.block),
            Expr::Unsafe(block) => self.block(&mut block.block),
            Expr::ForLoop(each) => {
                self.operand(&mut each.expr);
                self.body(
                    each.label.as_ref().map(|label| label.name.clone()),
                    self.line,
                    &mut each.body,
                );
            }
            Expr::While(each) => {
                self.operand(&mut each.cond);
                self.body(
                    each.label.as_ref().map(|label| label.name.clone()),
                    self.line,
                    &mut each.body,
                );
            }
            Expr::Loop(each) => {
                self.body(each.label.as_ref().map(|label| label.name.clone()), None, &mut each.body)
            }
            Expr::If(choice) => {
                self.operand(&mut choice.cond);
                self.block(&mut choice.then_branch);
                if let Some((_, otherwise)) = &mut choice.else_branch {
                    self.branch(otherwise);
                    // The language requires a block here, or another `if`.
                    debug_assert!(matches!(**otherwise, Expr::Block(_) | Expr::If(_)));
                }
            }
            Expr::Match(choice) => {
                self.operand(&mut choice.expr);
                for arm in &mut choice.arms {
                    if let Pat::Guard(guarded) = &mut arm.pat {
                        self.operand(&mut guarded.guard);
                    }
                    self.branch(&mut arm.body);
                }
            }
            Expr::Continue(jump) => {
                if let Some(line) = self.target(&jump.label) {
                    let note = self.note(line, TokenStream::new());
                    *expression = parse_quote!({ #note #jump });
                }
            }
            Expr::Assign(assign) => {
                self.operand(&mut assign.left);
                self.expression(&mut assign.right);
            }
            Expr::Return(_) | Expr::Break(_) | Expr::Paren(_) | Expr::Group(_) => {
                visit_mut::visit_expr_mut(self, expression)
            }
            _ => {
                let outer = std::mem::replace(&mut self.resume, self.line);
                visit_mut::visit_expr_mut(self, expression);
                self.resume = outer;
            }
        }
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        self.block(block);
    }

    /// A nested function is a function of its own.
    fn visit_item_mut(&mut self, _: &mut Item) {}

    /// The compiler evaluates lengths of arrays in types.
    fn visit_type_mut(&mut self, _: &mut syn::Type) {}

    fn visit_pat_mut(&mut self, _: &mut syn::Pat) {}
}
