//! Graphs on real threads: order, resources, overlap, panics, interrupts.

mod child;

use child::On;
use parcourse::graph::Schedule;
use parcourse::interrupt::Interrupted;
use parcourse::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::ThreadId;

const TICK: Duration = Duration::from_millis(1);

fn soup() -> Graph {
    Graph::new()
        .clock("min", TICK)
        .resource("stove", 1)
        .task("peas", 30)
        .uses("stove")
        .unattended()
        .task("leek", 4)
        .task("carrots", 3)
        .task("sausage", 10)
        .uses("stove")
        .task("simmer", 12)
        .after(["peas", "leek", "carrots"])
        .uses("stove")
        .unattended()
        .task("serve", 2)
        .after(["simmer", "sausage"])
}

/// Nothing starts before what it waits for has ended; no worker does two things at once; each
/// resource is used by one task at a time.
#[track_caller]
fn assert_valid(graph: &[(&str, &[&str])], schedule: &Schedule) {
    assert_eq!(schedule.entries().len(), graph.len());
    let entry = |name: &str| schedule.entry(name).unwrap_or_else(|| panic!("`{name}` was not run"));
    for (task, after) in graph {
        for need in *after {
            assert!(
                entry(need).end <= entry(task).start,
                "`{task}` before the end of `{need}`:\n{schedule}"
            );
        }
    }
    for (position, one) in schedule.entries().iter().enumerate() {
        assert!(one.start <= one.end && one.end <= schedule.makespan());
        for other in &schedule.entries()[position + 1..] {
            let conflict = one.worker == other.worker
                || one.resources.iter().any(|resource| other.resources.contains(resource));
            let overlap = one.start < other.end && other.start < one.end;
            assert!(
                !(conflict && overlap),
                "`{}` and `{}` at once:\n{schedule}",
                one.task,
                other.task
            );
        }
    }
}

const SOUP: [(&str, &[&str]); 6] = [
    ("peas", &[]),
    ("leek", &[]),
    ("carrots", &[]),
    ("sausage", &[]),
    ("simmer", &["peas", "leek", "carrots"]),
    ("serve", &["simmer", "sausage"]),
];

#[test]
fn runs_and_plans_respect_dependencies_and_resources() {
    for workers in 1..=4 {
        assert_valid(&SOUP, &soup().plan(workers));
        assert_valid(&SOUP, &soup().run_with(workers));
    }
}

#[test]
fn run_takes_at_least_the_planned_time_and_the_span() {
    let graph = soup();
    let run = graph.run_with(["Alice", "Bob"]);
    assert!(run.makespan() >= graph.span() && run.work() >= graph.work(), "{run}");
    assert!(run.speed_up() <= run.parallelism() + 1e-9, "{run}");
    // The stove is busy for 30 + 12 + 10 minutes, and then the soup is served; or the sausage comes
    // last.
    assert_eq!(graph.plan(["Alice", "Bob"]).makespan(), 54.0);
}

#[test]
fn large_random_graphs_are_done_completely_and_in_order() {
    let mut seed = 17u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let tasks: Vec<(String, Vec<String>, usize)> = (0..200)
        .map(|task| {
            let needs = (0..random(4))
                .filter(|_| task > 0)
                .map(|_| format!("{}", random(task.max(1))))
                .collect();
            (format!("{task}"), needs, random(3))
        })
        .collect();
    let build = |graph: Graph, (name, needs, kind): &(String, Vec<String>, usize)| {
        let graph = graph.task(name.as_str(), Duration::from_micros(100)).after(needs.clone());
        let graph = if *kind > 0 { graph.uses("tool") } else { graph };
        if *kind > 1 { graph.unattended() } else { graph }
    };
    let graph = tasks.iter().fold(Graph::new().clock("ms", TICK).resource("tool", 2), build);
    let needs: Vec<(&str, Vec<&str>)> = tasks
        .iter()
        .map(|(name, needs, _)| (name.as_str(), needs.iter().map(String::as_str).collect()))
        .collect();
    let expected: Vec<(&str, &[&str])> =
        needs.iter().map(|(name, needs)| (*name, needs.as_slice())).collect();
    assert_valid(&expected, &graph.plan(3));
    assert_valid(&expected, &graph.run_with(3));
    assert_eq!(graph.plan(3), graph.plan(3));
}

/// Each task waits until the other one runs: with a single thread this would never end.
#[test]
fn two_workers_are_two_threads_at_the_same_time() {
    let barrier = Arc::new(Barrier::new(2));
    let seen: Arc<Mutex<Vec<(ThreadId, String)>>> = Arc::default();
    let meet = || {
        let (barrier, seen) = (barrier.clone(), seen.clone());
        move || {
            barrier.wait();
            let thread = std::thread::current();
            seen.lock().unwrap().push((thread.id(), thread.name().unwrap().to_string()));
            sleep(5 * TICK);
        }
    };
    let run = Graph::new().task("one", meet()).task("two", meet()).run_with(["Alice", "Bob"]);
    let seen = seen.lock().unwrap();
    assert_ne!(seen[0].0, seen[1].0);
    let mut names: Vec<&str> = seen.iter().map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Alice", "Bob"]);
    let (one, two) = (run.entry("one").unwrap(), run.entry("two").unwrap());
    assert_eq!((one.worker.as_str(), two.worker.as_str()), ("Alice", "Bob"));
    assert!(one.start < two.end && two.start < one.end, "{run}");
}

#[test]
fn panics_name_the_task_and_nothing_follows() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let graph = Graph::new()
        .task("chop", || panic!("no knife"))
        .task("cook", move || counted.store(1, Ordering::Relaxed))
        .after(["chop"]);
    let payload = catch_unwind(AssertUnwindSafe(|| graph.run_with(2))).unwrap_err();
    let text = payload.downcast_ref::<String>().unwrap();
    assert!(
        text.starts_with("the task `chop` panicked: no knife (at ") && text.contains("graph.rs"),
        "{text}"
    );
    assert_eq!(count.load(Ordering::Relaxed), 0);
    assert_eq!(Graph::new().task("again", 0).run_with(2).entries().len(), 1);
}

#[test]
fn an_interrupt_ends_tasks_that_wait() {
    let body = || {
        let graph = Graph::new()
            .task("soup", 60)
            .unattended()
            .task("say", || println!("ready"))
            .task("chop", 60)
            .after(["say"]);
        let graph = graph.task("eat", || println!("eaten")).after(["soup"]);
        match catch_unwind(AssertUnwindSafe(|| graph.run_with(["Alice"]))) {
            Err(payload) if payload.is::<Interrupted>() => println!("interrupted"),
            _ => println!("something else"),
        }
    };
    let mut child = child::spawn("an_interrupt_ends_tasks_that_wait", On::Parcourse, body);
    child.wait_for("ready").interrupt();
    let stdout = child.finish().success();
    assert!(stdout.ends_with("\ninterrupted\n") && !stdout.contains("eaten"), "{stdout}");
}
