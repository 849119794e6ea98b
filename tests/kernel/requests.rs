//! All requests other than executions.

use super::client::{Channel, Kernel, LONG, Setup};
use jupyter_protocol::connection_info::Transport;
use serde_json::{Value, json};

#[test]
fn every_request_is_answered() {
    // Over TCP, like most front ends; the other tests use ipc.
    let mut kernel = Setup { transport: Transport::TCP, ..Setup::default() }.start();
    let info = kernel.ask(Channel::Shell, "kernel_info_request", json!({}));
    assert_eq!((&info["status"], &info["implementation"]), (&json!("ok"), &json!("parcourse")));
    assert!(info["protocol_version"].as_str().unwrap().starts_with("5."));
    let language = &info["language_info"];
    for (field, value) in [
        ("name", "rust"),
        ("file_extension", ".rs"),
        ("mimetype", "text/rust"),
        ("pygments_lexer", "rust"),
        ("codemirror_mode", "rust"),
    ] {
        assert_eq!(language[field], value, "{field}");
    }
    assert!(
        language["version"].as_str().unwrap().starts_with("1.")
            && language["nbconvert_exporter"].is_string()
    );

    let complete = |kernel: &mut Kernel, code: &str| {
        kernel.ask(Channel::Shell, "is_complete_request", json!({ "code": code }))
    };
    assert_eq!(complete(&mut kernel, "1 + 1")["status"], "complete");
    assert_eq!(
        complete(&mut kernel, "fn f() {"),
        json!({ "status": "incomplete", "indent": "    " })
    );
    assert_eq!(complete(&mut kernel, "fn f() }")["status"], "invalid");
    // The kernel must survive any input.
    let nested = complete(&mut kernel, &"(".repeat(50_000));
    assert!(["incomplete", "invalid"].contains(&nested["status"].as_str().unwrap()), "{nested}");

    kernel.ok("fn twice(x: i32) -> i32 { 2 * x }\nlet numbers = vec![1, 2];");
    let reply = kernel.ask(
        Channel::Shell,
        "complete_request",
        json!({ "code": "let é = 1; numbers.is_em", "cursor_pos": 24 }),
    );
    assert_eq!(reply["status"], "ok");
    assert!(
        reply["matches"]
            .as_array()
            .unwrap()
            .iter()
            .any(|found| found.as_str().unwrap().starts_with("is_empty")),
        "{reply}"
    );
    assert_eq!((&reply["cursor_start"], &reply["cursor_end"]), (&json!(19), &json!(24)));
    let nothing = kernel.ask(
        Channel::Shell,
        "complete_request",
        json!({ "code": "zzzzz_no", "cursor_pos": 8 }),
    );
    assert_eq!((&nothing["status"], &nothing["matches"]), (&json!("ok"), &json!([])));

    let reply = kernel.ask(
        Channel::Shell,
        "inspect_request",
        json!({ "code": "twice(3)", "cursor_pos": 2, "detail_level": 0 }),
    );
    assert_eq!((&reply["status"], &reply["found"]), (&json!("ok"), &json!(true)));
    assert_eq!(reply["data"]["text/plain"], "fn twice(x: i32) -> i32");
    let reply = kernel.ask(
        Channel::Shell,
        "inspect_request",
        json!({ "code": "  ", "cursor_pos": 1, "detail_level": 0 }),
    );
    assert_eq!((&reply["status"], &reply["found"]), (&json!("ok"), &json!(false)));

    kernel.ok("twice(1)");
    kernel.execute_with("twice(2)", json!({ "store_history": false }));
    let tail = json!({ "hist_access_type": "tail", "n": 1, "output": false, "raw": true });
    assert_eq!(
        kernel.ask(Channel::Shell, "history_request", tail),
        json!({ "status": "ok", "history": [[0, 2, "twice(1)"]] })
    );

    assert_eq!(
        kernel.ask(Channel::Shell, "comm_info_request", json!({})),
        json!({ "status": "ok", "comms": {} })
    );
    let open = json!({ "comm_id": "c1", "target_name": "jupyter.widget", "data": {} });
    let id = kernel.send(Channel::Shell, "comm_open", open);
    let close = kernel.wait_for("comm_close", LONG, |message| message.kind == "comm_close");
    assert_eq!((close.parent.as_str(), &close.content["comm_id"]), (id.as_str(), &json!("c1")));

    // Every request, known or not, is framed by busy and idle. Unknown ones get no reply.
    let id = kernel.send(Channel::Shell, "make_coffee_request", json!({}));
    for state in ["busy", "idle"] {
        kernel.wait_for(state, LONG, |message| {
            message.parent == id && message.content["execution_state"] == state
        });
    }
    assert!(kernel.log().contains("make_coffee_request"), "{}", kernel.log());
}

#[test]
fn replies_carry_correct_headers() {
    let mut kernel = Kernel::start();
    let id = kernel.begin("1");
    let reply = kernel
        .wait_for("reply", LONG, |message| message.parent == id && message.kind == "execute_reply");
    for field in ["msg_id", "session", "username", "date", "version"] {
        assert!(
            reply.header[field].as_str().is_some_and(|value| !value.is_empty()),
            "{field} in {}",
            reply.header
        );
    }
    assert_ne!(reply.header["msg_id"], id.as_str());
    assert!(
        reply.metadata["started"].is_string() && reply.metadata["status"] == "ok",
        "{}",
        reply.metadata
    );
    // One kernel, one session.
    let info =
        kernel.send(Channel::Control, "kernel_info_request", Value::Object(Default::default()));
    let other = kernel.wait_for("reply", LONG, |message| {
        message.parent == info && message.kind == "kernel_info_reply"
    });
    assert_eq!(reply.header["session"], other.header["session"]);
}
