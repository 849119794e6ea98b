//! The result of one execute request.

use super::wire::{Channel, Received};
use serde_json::Value;
use std::time::Instant;

#[derive(Default)]
pub struct Cell {
    pub reply: Option<Received>,
    /// All iopub messages with the cell as their parent, in order.
    pub published: Vec<Received>,
}

impl Cell {
    pub fn take(&mut self, message: Received) {
        match message.channel {
            Channel::IoPub => self.published.push(message),
            Channel::Shell => self.reply = Some(message),
            other => panic!("unexpected {} on {other:?}", message.kind),
        }
    }

    pub fn is_replied(&self) -> bool {
        self.reply.is_some()
    }

    pub fn is_idle(&self) -> bool {
        self.of("status").last().is_some_and(|status| status["execution_state"] == "idle")
    }

    pub fn content(&self) -> &Value {
        &self.reply.as_ref().unwrap().content
    }

    pub fn metadata(&self) -> &Value {
        &self.reply.as_ref().unwrap().metadata
    }

    pub fn replied_at(&self) -> Instant {
        self.reply.as_ref().unwrap().at
    }

    pub fn status(&self) -> &str {
        self.content()["status"].as_str().unwrap()
    }

    pub fn count(&self) -> u64 {
        self.content()["execution_count"].as_u64().unwrap()
    }

    pub fn ename(&self) -> &str {
        self.content()["ename"].as_str().unwrap_or_default()
    }

    pub fn evalue(&self) -> &str {
        self.content()["evalue"].as_str().unwrap_or_default()
    }

    /// The traceback without colours.
    pub fn traceback(&self) -> String {
        let lines: Vec<&str> = self.content()["traceback"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        regex::Regex::new("\u{1b}\\[[0-9;]*m")
            .unwrap()
            .replace_all(&lines.join("\n"), "")
            .into_owned()
    }

    /// The contents of the messages of one kind.
    pub fn of(&self, kind: &str) -> Vec<&Value> {
        self.published
            .iter()
            .filter(|message| message.kind == kind)
            .map(|message| &message.content)
            .collect()
    }

    /// The text on one stream.
    pub fn stream(&self, name: &str) -> String {
        self.of("stream")
            .iter()
            .filter(|content| content["name"] == name)
            .filter_map(|content| content["text"].as_str())
            .collect()
    }

    pub fn stdout(&self) -> String {
        self.stream("stdout")
    }

    pub fn stderr(&self) -> String {
        self.stream("stderr")
    }

    /// The plain text of the execute_result.
    pub fn result(&self) -> Option<&str> {
        self.of("execute_result").first().and_then(|content| content["data"]["text/plain"].as_str())
    }

    /// The kinds of output in order: `stdout`, `stderr`, `display_data` …. Consecutive messages of
    /// the same stream count once.
    pub fn order(&self) -> Vec<&str> {
        let mut order: Vec<&str> = Vec::new();
        for message in self
            .published
            .iter()
            .filter(|message| !["status", "execute_input"].contains(&message.kind.as_str()))
        {
            let kind = if message.kind == "stream" {
                message.content["name"].as_str().unwrap()
            } else {
                &message.kind
            };
            if message.kind != "stream" || order.last() != Some(&kind) {
                order.push(kind);
            }
        }
        order
    }

    /// Checks that the error on iopub is the same as in the reply, and that it shows nothing of the
    /// runtime.
    pub fn assert_honest(&self) -> &Cell {
        let errors = self.of("error");
        assert_eq!(errors.len(), 1, "{}", self.all_output());
        for field in ["ename", "evalue", "traceback"] {
            assert_eq!(errors[0][field], self.content()[field], "{field}");
        }
        let traceback = self.traceback();
        for internal in [
            "rust_begin_unwind",
            "core::panicking",
            "std::panicking",
            "run_user_code",
            "evcxr_",
            "__rust",
            "libcode_",
            "src/lib.rs",
        ] {
            assert!(!traceback.contains(internal), "{internal} shows in\n{traceback}");
        }
        assert!(
            traceback.ends_with(&format!("{}: {}", self.ename(), self.evalue())),
            "{traceback}"
        );
        self
    }

    /// Everything, for the message of a failed assertion.
    pub fn all_output(&self) -> String {
        let published = self.published.iter().filter(|message| message.kind != "status");
        let lines: Vec<String> =
            published.map(|message| format!("{}: {}", message.kind, message.content)).collect();
        format!(
            "{}\nreply: {}",
            lines.join("\n"),
            self.reply.as_ref().map(|reply| reply.content.to_string()).unwrap_or_default()
        )
    }
}
