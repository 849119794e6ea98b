//! One call of a profiled function, as long as it lasts.

use super::counters::Counters;
use super::registry::Function;
use std::marker::PhantomData;

/// A call of a function that carries `#[line_profile]`, from its first statement until it is left,
/// in whichever way.
#[doc(hidden)]
#[derive(Debug)]
pub struct Frame {
    /// `None` in a thread that is being taken down and has no counters any more.
    counters: Option<&'static Counters>,
    /// Where the thread was in this same function: in an outer call, or in front of the closure.
    before: u32,
    /// The counters belong to this thread.
    not_send: PhantomData<*const ()>,
}

/// Brings a line back when a block inside of it ends.
#[doc(hidden)]
#[derive(Debug)]
pub struct Resumption<'a> {
    frame: &'a Frame,
    line: u32,
}

// What a cell calls is compiled once, here, and not into each of its lines.
impl Frame {
    /// The function is called. The clock is read by the first line.
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

    /// The line goes on when what this gives is dropped.
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
