//! A run on real threads: one per worker for the whole run, one per unattended task while it lasts.
//!
//! The calling thread decides who does what (the same [`Dispatcher`] as for a plan); workers wait
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

/// What a thread says when it is done with a task; times in units since the beginning.
struct Report {
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
    /// As [`run_with`](Graph::run_with).
    #[track_caller]
    pub fn run(&self) -> Schedule {
        self.run_of(cores().usable.names())
    }

    /// Runs all tasks with these workers, each of them a thread of this name, and says who did what
    /// and when.
    ///
    /// A task begins when all it waits for is done, a worker is free (unless it is
    /// [unattended](Graph::unattended)) and so are the resources it uses. Handing out a task costs
    /// some tens of microseconds: a task should take a millisecond to be worth it.
    ///
    /// # Panics
    ///
    /// When the graph does not pass [`check`](Graph::check), when two workers have the same name,
    /// or when there is no worker and a task needs one.
    ///
    /// If a task panics, no further task is begun, those that run are finished, and then `run`
    /// panics with the name of the task, the message and the place of its panic.
    ///
    /// An interrupt (see [`interrupt`]) ends tasks that wait; others have to look for it, or are
    /// finished.
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
        for Report { start, from, to, failure } in reports {
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

    /// Runs until everything is done, or until whatever runs is done after a failure or an
    /// interrupt.
    fn on_threads(&self, mut dispatcher: Dispatcher, workers: &[String]) -> Vec<Report> {
        // Set when all workers are there: starting them is no part of the run.
        let began = OnceLock::new();
        let now = || self.clock.units(began.get_or_init(Instant::now).elapsed());
        let perform = |start: Start| {
            let from = now();
            let failure =
                panic_capture::catch(|| self.tasks[start.task].work.perform(&self.clock)).err();
            Report { start, from, to: now(), failure }
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
                    // A report nobody wants any more is no reason to panic.
                    let until_dismissed = move || {
                        orders.into_iter().for_each(|start| drop(reporter.send(perform(start))))
                    };
                    started(named(worker).spawn_scoped(scope, until_dismissed));
                    order
                })
                .collect();
            now();
            let mut done: Vec<Report> = Vec::with_capacity(self.len());
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
                        let name = schedule::place(self, &start)
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
                let report: Report = reports.recv().expect("this thread has a sender too");
                running -= 1;
                dispatcher.finish(&report.start);
                stop |= report.failure.is_some() || interrupt::requested();
                done.push(report);
            }
        })
    }
}
