//! Messages that must be rejected: the kernel logs them, does nothing, and continues.

use super::client::{Channel, Kernel, Setup};
use jupyter_protocol::connection_info::Transport;
use serde_json::json;
use std::time::Duration;

#[test]
fn unsigned_and_broken_messages_are_ignored() {
    let mut kernel = Kernel::start();
    let target = kernel.sandbox.path("must-not-exist");
    let evil =
        json!({ "code": format!("std::fs::write({target:?}, \"x\").unwrap();"), "silent": false });
    let good = || kernel.frames("execute_request", evil.clone());
    let with = |index: usize, bytes: &[u8]| {
        let mut frames = good();
        frames[index] = bytes.to_vec();
        frames
    };
    let resigned = |code: &str| kernel.frames("execute_request", json!({ "code": code }));
    let other_signature = resigned("1")[1].clone();
    let cases: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("no signature", with(1, b"")),
        ("a wrong signature", with(1, "0".repeat(64).as_bytes())),
        ("another message's signature", with(1, &other_signature)),
        ("half a signature", with(1, &good()[1][..32])),
        ("a signature that is no number", with(1, b"zz")),
        ("a changed content", with(5, br#"{"code":"std::process::exit(1)"}"#)),
        ("a changed header", with(2, b"{}")),
        ("no delimiter", good()[1..].to_vec()),
        ("only a delimiter", vec![good()[0].clone()]),
        ("no content", good()[..5].to_vec()),
        ("nothing but a signature", good()[..2].to_vec()),
        ("an empty frame", vec![Vec::new()]),
        ("garbage", vec![vec![0xff; 1000], vec![0; 7]]),
        ("many frames", vec![b"x".to_vec(); 500]),
    ];
    let (logged, number) = (kernel.log().lines().count(), cases.len());
    for (what, frames) in cases {
        for channel in [Channel::Shell, Channel::Control] {
            kernel.send_frames(channel, frames.clone());
        }
        println!("{what}");
    }
    // Signed, but not a valid message: this client cannot sign content that is not JSON, but
    // content of the wrong type.
    for content in [json!([]), json!("text"), json!({ "code": 5 }), json!({})] {
        let frames = kernel.frames("execute_request", content);
        kernel.send_frames(Channel::Shell, frames);
    }
    kernel.send_frames(Channel::Stdin, vec![b"<IDS|MSG>".to_vec()]);
    assert!(!kernel.comes(Duration::from_secs(1), |message| message.kind == "execute_result"
        || message.content["ename"] != json!(null)));
    assert_eq!(kernel.ok("6 * 7").result(), Some("42"));
    assert_eq!(kernel.ask(Channel::Control, "kernel_info_request", json!({}))["status"], "ok");
    assert!(kernel.heartbeat() < super::TIMEOUT);
    assert!(!target.exists());
    let log = kernel.log();
    let refused =
        log.lines().skip(logged).filter(|line| line.contains("ignored a message on")).count();
    assert!(refused >= 2 * number, "{refused} of {} were logged:\n{log}", 2 * number);

    // The same message with a signature is executed, so the signature makes the difference.
    let frames = kernel.frames("execute_request", evil);
    kernel.send_frames(Channel::Shell, frames);
    crate::support::eventually("execution of the signed message", || target.exists().then_some(()));
}

/// Any local user can connect to a TCP port. Regression test: nine bytes, which claim that a frame
/// of 2^62 bytes follows, ended the kernel.
#[test]
fn claims_of_strangers_on_tcp_cost_nothing() {
    use std::io::{Read, Write};
    let mut kernel = Setup { transport: Transport::TCP, ..Setup::default() }.start();
    let ports = [
        kernel.connection.shell_port,
        kernel.connection.control_port,
        kernel.connection.iopub_port,
        kernel.connection.stdin_port,
    ];
    let mut greeting = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0];
    greeting.extend(b"NULL");
    greeting.resize(64, 0);
    for port in ports.into_iter().chain([kernel.connection.hb_port]) {
        for length in [1u64 << 62, 1 << 40, u64::MAX] {
            let mut stranger = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
            stranger.write_all(&[&greeting[..], &[2], &length.to_be_bytes()].concat()).unwrap();
            // The connection is closed.
            let end = stranger.read_to_end(&mut Vec::new());
            assert!(
                end.is_ok()
                    || end.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
            );
        }
    }
    assert_eq!(kernel.ok("6 * 7").result(), Some("42"));
    assert_eq!(kernel.ok("\"x\".repeat(3_000_000).len()").result(), Some("3000000"));
    let large = format!("{:?}.len()", "x".repeat(1_000_000));
    assert_eq!(kernel.ok(&large).result(), Some("1000000"), "what a front end sends comes through");
    kernel.heartbeat();
    kernel.shut_down();
}

#[test]
fn tcp_without_a_key_is_refused() {
    let sandbox = crate::support::Sandbox::new();
    let folder = sandbox.path("k");
    let (mut command, connection) =
        Setup { transport: Transport::TCP, ..Setup::default() }.command(&folder);
    let open = jupyter_protocol::ConnectionInfo { key: String::new(), ..connection };
    std::fs::write(folder.join("connection.json"), serde_json::to_vec(&open).unwrap()).unwrap();
    let output = command.output().unwrap();
    let told = crate::support::output_text(&output);
    assert!(
        output.status.code() == Some(2)
            && told.contains("no key")
            && told.contains("--KernelManager.transport=ipc"),
        "{told}"
    );
}
