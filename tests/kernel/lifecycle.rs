//! How kernels start and end, and that they leave nothing behind.

use super::client::{Channel, Kernel, Setup};
use super::deaths::is_running;
use crate::support::{Sandbox, eventually, send, wait};
use serde_json::json;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

/// Starts children in a cell: an ordinary one, and one in its own session that inherits only its
/// environment.
fn spawn_children(kernel: &mut Kernel) -> Vec<i32> {
    let code = r#"
        fn spawn(program: &str, arguments: &[&str]) -> u32 { std::process::Command::new(program).args(arguments).spawn().unwrap().id() }
        let plain = spawn("sleep", &["1000"]);
        let detached = spawn("setsid", &["sleep", "1000"]);
        println!("{plain} {detached} {}", std::process::id());
    "#;
    kernel.ok(code).stdout().split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn shutdown_leaves_nothing_behind() {
    for restart in [false, true] {
        let mut kernel = Kernel::start();
        let children = spawn_children(&mut kernel);
        // Also in the middle of a cell.
        let id = kernel.begin("println!(\"begun\"); loop { std::thread::park(); }");
        kernel.wait_for_text(&id, "begun");
        let reply = kernel.ask(Channel::Control, "shutdown_request", json!({ "restart": restart }));
        assert_eq!(reply, json!({ "status": "ok", "restart": restart }));
        let status = wait(&mut kernel.child, Duration::from_secs(20));
        assert_eq!(status.code(), Some(0), "{}", kernel.log());
        kernel.sandbox.assert_nothing_left(Duration::from_secs(10));
        assert!(!children.into_iter().any(is_running));
    }
}

#[test]
fn sigterm_ends_the_kernel() {
    let mut kernel = Kernel::start();
    kernel.ok("let x = 1;");
    send(libc::SIGTERM, kernel.pid());
    assert_eq!(
        wait(&mut kernel.child, Duration::from_secs(20)).code(),
        Some(0),
        "{}",
        kernel.log()
    );
    kernel.sandbox.assert_nothing_left(Duration::from_secs(10));
}

#[test]
fn sigkill_of_the_kernel_leaves_nothing_behind() {
    let mut kernel = Kernel::start();
    let children = spawn_children(&mut kernel);
    assert!(children.iter().all(|pid| is_running(*pid)));
    assert!(!kernel.sandbox.files().is_empty());
    let id = kernel.begin("println!(\"begun\"); loop { std::hint::spin_loop(); }");
    kernel.wait_for_text(&id, "begun");
    send(libc::SIGKILL, kernel.pid());
    let _ = wait(&mut kernel.child, Duration::from_secs(5));
    kernel.sandbox.assert_nothing_left(Duration::from_secs(6));
    assert!(!children.into_iter().any(is_running));
}

/// Jupyter's server may be killed together with the reader of its log. Its kernels must then end.
#[test]
#[cfg(target_os = "linux")]
fn kernel_ends_with_jupyter() {
    let sandbox = Arc::new(Sandbox::new());
    let folder = sandbox.path("k");
    let (kernel, _) = Setup::within(&sandbox).command(&folder);
    let words = [kernel.get_program()].into_iter().chain(kernel.get_args());
    let words: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    // The shell plays the server: it sets its own id, starts the kernel, and waits.
    let script = format!("export JPY_PARENT_PID=$$; {} & echo $!; wait", words.join(" "));
    let mut server = std::process::Command::new("sh");
    server
        .args(["-c", &script])
        .current_dir(kernel.get_current_dir().unwrap())
        .env("PARCOURSE_TMPDIR", sandbox.path("p"));
    let mut server =
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    drop(server.stderr.take());
    eventually("start of the kernel", || {
        sandbox
            .processes()
            .iter()
            .any(|(_, line)| line.contains("kernel --connection-file"))
            .then_some(())
    });
    eventually("start of its user process", || (sandbox.processes().len() >= 4).then_some(()));
    server.kill().unwrap();
    server.wait().unwrap();
    sandbox.assert_nothing_left(Duration::from_secs(20));
}

#[test]
fn two_kernels_share_a_template_and_nothing_else() {
    let sandbox = Arc::new(Sandbox::new());
    let starting = Setup::within(&sandbox);
    let other = std::thread::spawn(move || starting.start());
    let mut first = Setup::within(&sandbox).start();
    let mut second = other.join().unwrap();
    let load = super::PRELUDE;
    let cells = [first.begin(load), second.begin(load)];
    assert_eq!((first.finish(&cells[0]).status(), second.finish(&cells[1]).status()), ("ok", "ok"));
    first.ok("let name = \"first\"; fn which() -> u8 { 1 }");
    second.ok("let name = \"second\"; fn which() -> u8 { 2 }");
    assert_eq!(first.ok("(name, which())").result(), Some("(\"first\", 1)"));
    assert_eq!(second.ok("(name, which())").result(), Some("(\"second\", 2)"));
    first.shut_down();
    assert_eq!(second.ok("cores().usable > 0").result(), Some("true"));
    second.shut_down();
    sandbox.assert_nothing_left(Duration::from_secs(10));
}

#[test]
fn bad_connection_files_are_named() {
    let sandbox = Sandbox::new();
    let file = sandbox.path("broken.json");
    std::fs::write(&file, "{").unwrap();
    for (path, words) in [
        (file, "is not a Jupyter connection file"),
        (sandbox.path("missing.json"), "failed to read the connection file"),
    ] {
        let mut command = std::process::Command::new(crate::support::BINARY);
        let output = command.args(["kernel", "--connection-file"]).arg(&path).output().unwrap();
        let told = crate::support::output_text(&output);
        assert!(
            output.status.code() == Some(2)
                && told.contains(words)
                && told.contains(path.to_str().unwrap()),
            "{told}"
        );
    }
}

/// A heartbeat client that disconnects must not affect the others.
#[test]
fn heartbeat_outlives_its_clients() {
    let mut kernel = Kernel::start();
    use std::io::Write;
    let address = format!("{}-5", kernel.connection.ip);
    for bytes in
        [&b""[..], b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03", b"GET / HTTP/1.1\r\n\r\n"]
    {
        let mut visitor = std::os::unix::net::UnixStream::connect(&address).unwrap();
        visitor.write_all(bytes).unwrap();
    }
    std::thread::sleep(Duration::from_millis(200));
    assert!(kernel.heartbeat() < super::TIMEOUT);
    assert_eq!(kernel.ok("1").count(), 1);
}
