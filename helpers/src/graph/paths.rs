//! Longest ways through a graph.

use super::check::Links;

/// For each task the longest way from its beginning to the end of everything: itself and what has
/// to follow.
pub(super) fn to_end(links: &Links, durations: &[f64]) -> Vec<f64> {
    let mut lengths = vec![0.0; durations.len()];
    for &task in links.order.iter().rev() {
        let rest = links.after[task].iter().map(|&next| lengths[next]).fold(0.0, f64::max);
        lengths[task] = durations[task] + rest;
    }
    lengths
}

/// The tasks of the critical path, first to last; of equals the one added first.
pub(super) fn critical(links: &Links, durations: &[f64]) -> Vec<usize> {
    let lengths = to_end(links, durations);
    let longest = |tasks: &mut dyn Iterator<Item = usize>| -> Option<usize> {
        tasks.fold(None, |best, task| match best {
            Some(best)
                if lengths[best] > lengths[task]
                    || lengths[best] == lengths[task] && best < task =>
            {
                Some(best)
            }
            _ => Some(task),
        })
    };
    // Only tasks that wait for nobody can begin the path; a later one would be longer with its
    // predecessor.
    let mut next = longest(&mut (0..durations.len()).filter(|&task| links.before[task].is_empty()));
    let mut path = Vec::new();
    while let Some(task) = next {
        path.push(task);
        next = longest(&mut links.after[task].iter().copied());
    }
    path
}
