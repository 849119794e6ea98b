//! Sampling on Linux.

mod elf;
mod modules;
mod sampler;
mod timers;
mod unwind;

use super::tree::FlameGraph;
use modules::Modules;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use timers::Timers;
use unwind::Unwinder;

/// How often samples are fetched and new threads are looked for.
const ROUND: Duration = Duration::from_millis(5);

static RUNNING: AtomicBool = AtomicBool::new(false);

/// Stacks as addresses, innermost first, and how often each was seen.
type Stacks = HashMap<Vec<u64>, u64>;

/// All threads are sampled while this lives.
pub struct Session {
    stop: Arc<AtomicBool>,
    collector: Option<JoinHandle<(Stacks, Modules)>>,
}

impl Session {
    pub fn start() -> Session {
        assert!(!RUNNING.swap(true, Ordering::AcqRel), "another flame graph is being recorded");
        // From here on, dropping it stops the sampling.
        let mut session = Session { stop: Arc::new(AtomicBool::new(false)), collector: None };
        sampler::start();
        let (ready, wait) = std::sync::mpsc::channel();
        let stop = session.stop.clone();
        let collect = move || {
            let mut timers = Timers::new(timers::this_thread());
            timers.update();
            let mut unwinder = Unwinder::new(Modules::loaded());
            let _ = ready.send(());
            let mut stacks = Stacks::new();
            loop {
                // Checked before the last round, which then misses nothing.
                let last = stop.load(Ordering::Acquire);
                sampler::take(|registers, stack| {
                    *stacks.entry(unwinder.walk(registers, stack)).or_default() += 1
                });
                if last {
                    return (stacks, unwinder.into_modules());
                }
                timers.update();
                std::thread::sleep(ROUND);
            }
        };
        let collector = std::thread::Builder::new()
            .name("flame graph".to_owned())
            .spawn(collect)
            .expect("failed to start a thread");
        session.collector = Some(collector);
        let _ = wait.recv();
        session
    }

    pub fn finish(mut self) -> FlameGraph {
        let Some((stacks, modules)) = self.end() else {
            return FlameGraph::not_available("the collector of samples failed");
        };
        let lost = sampler::lost();
        // A return address is after its call; the innermost address is exact.
        let calls = |stack: &[u64]| -> Vec<u64> {
            stack
                .iter()
                .enumerate()
                .map(|(depth, address)| address.saturating_sub(u64::from(depth > 0)))
                .collect()
        };
        let names = modules.names(&stacks.keys().flat_map(|stack| calls(stack)).collect());
        let stacks = stacks.iter().map(|(stack, count)| {
            let frames = calls(stack)
                .into_iter()
                .filter_map(|address| names.get(&address))
                .flatten()
                .cloned();
            (frames.collect::<Vec<String>>(), *count)
        });
        FlameGraph::new(stacks.collect(), lost)
    }

    fn end(&mut self) -> Option<(Stacks, Modules)> {
        let collector = self.collector.take()?;
        sampler::stop();
        self.stop.store(true, Ordering::Release);
        collector.join().ok()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
        RUNNING.store(false, Ordering::Release);
    }
}
