//! The warm kernel in waiting: it serves newcomers as they would have served themselves, or not at all.

use super::client::{Kernel, LONG, Setup};
use super::deaths::is_running;
use super::{PRELUDE, SOON};
use crate::support::{World, send, wait};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn sockets(world: &World) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(world.private().join("standby")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|extension| extension == "sock")).collect()
}

/// Processes that are standbys or were: each has a guard with the same command line.
fn standbys(world: &World) -> Vec<i32> {
    world.processes().into_iter().filter(|(_, line)| line.contains("__standby")).map(|(pid, _)| pid).collect()
}

fn within<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(begun.elapsed() < limit, "{what} did not happen within {limit:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until a standby waits, and returns its address.
fn wait_for_standby(world: &World) -> PathBuf {
    within("a standby", LONG, || sockets(world).pop())
}

/// The process that runs the kernel: the one that Jupyter started, or the standby in its place.
fn serving_process(kernel: &mut Kernel) -> i32 {
    kernel.ok("std::os::unix::process::parent_id()").result().unwrap().parse().unwrap()
}

/// Makes the waiting standby leave, by taking its address away.
fn dismiss(world: &World) {
    // A kernel may be about to start one.
    within("end of the standbys", LONG, || {
        for socket in sockets(world) {
            let _ = std::fs::remove_file(socket);
        }
        standbys(world).is_empty().then_some(())
    });
}

fn elsewhere() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

#[test]
fn standby_serves_as_the_newcomer_would_have() {
    let world = Arc::new(World::new());
    let mut first = Setup::within(&world).argument("--standby").start();
    assert_eq!(serving_process(&mut first), first.pid());
    wait_for_standby(&world);
    let waiting = standbys(&world);
    assert_eq!(waiting.len(), 2, "a standby and its guard");

    // Another one that is started finds that there is one already.
    let helpers = Path::new(env!("CARGO_MANIFEST_DIR")).join("helpers");
    let mut another = std::process::Command::new(crate::support::BINARY);
    another.args(["__standby", "--helpers"]).arg(helpers).env("PARCOURSE_TMPDIR", world.path("p"));
    assert!(another.current_dir(elsewhere()).status().unwrap().success());
    within("end of the second standby", LONG, || (standbys(&world).len() == 2).then_some(()));
    assert_eq!(sockets(&world).len(), 1);

    // A newcomer in another folder, with another environment, another limit and a log of its own.
    let setup = Setup { directory: elsewhere(), ..Setup::within(&world) };
    // Started by a Jupyter server, which is us: that must not change how it takes signals.
    let setup = setup.variable("JPY_PARENT_PID", &std::process::id().to_string());
    let setup = setup.argument("--standby").argument("--output-limit").argument("1000").variable("COURSE_DATA", "/data/äö");
    let mut second = setup.start();
    assert_eq!(second.ok(PRELUDE).count(), 1);
    assert_eq!(second.ok("cores().usable > 0").result(), Some("true"));
    let serving = serving_process(&mut second);
    assert!(waiting.contains(&serving), "{serving} is none of {waiting:?}: {}", second.log());
    let place = second.ok("(std::env::current_dir().unwrap(), std::env::var(\"COURSE_DATA\").unwrap())");
    assert_eq!(place.result().unwrap(), format!("({:?}, {:?})", elsewhere(), "/data/äö"));
    assert_eq!(second.ok("std::env::vars().filter(|(name, _)| name == \"COURSE_DATA\").count()").result(), Some("1"));
    assert!(second.ok("println!(\"{}\", \"x\".repeat(5000));").stdout().contains("1000 bytes shown"));
    // Nothing of its rehearsal is left.
    assert_eq!(second.fails("warm").ename(), "CompileError");

    // Signals go to the process that Jupyter knows.
    let id = second.begin("println!(\"begun\"); loop { std::thread::park(); }");
    second.wait_for_text(&id, "begun");
    let asked = Instant::now();
    send(libc::SIGINT, second.pid());
    let cell = second.finish(&id);
    assert!(cell.replied_at().duration_since(asked) < SOON);
    assert_eq!(cell.ename(), "Interrupted");

    // The next standby waits by now or soon, and there is one; a killed newcomer takes its servant along.
    wait_for_standby(&world);
    assert_eq!(sockets(&world).len(), 1);
    send(libc::SIGKILL, second.pid());
    let _ = wait(&mut second.child, Duration::from_secs(5));
    within("end of the serving process", LONG, || (!is_running(serving)).then_some(()));

    // A third one is served as well, and leaves politely: with exit code 0.
    let mut third = Setup::within(&world).argument("--standby").start();
    assert_ne!(serving_process(&mut third), third.pid(), "{}", third.log());
    third.shut_down();
    let mut fourth = Setup::within(&world).start();
    assert_eq!(serving_process(&mut fourth), fourth.pid(), "nobody asked for a standby");
    fourth.shut_down();
    first.shut_down();
    dismiss(&world);
    let folders: Vec<PathBuf> = world.files().into_iter().filter(|path| !path.ends_with("standby")).collect();
    assert!(folders.is_empty(), "{folders:?}");
}

/// Leaves one CPU to the process, the last one it may use.
fn use_one_cpu() {
    // SAFETY: cpu_set_t is plain data, for which all-zero is valid; the calls read and write it and nothing else.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let size = std::mem::size_of::<libc::cpu_set_t>();
        libc::sched_getaffinity(0, size, &mut set);
        let last = (0..libc::CPU_SETSIZE as usize).rev().find(|cpu| libc::CPU_ISSET(*cpu, &set)).unwrap_or(0);
        libc::CPU_ZERO(&mut set);
        libc::CPU_SET(last, &mut set);
        libc::sched_setaffinity(0, size, &set);
    }
}

#[test]
fn standby_steps_aside_where_it_would_differ() {
    let world = Arc::new(World::new());
    let mut first = Setup::within(&world).argument("--standby").start();
    let socket = wait_for_standby(&world);
    if std::thread::available_parallelism().unwrap().get() > 1 {
        let mut bound = Setup { before: Some(use_one_cpu), ..Setup::within(&world) }.argument("--standby").start();
        assert_eq!(serving_process(&mut bound), bound.pid());
        assert!(bound.log().contains("the standby differs in: status Cpus_allowed"), "{}", bound.log());
        assert_eq!(bound.ok("std::thread::available_parallelism().unwrap().get()").result(), Some("1"));
        bound.shut_down();
    }
    let mut flagged = Setup::within(&world).argument("--standby").variable("RUSTFLAGS", "--cfg flagged -Cprefer-dynamic").start();
    assert_eq!(serving_process(&mut flagged), flagged.pid());
    flagged.shut_down();
    // It still waits for somebody whom it suits.
    assert!(socket.exists());
    let mut alike = Setup::within(&world).argument("--standby").start();
    assert_ne!(serving_process(&mut alike), alike.pid(), "{}", alike.log());
    alike.shut_down();
    first.shut_down();
    dismiss(&world);
}

#[test]
fn stale_standby_is_not_used_and_leaves() {
    let world = Arc::new(World::new());
    let (course, source) = (world.path("course"), Path::new(env!("CARGO_MANIFEST_DIR")));
    std::fs::create_dir(&course).unwrap();
    let helpers = course.join("helpers");
    assert!(std::process::Command::new("cp").arg("-r").arg(source.join("helpers")).arg(&helpers).status().unwrap().success());
    // The crate inherits from the workspace around it, of which only that is needed.
    let manifest = std::fs::read_to_string(source.join("Cargo.toml")).unwrap();
    std::fs::write(course.join("Cargo.toml"), manifest.split_once("[package]").unwrap().0.replace("default-members", "# ")).unwrap();
    std::fs::copy(source.join("Cargo.lock"), course.join("Cargo.lock")).unwrap();
    // Its template is not for the user's cache.
    let cache = world.path("cache").to_str().unwrap().to_owned();
    let setup = || {
        let setup = Setup { helpers: Some(helpers.clone()), ..Setup::within(&world) };
        setup.argument("--standby").variable("PARCOURSE_CACHE", &cache)
    };
    setup().prepare();
    let mut first = setup().start();
    let stale = wait_for_standby(&world);
    let waiting = standbys(&world);
    // An edit of the helper crate.
    let edited = helpers.join("src/lib.rs");
    let text = std::fs::read_to_string(&edited).unwrap();
    std::fs::write(&edited, text + "\n/// New since the standby was warm.\npub const EDITED: u32 = 17;\n").unwrap();
    let mut second = setup().start();
    assert_eq!(serving_process(&mut second), second.pid());
    // Cold: the crate is compiled as it is now.
    let load = format!(":dep parcourse = {{ path = {helpers:?} }}\nparcourse::EDITED");
    assert_eq!(second.ok(&load).result(), Some("17"));
    within("end of the stale standby", LONG, || (!stale.exists() && !waiting.iter().any(|pid| is_running(*pid))).then_some(()));
    second.shut_down();
    first.shut_down();
    dismiss(&world);
}
