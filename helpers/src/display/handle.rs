//! Showing things at any time, and changing what was shown.

use crate::output::{Rich, protocol};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Shows a value now, wherever the cell is.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// for step in 1..=3 {
///     display(Html::new(format!("step <b>{step}</b>")));
/// }
/// ```
pub fn display(value: impl Rich) {
    protocol::send_display(&value.bundle(), None);
}

/// Shows a value now and gives back the handle with which it can be replaced, in this cell or in a
/// later one.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let handle = display_with_id(Html::new("0 %"));
/// handle.update(Html::new("100 %"));
/// ```
pub fn display_with_id(value: impl Rich) -> Handle {
    let handle = Handle { display_id: new_display_id() };
    protocol::send_display(&value.bundle(), Some(&handle.display_id));
    handle
}

/// Empties the output of the cell; with `wait` only when the next output comes, which avoids
/// flicker. Does nothing on the stock kernel.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// for step in 1..=3 {
///     clear_output(true);
///     println!("step {step}");
/// }
/// ```
pub fn clear_output(wait: bool) {
    protocol::send_clear_output(wait);
}

/// Something shown that can be replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handle {
    display_id: String,
}

impl Handle {
    /// Replaces what is shown. Every update is a message to the browser: ten in a second are
    /// plenty.
    ///
    /// On the stock kernel the cell that updates shows the last state when it ends.
    pub fn update(&self, value: impl Rich) {
        protocol::send_update(&value.bundle(), &self.display_id);
    }
}

/// Unique among all the outputs a saved notebook may hold, those of earlier kernels included: hence
/// the time.
fn new_display_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let microseconds =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros());
    format!(
        "parcourse-{:x}-{:x}-{}",
        std::process::id(),
        microseconds,
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

#[cfg(test)]
mod tests {
    use super::new_display_id;

    #[test]
    fn ids_differ() {
        let ids: std::collections::HashSet<String> = (0..1000).map(|_| new_display_id()).collect();
        assert_eq!(ids.len(), 1000);
    }
}
