//! A progress bar for loops.

use super::handle::{Handle, display_with_id};
use crate::format::FineDuration;
use crate::interrupt::{self, Scope};
use crate::output::{Bundle, protocol};
use std::time::{Duration, Instant};

/// Iterates over the items and shows the progress. You can interrupt the loop without losing
/// variables.
///
/// The Parcourse kernel shows a bar, updated at most ten times per second. Elsewhere, loops that
/// take seconds print a line of text now and then, and one at the end. Costs about 10 ns per item.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let mut sum = 0;
/// for x in progress(&[1, 2, 3]) {
///     sum += x;
/// }
/// assert_eq!(sum, 6);
/// ```
pub fn progress<I: IntoIterator>(items: I) -> Progress<I::IntoIter> {
    let items = items.into_iter();
    // A lower bound that equals the upper bound is the number of items; a filter, for example, does
    // not know it.
    let total = match items.size_hint() {
        (lower, Some(upper)) if lower == upper => Some(upper),
        _ => None,
    };
    Progress { items, running: None, total }
}

/// The iterator that [`progress`] returns.
#[derive(Debug)]
pub struct Progress<I> {
    items: I,
    total: Option<usize>,
    /// From the first item to the last, not from the start: a `Progress` that is kept in a variable
    /// must not hold an interrupt scope.
    running: Option<(ProgressBar, Scope)>,
}

impl<I: Iterator> Iterator for Progress<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        match &mut self.running {
            // The loop body has run for the previous item.
            Some((bar, _)) => bar.advance(1),
            None => {
                self.running = Some((ProgressBar::with_total(self.total), Scope::enter()));
            }
        }
        interrupt::check();
        let item = self.items.next();
        if item.is_none() {
            self.running = None;
        }
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

/// A progress bar that you advance by hand, for work that is not a loop over items.
///
/// # Examples
///
/// ```
/// use parcourse::display::ProgressBar;
/// let mut bar = ProgressBar::new(1000);
/// for block in [400, 500, 100] {
///     bar.advance(block);
/// }
/// ```
#[derive(Debug)]
pub struct ProgressBar {
    total: Option<usize>,
    done: usize,
    start: Instant,
    /// When the clock was last read, and the step at which it is read again.
    last_check: Duration,
    next_check: usize,
    next_report: Duration,
    shown: Shown,
}

/// What is shown of the bar so far.
#[derive(Debug)]
enum Shown {
    Bar(Option<Handle>),
    Lines,
}

/// The time before a bar appears, and between two updates.
const BAR_PERIOD: Duration = Duration::from_millis(100);
/// The first line of text comes after this time, each further one after twice the time: 6 lines in
/// a minute, 12 in an hour.
const FIRST_LINE: Duration = Duration::from_secs(1);

impl ProgressBar {
    /// A bar for `total` steps.
    pub fn new(total: usize) -> ProgressBar {
        ProgressBar::with_total(Some(total))
    }

    fn with_total(total: Option<usize>) -> ProgressBar {
        let (shown, next_report) = if protocol::on_parcourse_kernel() {
            (Shown::Bar(None), BAR_PERIOD)
        } else {
            (Shown::Lines, FIRST_LINE)
        };
        ProgressBar {
            total,
            done: 0,
            start: Instant::now(),
            last_check: Duration::ZERO,
            next_check: 0,
            next_report,
            shown,
        }
    }

    /// Marks `steps` more steps as done.
    #[inline]
    pub fn advance(&mut self, steps: usize) {
        self.done += steps;
        if self.done >= self.next_check {
            self.check_clock();
        }
    }

    #[inline(never)]
    fn check_clock(&mut self) {
        let elapsed = self.start.elapsed();
        // Reading the clock takes 25 to 60 ns. If steps are short, it is read only at every 16th.
        // Not less often: the next steps may be long, and the bar would stand still.
        let steps_are_short = elapsed - self.last_check < Duration::from_micros(100);
        self.last_check = elapsed;
        self.next_check = self.done + if steps_are_short { 16 } else { 1 };
        if elapsed >= self.next_report {
            self.report(elapsed);
        }
    }

    #[cold]
    fn report(&mut self, elapsed: Duration) {
        let state = State { done: self.done, total: self.total, elapsed };
        match &mut self.shown {
            Shown::Bar(handle) => {
                match handle {
                    Some(handle) => handle.update(state.bundle()),
                    None => *handle = Some(display_with_id(state.bundle())),
                }
                self.next_report = elapsed + BAR_PERIOD;
            }
            Shown::Lines => {
                println!("{}", state.text());
                self.next_report = elapsed * 2;
            }
        }
    }
}

impl Drop for ProgressBar {
    /// Shows the final state, whether everything was done or not.
    fn drop(&mut self) {
        self.report(self.start.elapsed());
    }
}

/// The state of a bar at one moment.
struct State {
    done: usize,
    total: Option<usize>,
    elapsed: Duration,
}

impl State {
    fn percent(&self) -> Option<f64> {
        self.total.map(|total| {
            if total == 0 { 100.0 } else { (100.0 * self.done as f64 / total as f64).min(100.0) }
        })
    }

    fn left(&self) -> Option<Duration> {
        let to_do =
            self.total?.checked_sub(self.done).filter(|&to_do| to_do > 0 && self.done > 0)?;
        Some(self.elapsed.mul_f64(to_do as f64 / self.done as f64))
    }

    /// `[########            ]  40 %, 2 of 5, 1.20 s, 1.80 s left`
    fn text(&self) -> String {
        let bar = self.percent().map(|percent| {
            let full = (percent / 5.0) as usize;
            format!("[{}{}] {percent:>3.0} %, ", "#".repeat(full), " ".repeat(20 - full))
        });
        bar.unwrap_or_default() + &self.words()
    }

    fn words(&self) -> String {
        let of = self.total.map(|total| format!(" of {total}")).unwrap_or_default();
        let left =
            self.left().map(|left| format!(", {} left", FineDuration(left))).unwrap_or_default();
        format!("{}{of}, {}{left}", self.done, FineDuration(self.elapsed))
    }

    fn bundle(&self) -> Bundle {
        // The browser's own element follows light and dark themes. Without a value it shows "busy".
        let bar = match self.percent() {
            Some(percent) => format!(
                r#"<progress max="100" value="{percent:.1}" style="width:20em"></progress> {percent:.0} %, "#
            ),
            None => String::new(),
        };
        Bundle::plain(self.text()).with("text/html", format!("<span>{bar}{}</span>", self.words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(done: usize, total: Option<usize>) -> State {
        State { done, total, elapsed: Duration::from_millis(1200) }
    }

    #[test]
    fn states_in_words() {
        assert_eq!(
            state(2, Some(5)).text(),
            "[########            ]  40 %, 2 of 5, 1.20 s, 1.80 s left"
        );
        assert_eq!(state(0, Some(5)).text(), "[                    ]   0 %, 0 of 5, 1.20 s");
        assert_eq!(state(5, Some(5)).text(), "[####################] 100 %, 5 of 5, 1.20 s");
        assert_eq!(state(0, Some(0)).text(), "[####################] 100 %, 0 of 0, 1.20 s");
        assert_eq!(state(7, Some(5)).text(), "[####################] 100 %, 7 of 5, 1.20 s");
        assert_eq!(state(7, None).text(), "7, 1.20 s");
    }

    #[test]
    fn html_has_a_bar_and_a_text_beside_it() {
        let bundle = state(2, Some(5)).bundle();
        assert!(bundle.get("text/html").unwrap().contains(r#"<progress max="100" value="40.0""#));
        assert!(bundle.get("text/plain").unwrap().starts_with("[####"));
    }

    #[test]
    fn items_pass_through_unchanged() {
        assert_eq!(progress(&[1, 2, 3]).copied().collect::<Vec<i32>>(), [1, 2, 3]);
        assert_eq!(progress(0..0).count(), 0);
        assert_eq!(progress((0..10).filter(|x| x % 2 == 0)).sum::<i32>(), 20);
    }

    #[test]
    fn number_of_items_is_known_when_the_iterator_knows_it() {
        assert_eq!(progress(0..7).total, Some(7));
        assert_eq!(progress((0..7).filter(|_| true)).total, None);
    }
}
