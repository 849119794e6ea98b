//! A run on real threads: one per worker for the whole run, one per unattended task while it lasts.
//!
//! The calling thread decides who does what (with the same [`Dispatcher`] as a plan); workers wait
//! for orders and report. So a decision depends on which tasks have ended, never on which thread
//! woke up first.

use super::dispatch::{Dispatcher, Start};
use super::{Graph, Schedule, Workers, schedule};
use crate::base::panic_capture;
use crate::base::panic_message::panic_message;
use crate::cores::cores;
use crate::interrupt::{self, Interrupted, Scope};
use std::any::Any;
use std::panic::resume_unwind;
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Instant;

/// A thread's report on a finished task; times in units since the start.
struct Finished {
    start: Start,
    from: f64,
    to: f64,
    failure: Option<(Box<dyn Any + Send>, String)>,
}

impl Graph {
    /// Runs all tasks with as many workers as there are usable [`cores()`].
    ///
    /// # Panics
    ///
    /// Like [`run_with`](Graph::run_with).
    #[track_caller]
    pub fn run(&self) -> Schedule {
        self.run_of(cores().usable.names())
    }

    /// Runs all tasks with these workers, each a thread of this name, and returns who did what and
    /// when.
    ///
    /// A task starts when everything it waits for is done, a worker is free (unless it is
    /// [unattended](Graph::unattended)) and the resources it uses are free. Handing out a task
    /// costs some tens of microseconds, so a task should take at least a millisecond.
    ///
    /// # Panics
    ///
    /// Panics if the graph does not pass [`check`](Graph::check), if two workers have the same
    /// name, or if there is no worker and a task needs one.
    ///
    /// If a task panics, no further task starts; `run` waits for the running ones and then panics
    /// with the name of the task, its message and location.
    ///
    /// An interrupt (see [`interrupt`]) ends tasks that wait; others have to check for it, or run
    /// to the end.
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let cake = Graph::new()
    ///     .clock("min", Duration::from_micros(100))
    ///     .task("dough", 10)
    ///     .task("cream", 5)
    ///     .task("bake", 40).after(["dough"]).unattended()
    ///     .task("decorate", 10).after(["cream", "bake"]);
    /// let done = cake.run_with(["Alice", "Bob"]);
    /// assert_eq!(done.critical_path(), ["dough", "bake", "decorate"]);
    /// ```
    #[track_caller]
    pub fn run_with(&self, workers: impl Workers) -> Schedule {
        self.run_of(workers.names())
    }

    #[track_caller]
    fn run_of(&self, workers: Vec<String>) -> Schedule {
        self.check_workers(&workers);
        let links = self.links();
        // Keeps SIGINT from ending the process until all threads are done.
        let _scope = Scope::enter();
        panic_capture::install_hook();
        let reports = self.on_threads(Dispatcher::new(self, &links, workers.len()), &workers);
        interrupt::check();
        let (mut done, mut failures) = (Vec::with_capacity(self.len()), Vec::new());
        for Finished { start, from, to, failure } in reports {
            failures.extend(failure.map(|(payload, place)| (start.task, payload, place)));
            done.push((start, from, to));
        }
        if let Some(position) =
            failures.iter().position(|(_, payload, _)| payload.is::<Interrupted>())
        {
            resume_unwind(failures.swap_remove(position).1);
        }
        if let Some((task, payload, place)) = failures.iter().min_by_key(|(task, ..)| *task) {
            let at = if place.is_empty() { String::new() } else { format!(" (at {place})") };
            panic!(
                "the task `{}` panicked: {}{at}",
                self.tasks[*task].name,
                panic_message(&**payload)
            );
        }
        Schedule::new(self, &links, workers, done)
    }

    /// Runs until everything is done; after a failure or an interrupt, until all running tasks are
    /// done.
    fn on_threads(&self, mut dispatcher: Dispatcher, workers: &[String]) -> Vec<Finished> {
        // Set when all workers have started: starting them is not part of the run.
        let began = OnceLock::new();
        let now = || self.clock.units(began.get_or_init(Instant::now).elapsed());
        let perform = |start: Start| {
            let from = now();
            let failure =
                panic_capture::catch(|| self.tasks[start.task].work.perform(&self.clock)).err();
            Finished { start, from, to: now(), failure }
        };
        thread::scope(|scope| {
            let (reporter, reports) = mpsc::channel();
            let named = |name: &str| thread::Builder::new().name(name.to_string());
            let started = |result: std::io::Result<_>| {
                result.unwrap_or_else(|error| panic!("failed to start a thread: {error}"))
            };
            let orders: Vec<mpsc::Sender<Start>> = workers
                .iter()
                .map(|worker| {
                    let (order, orders) = mpsc::channel();
                    let reporter = reporter.clone();
                    // Ends when the sender is dropped, at the end of this scope or when it unwinds.
                    // Then nothing receives reports any more, which is not a reason to panic.
                    let until_dismissed = move || {
                        orders.into_iter().for_each(|start| drop(reporter.send(perform(start))))
                    };
                    started(named(worker).spawn_scoped(scope, until_dismissed));
                    order
                })
                .collect();
            now();
            let mut done: Vec<Finished> = Vec::with_capacity(self.len());
            let (mut running, mut stop) = (0, false);
            loop {
                while !stop && let Some(start) = dispatcher.next() {
                    running += 1;
                    if let Some(worker) = start.worker {
                        orders[worker]
                            .send(start)
                            .expect("a worker waits for orders until it is dismissed");
                    } else {
                        let reporter = reporter.clone();
                        let name = schedule::row_name(self, &start)
                            .unwrap_or_else(|| self.tasks[start.task].name.clone());
                        started(
                            named(&name)
                                .spawn_scoped(scope, move || drop(reporter.send(perform(start)))),
                        );
                    }
                }
                if running == 0 {
                    return done;
                }
                let report: Finished = reports.recv().expect("this thread has a sender too");
                running -= 1;
                dispatcher.finish(&report.start);
                stop |= report.failure.is_some() || interrupt::requested();
                done.push(report);
            }
        })
    }
}
