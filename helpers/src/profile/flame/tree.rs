//! The samples as a tree of calls.

use super::names::learners_stack;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where the CPU time went; returned by [`flame_graph`](crate::profile::flame_graph).
///
/// A notebook shows it as a drawing and a table; elsewhere it is the table as text.
#[derive(Clone, PartialEq, Debug)]
pub struct FlameGraph {
    pub(super) root: Node,
    lost: u64,
    /// Why there are no samples.
    missing: Option<&'static str>,
}

/// A function in a [`FlameGraph`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HotFunction {
    /// Its path.
    pub name: String,
    /// Samples in the function itself.
    pub own: u64,
    /// Samples in it or in functions it called.
    pub total: u64,
}

/// A call, and the calls it made.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Node {
    pub count: u64,
    pub own: u64,
    pub children: BTreeMap<String, Node>,
}

impl FlameGraph {
    pub(super) fn new(stacks: Vec<(Vec<String>, u64)>, lost: u64) -> FlameGraph {
        let mut root = Node::default();
        for (stack, count) in &stacks {
            let mut node = &mut root;
            node.count += count;
            for name in learners_stack(stack) {
                node = node.children.entry(name).or_default();
                node.count += count;
            }
            node.own += count;
        }
        FlameGraph { root, lost, missing: None }
    }

    #[allow(dead_code, reason = "each system uses one of the two")]
    pub(super) fn not_available(reason: &'static str) -> FlameGraph {
        FlameGraph { root: Node::default(), lost: 0, missing: Some(reason) }
    }

    /// The number of samples.
    pub fn samples(&self) -> u64 {
        self.root.count
    }

    /// All functions, those with the most samples of their own first.
    pub fn hottest(&self) -> Vec<HotFunction> {
        fn walk<'a>(
            node: &'a Node,
            above: &mut Vec<&'a str>,
            found: &mut HashMap<&'a str, (u64, u64)>,
        ) {
            for (name, child) in &node.children {
                let entry = found.entry(name).or_default();
                entry.0 += child.own;
                // A recursive function is already in its caller's samples.
                if !above.contains(&name.as_str()) {
                    entry.1 += child.count;
                }
                above.push(name);
                walk(child, above, found);
                above.pop();
            }
        }
        let mut found = HashMap::new();
        walk(&self.root, &mut Vec::new(), &mut found);
        let mut hot: Vec<HotFunction> = found
            .into_iter()
            .map(|(name, (own, total))| HotFunction { name: name.to_owned(), own, total })
            .collect();
        hot.sort_by(|a, b| (b.own, b.total, &a.name).cmp(&(a.own, a.total, &b.name)));
        hot
    }

    /// The function of that name: its path, or the last part of it.
    pub fn function(&self, name: &str) -> Option<HotFunction> {
        let ends = |hot: &HotFunction| {
            hot.name == name || hot.name.strip_suffix(name).is_some_and(|rest| rest.ends_with("::"))
        };
        self.hottest().into_iter().find(ends)
    }

    /// The distinct call paths, outermost first, with the samples that ended there: `(["work",
    /// "fib"], 12)`.
    pub fn stacks(&self) -> Vec<(Vec<String>, u64)> {
        fn walk(node: &Node, path: &mut Vec<String>, found: &mut BTreeSet<(Vec<String>, u64)>) {
            if node.own > 0 {
                found.insert((path.clone(), node.own));
            }
            for (name, child) in &node.children {
                path.push(name.clone());
                walk(child, path, found);
                path.pop();
            }
        }
        let mut found = BTreeSet::new();
        walk(&self.root, &mut Vec::new(), &mut found);
        found.into_iter().collect()
    }

    pub(super) fn percent(&self, count: u64) -> f64 {
        100.0 * count as f64 / self.samples().max(1) as f64
    }

    /// The sentence about the samples.
    pub(super) fn caption(&self) -> String {
        if let Some(reason) = self.missing {
            return reason.to_owned();
        }
        let lost = if self.lost > 0 {
            format!(", {} more came too fast", self.lost)
        } else {
            String::new()
        };
        let few =
            if self.samples() < 50 { ": too few to be meaningful, give it more to do" } else { "" };
        format!("{} samples of CPU time in all threads{lost}{few}", self.samples())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::profile::flame) fn graph(stacks: &[(&[&str], u64)]) -> FlameGraph {
        // Innermost first, as they are sampled.
        let stack = |names: &[&str]| names.iter().rev().map(|name| (*name).to_owned()).collect();
        FlameGraph::new(stacks.iter().map(|(names, count)| (stack(names), *count)).collect(), 0)
    }

    #[test]
    fn recursive_functions_are_counted_once() {
        let graph =
            graph(&[(&["work", "fib", "fib"], 30), (&["work", "fib"], 60), (&["work"], 10)]);
        assert_eq!(graph.samples(), 100);
        assert_eq!(
            graph.function("fib"),
            Some(HotFunction { name: "fib".to_owned(), own: 90, total: 90 })
        );
        assert_eq!(
            graph.function("work"),
            Some(HotFunction { name: "work".to_owned(), own: 10, total: 100 })
        );
        assert_eq!(graph.stacks().len(), 3);
        assert!(
            graph.to_string().contains("\n  90.0     90.0  fib\n  10.0    100.0  work"),
            "{graph}"
        );
    }
}
