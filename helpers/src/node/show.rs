//! How a node is shown: lines of text, or a table of two columns.

use super::{Cache, CacheKind, NodeInfo};
use crate::format::{byte_size, counted, escape_html};
use crate::output::{Bundle, Rich};
use std::fmt;

impl NodeInfo {
    fn rows(&self) -> [(&'static str, String); 8] {
        let or_unknown =
            |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_string());
        let kernel =
            self.kernel.as_ref().map(|kernel| format!(", kernel {kernel}")).unwrap_or_default();
        [
            ("host", or_unknown(&self.host)),
            ("system", format!("{}{kernel}, {}", or_unknown(&self.system), self.architecture)),
            ("CPU", or_unknown(&self.cpu)),
            ("cores", self.cores_in_words()),
            ("caches", self.caches_in_words()),
            ("NUMA", self.numa_in_words()),
            ("memory", self.memory_in_words()),
            ("job", self.job_in_words()),
        ]
    }

    fn cores_in_words(&self) -> String {
        let counts = [(self.sockets, "socket"), (self.cores, "core"), (self.threads, "thread")];
        if counts.iter().all(|(count, _)| count.is_none()) {
            return "unknown".to_string();
        }
        counts
            .map(|(count, name)| {
                count.map_or_else(|| format!("unknown {name}s"), |count| counted(count, name))
            })
            .join(", ")
    }

    fn caches_in_words(&self) -> String {
        let threads_per_core = match (self.threads, self.cores) {
            (Some(threads), Some(cores)) if cores > 0 && threads % cores == 0 => {
                Some(threads / cores)
            }
            _ => None,
        };
        let cache = |cache: &Cache| {
            let shared = match cache.shared_by {
                shared if Some(shared) == threads_per_core => "for each core".to_string(),
                1 => "for each thread".to_string(),
                shared if Some(shared) == self.threads => format!("for all {shared} threads"),
                shared => format!("for {shared} threads each"),
            };
            format!("{} {} {shared}", cache.name(), byte_size(cache.size))
        };
        // On processors with two kinds of cores, too, data caches come first.
        let mut caches = self.caches.clone();
        caches.sort_by_key(|cache| (cache.level, cache.kind == CacheKind::Instruction));
        if caches.is_empty() {
            "unknown".to_string()
        } else {
            caches.iter().map(cache).collect::<Vec<_>>().join(", ")
        }
    }

    fn numa_in_words(&self) -> String {
        let nodes = counted(self.numa.len(), "node");
        match &self.numa[..] {
            [] => "unknown".to_string(),
            [_] => nodes,
            [first, others @ ..] => {
                // Equal except for what the firmware reserves.
                let gib = |memory: Option<u64>| {
                    memory.map(|bytes| (bytes as f64 / f64::from(1 << 30)).round())
                };
                let alike = |node: &super::NumaNode| {
                    node.cpus.len() == first.cpus.len() && gib(node.memory) == gib(first.memory)
                };
                let describe = |node: &super::NumaNode| {
                    let memory =
                        node.memory.map_or_else(|| "unknown memory".to_string(), byte_size);
                    format!("{memory} and {}", counted(node.cpus.len(), "thread"))
                };
                if others.iter().all(alike) {
                    format!("{nodes}, {} each", describe(first))
                } else {
                    format!(
                        "{nodes}: {}",
                        self.numa.iter().map(describe).collect::<Vec<_>>().join("; ")
                    )
                }
            }
        }
    }

    fn memory_in_words(&self) -> String {
        let mut text = self.memory.map_or_else(|| "unknown".to_string(), byte_size);
        if let Some(available) = self.memory_available {
            text += &format!(", {} available", byte_size(available));
        }
        if let Some(limit) = self.memory_limit {
            text += &format!(", limited to {} by cgroup", byte_size(limit));
        }
        text
    }

    fn job_in_words(&self) -> String {
        let Some(job) = &self.job else { return "none".to_string() };
        let mut parts = vec![format!("{} {}", job.scheduler, job.id)];
        parts.extend(job.array_task.as_ref().map(|task| format!("array task {task}")));
        parts.extend(job.name.as_ref().map(|name| format!("`{name}`")));
        parts.extend(job.queue.as_ref().map(|queue| format!("queue `{queue}`")));
        parts.extend(job.nodes.map(|nodes| counted(nodes, "node")));
        parts.join(", ")
    }

    /// Called by the kernel for the last expression of a cell.
    pub fn evcxr_display(&self) {
        self.bundle().evcxr_display();
    }
}

impl fmt::Display for NodeInfo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.rows().map(|(name, value)| format!("{name:<10}{value}"));
        formatter.write_str(&lines.join("\n"))
    }
}

impl fmt::Debug for NodeInfo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Rich for NodeInfo {
    fn bundle(&self) -> Bundle {
        let rows = self.rows().map(|(name, value)| {
            format!(
                "<tr><th style=\"text-align:left\">{name}</th>\
                 <td style=\"text-align:left\">{}</td></tr>",
                escape_html(&value)
            )
        });
        Bundle::plain(self.to_string())
            .with("text/html", format!("<table>{}</table>", rows.concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::NumaNode;
    use crate::node::tests::fake;

    fn node(name: &str) -> NodeInfo {
        crate::node::gather(&fake(name).0, &|_| None)
    }

    #[test]
    fn table_is_escaped() {
        let mut node = node("html");
        node.cpu = Some("<Chip> & Co".to_string());
        let html = node.bundle().get("text/html").unwrap().to_string();
        assert!(
            html.contains("&lt;Chip&gt; &amp; Co")
                && html.contains("<th style=\"text-align:left\">job</th>"),
            "{html}"
        );
    }

    #[test]
    fn unlike_numa_nodes_are_listed() {
        let mut node = node("unlike numa");
        node.numa.push(NumaNode { number: 2, cpus: vec![], memory: None });
        assert_eq!(
            node.numa_in_words(),
            "3 nodes: 8 GiB and 4 threads; 8 GiB and 4 threads; unknown memory and 0 threads"
        );
    }

    #[test]
    fn sharing_is_told_in_words() {
        let mut node = node("sharing");
        node.caches.truncate(1);
        for (shared_by, words) in [
            (1, "L1d 48 KiB for each thread"),
            (2, "L1d 48 KiB for each core"),
            (3, "L1d 48 KiB for 3 threads each"),
            (8, "L1d 48 KiB for all 8 threads"),
        ] {
            node.caches[0].shared_by = shared_by;
            assert_eq!(node.caches_in_words(), words);
        }
    }
}
