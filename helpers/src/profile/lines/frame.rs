//! One call of a profiled function, while it lasts.

use super::counters::Counters;
use super::registry::Function;
use std::marker::PhantomData;

/// A call of a function with `#[line_profile]`, from its first statement until it is left in any
/// way.
#[doc(hidden)]
#[derive(Debug)]
pub struct Frame {
    /// `None` in a thread that is shutting down and no longer has counters.
    counters: Option<&'static Counters>,
    /// The line before this call: of an outer call of the same function, or before the closure.
    before: u32,
    /// The counters belong to this thread.
    not_send: PhantomData<*const ()>,
}

/// Returns to a line when a block inside it ends.
#[doc(hidden)]
#[derive(Debug)]
pub struct Resumption<'a> {
    frame: &'a Frame,
    line: u32,
}

// What a cell calls is compiled once, here, and not into each of its lines.
impl Frame {
    /// The function is called. Its first line reads the clock.
    #[inline(never)]
    pub fn enter(function: &'static Function) -> Frame {
        let frame = Frame::enter_closure(function);
        if let Some(counters) = frame.counters {
            counters.call();
        }
        frame
    }

    /// A closure in it is called.
    #[inline(never)]
    pub fn enter_closure(function: &'static Function) -> Frame {
        let counters = function.counters();
        Frame { counters, before: counters.map_or(0, Counters::current), not_send: PhantomData }
    }

    /// A statement on this line begins.
    #[inline(never)]
    pub fn line(&self, line: u32) {
        if let Some(counters) = self.counters {
            counters.hit(line);
        }
    }

    /// The line continues when the returned value is dropped.
    pub fn resume(&self, line: u32) -> Resumption<'_> {
        Resumption { frame: self, line }
    }
}

impl Drop for Frame {
    #[inline(never)]
    fn drop(&mut self) {
        if let Some(counters) = self.counters {
            counters.back_to(self.before);
        }
    }
}

impl Drop for Resumption<'_> {
    #[inline(never)]
    fn drop(&mut self) {
        if let Some(counters) = self.frame.counters {
            counters.back_to(self.line);
        }
    }
}
