//! Programs that read from the keyboard.

use super::TIMEOUT;
use super::client::{Channel, Kernel, LONG};
use serde_json::json;
use std::time::Instant;

/// Waits for a request for input on behalf of the cell and answers it.
fn answer(kernel: &mut Kernel, id: &str, prompt: &str, password: bool, line: &str) {
    let request = kernel.wait_for("input_request", LONG, |message| message.kind == "input_request");
    assert_eq!((request.channel, request.parent.as_str()), (Channel::Stdin, id));
    assert_eq!(request.content, json!({ "prompt": prompt, "password": password }));
    kernel.send(Channel::Stdin, "input_reply", json!({ "status": "ok", "value": line }));
}

#[test]
fn programs_can_ask_for_input() {
    let mut kernel = Kernel::start();
    let allowed = json!({ "allow_stdin": true });
    let code = r#"
        use std::io::{BufRead, Write};
        print!("Name? "); std::io::stdout().flush().unwrap();
        let mut name = String::new();
        std::io::stdin().read_line(&mut name).unwrap();
        let second = std::io::stdin().lock().lines().next().unwrap().unwrap();
        format!("{name:?} {second:?}")
    "#;
    let id = kernel.begin_with(code, allowed.clone());
    // The prompt appears before the program waits for the answer.
    kernel.wait_for_text(&id, "Name? ");
    answer(&mut kernel, &id, "", false, "Ferris");
    answer(&mut kernel, &id, "", false, "é");
    assert_eq!(kernel.finish(&id).result(), Some("\"\\\"Ferris\\\\n\\\" \\\"é\\\"\""));

    // Requests of the crate evcxr_input, with their prompts.
    let code = r#"
        fn read(request: &str) -> String { println!("{request}"); let mut line = String::new(); std::io::stdin().read_line(&mut line).unwrap(); line }
        let name = read("EVCXR_INPUT_REQUEST:Your name");
        let secret = read("EVCXR_INPUT_REQUEST_PASSWORD:Secret");
        println!("{} {}", name.trim(), secret.trim().len());
    "#;
    let id = kernel.begin_with(code, allowed.clone());
    answer(&mut kernel, &id, "Your name", false, "Ada");
    answer(&mut kernel, &id, "Secret", true, "12345");
    assert_eq!(kernel.finish(&id).stdout(), "Ada 5\n");

    // The front end does not allow input: end of file, at once.
    let cell =
        kernel.ok("let mut line = String::new(); std::io::stdin().read_line(&mut line).unwrap()");
    assert_eq!(cell.result(), Some("0"));
    assert_eq!(
        kernel.ok("std::io::read_to_string(std::io::stdin()).unwrap().len()").result(),
        Some("0")
    );

    // Other threads' output continues while the user thinks, and the cell can be interrupted.
    let code = r#"
        std::thread::spawn(|| loop { println!("tick"); std::thread::sleep(std::time::Duration::from_millis(100)); });
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
    "#;
    let id = kernel.begin_with(code, allowed.clone());
    kernel.wait_for("input_request", LONG, |message| {
        message.kind == "input_request" && message.parent == id
    });
    kernel.wait_for_text(&id, "tick\ntick");
    let asked = Instant::now();
    kernel.interrupt();
    let cell = kernel.finish(&id);
    assert_eq!(cell.ename(), "Interrupted");
    assert!(cell.replied_at().duration_since(asked) < TIMEOUT);

    // A late answer to that request is not used for the next.
    let id = kernel.begin_with(
        "let mut line = String::new(); std::io::stdin().read_line(&mut line).unwrap(); line",
        allowed,
    );
    answer(&mut kernel, &id, "", false, "fresh");
    assert_eq!(kernel.finish(&id).result(), Some("\"fresh\\n\""));
}
