//! The serial twin of [`Pool::map`](super::Pool::map).

use crate::interrupt;

/// Applies `f` to every item, one after the other, and gives back the results in the same order:
/// Python's `list(map(f, items))`.
///
/// Costs what the loop costs. Can be interrupted between two items. For lazy evaluation use Rust's
/// own `items.iter().map(f)`.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let words = ["computer", "thesis", "mom"];
/// assert_eq!(map(|word| word.len(), &words), [8, 6, 3]);
/// ```
pub fn map<'items, T, R>(mut f: impl FnMut(&'items T) -> R, items: &'items [T]) -> Vec<R> {
    interrupt::scope(|| {
        let step = |item| {
            interrupt::check();
            f(item)
        };
        items.iter().map(step).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn results_are_in_order_and_may_borrow_from_the_items() {
        let words = vec!["  computer".to_string(), " mom ".to_string()];
        let trimmed: Vec<&str> = map(|word| word.trim(), &words);
        assert_eq!(trimmed, ["computer", "mom"]);
        assert_eq!(map(|x: &i32| x + 1, &[]), []);
    }

    #[test]
    fn function_may_have_a_state() {
        let mut sum = 0;
        let sums = map(
            |&x| {
                sum += x;
                sum
            },
            &[1, 2, 3],
        );
        assert_eq!(sums, [1, 3, 6]);
    }
}
