//! Showing values at any time, and updating what was shown.

use crate::output::{Rich, protocol};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Shows a value now, at any point of a cell.
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

/// Shows a value now and returns a handle that can replace it, in this cell or in a later one.
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

/// Clears the cell's output. With `wait`, it does so only when the next output comes, which avoids
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

/// An output that can be replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handle {
    display_id: String,
}

impl Handle {
    /// Replaces what is shown. Every update is a message to the browser; ten per second are plenty.
    ///
    /// On the stock kernel, the updating cell shows only the last state, when it ends.
    pub fn update(&self, value: impl Rich) {
        protocol::send_update(&value.bundle(), &self.display_id);
    }
}

/// Unique among all outputs that a saved notebook may hold, including those of earlier kernels;
/// therefore it contains the time.
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
