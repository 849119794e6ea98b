//! Many futures at once.

use futures_util::future::join_all;
use std::future::Future;

/// Waits for all futures at the same time and gives their results in the order of the futures: Python's `asyncio.gather`.
///
/// They take turns on the thread that waits: while one of them waits, others go on. So they may borrow, and need not be `Send`; but a
/// future that computes holds up all the others. (`tokio::spawn` puts a future on another thread, if it is `'static` and `Send`.) Only those
/// futures are looked at for which something has happened, so that a hundred thousand of them are no problem: each costs its own size and
/// about 100 bytes, and some 100 ns.
///
/// Dropping it, by a timeout or an interrupt, drops the futures that are not done. A panic in one does so too, and is passed on.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let words = ["computer", "thesis", "mom"];
///
/// async fn slow_length(word: &str) -> usize {
///     waiting::sleep(Duration::from_millis(word.len() as u64)).await;
///     word.len()
/// }
///
/// let lengths = waiting::block_on(waiting::gather(words.iter().map(|word| slow_length(word))));
/// assert_eq!(lengths, [8, 6, 3]);
/// ```
pub async fn gather<I>(futures: I) -> Vec<<I::Item as Future>::Output>
where
    I: IntoIterator,
    I::Item: Future,
{
    join_all(futures).await
}
