//! The outputs of one cell, as a notebook stores them.

use jupyter_protocol::media::Media;
use jupyter_protocol::{JupyterMessageContent, Stdio};
use nbformat::v4::{DisplayData, ErrorOutput, ExecuteResult, MultilineString, Output};
use std::collections::HashMap;

/// Limit on the output kept per cell, so that a runaway loop fills neither the memory nor the
/// executed notebook.
const KEPT_BYTES: usize = 8 << 20;
/// Limit on the stderr text kept for the verdict, however much else the cell prints.
const KEPT_STDERR: usize = 64 << 10;

/// The outputs of one cell.
#[derive(Default)]
pub struct Outputs {
    list: Vec<Output>,
    /// The outputs that show a display id.
    displays: HashMap<String, Vec<usize>>,
    clear_before_next: bool,
    bytes: usize,
    dropped_bytes: usize,
    /// The beginning of all stderr text, including text that was cleared later.
    pub stderr: String,
}

impl Outputs {
    /// Adds a message of the iopub channel. Messages that are not outputs are ignored.
    pub fn take(&mut self, content: JupyterMessageContent) {
        match content {
            JupyterMessageContent::StreamContent(stream) => {
                let name = match stream.name {
                    Stdio::Stdout => "stdout",
                    Stdio::Stderr => "stderr",
                };
                self.stream(name, &stream.text);
            }
            JupyterMessageContent::DisplayData(display) => {
                let id = display.transient.and_then(|transient| transient.display_id);
                let bytes = size(&display.data);
                self.push(
                    Output::DisplayData(DisplayData {
                        data: display.data,
                        metadata: display.metadata,
                    }),
                    id,
                    bytes,
                );
            }
            JupyterMessageContent::ExecuteResult(result) => {
                let id = result.transient.and_then(|transient| transient.display_id);
                let bytes = size(&result.data);
                let (execution_count, data, metadata) =
                    (result.execution_count, result.data, result.metadata);
                self.push(
                    Output::ExecuteResult(ExecuteResult { execution_count, data, metadata }),
                    id,
                    bytes,
                );
            }
            JupyterMessageContent::ErrorOutput(error) => {
                self.clear_if_asked();
                // Always kept, because the report needs it.
                self.list.push(Output::Error(ErrorOutput {
                    ename: error.ename,
                    evalue: error.evalue,
                    traceback: error.traceback,
                }));
            }
            JupyterMessageContent::ClearOutput(clear) if clear.wait => {
                self.clear_before_next = true
            }
            JupyterMessageContent::ClearOutput(_) => self.clear(),
            _ => {}
        }
    }

    /// All text written to stdout.
    pub fn stdout(&self) -> String {
        let texts = self.list.iter().filter_map(|output| match output {
            Output::Stream { name, text } if name == "stdout" => Some(text.0.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// Updates all outputs of this cell that show the display id.
    pub fn update(
        &mut self,
        id: &str,
        data: &Media,
        metadata: &serde_json::Map<String, serde_json::Value>,
    ) {
        for index in self.displays.get(id).into_iter().flatten() {
            match &mut self.list[*index] {
                Output::DisplayData(display) => {
                    (display.data, display.metadata) = (data.clone(), metadata.clone())
                }
                Output::ExecuteResult(result) => {
                    (result.data, result.metadata) = (data.clone(), metadata.clone())
                }
                Output::Stream { .. } | Output::Error(_) => {}
            }
        }
    }

    fn stream(&mut self, name: &str, text: &str) {
        if name == "stderr" {
            let room = text.floor_char_boundary(KEPT_STDERR.saturating_sub(self.stderr.len()));
            self.stderr.push_str(&text[..room]);
        }
        self.clear_if_asked();
        let room = text.floor_char_boundary(KEPT_BYTES.saturating_sub(self.bytes));
        self.bytes += room;
        self.dropped_bytes += text.len() - room;
        if room == 0 {
            return;
        }
        match self.list.last_mut() {
            Some(Output::Stream { name: last, text: kept }) if last == name => {
                kept.0.push_str(&text[..room])
            }
            _ => self.list.push(Output::Stream {
                name: name.to_string(),
                text: MultilineString(text[..room].to_string()),
            }),
        }
    }

    fn push(&mut self, output: Output, id: Option<String>, bytes: usize) {
        self.clear_if_asked();
        if self.bytes + bytes > KEPT_BYTES {
            self.dropped_bytes += bytes;
            return;
        }
        self.bytes += bytes;
        if let Some(id) = id {
            self.displays.entry(id).or_default().push(self.list.len());
        }
        self.list.push(output);
    }

    fn clear_if_asked(&mut self) {
        if std::mem::take(&mut self.clear_before_next) {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.displays.clear();
        (self.bytes, self.clear_before_next) = (0, false);
    }

    /// The outputs as a notebook stores them, with a notice if some were dropped.
    pub fn stored(&self) -> Vec<Output> {
        let mut list = self.list.clone();
        if self.dropped_bytes > 0 {
            let notice = format!(
                "\n[parcourse run: {} more bytes of output were dropped]\n",
                self.dropped_bytes
            );
            list.push(Output::Stream { name: "stdout".to_string(), text: MultilineString(notice) });
        }
        list
    }

    pub fn errors(&self) -> impl Iterator<Item = &ErrorOutput> {
        self.list.iter().filter_map(|output| match output {
            Output::Error(error) => Some(error),
            _ => None,
        })
    }
}

/// The approximate size of a bundle in a notebook, in bytes.
fn size(data: &Media) -> usize {
    serde_json::to_vec(data).map_or(0, |text| text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jupyter_protocol::{ClearOutput, MediaType, StreamContent, Transient};

    fn display(text: &str, id: Option<&str>) -> JupyterMessageContent {
        let mut display = jupyter_protocol::DisplayData::from(MediaType::Plain(text.to_string()));
        display.transient = id.map(|id| Transient { display_id: Some(id.to_string()) });
        display.into()
    }

    fn texts(outputs: &Outputs) -> Vec<String> {
        let text = |output: &Output| match output {
            Output::Stream { name, text } => format!("{name}: {}", text.0),
            Output::DisplayData(display) => {
                format!(
                    "display: {}",
                    serde_json::to_value(&display.data).unwrap()["text/plain"].as_str().unwrap()
                )
            }
            other => format!("{other:?}"),
        };
        outputs.stored().iter().map(text).collect()
    }

    #[test]
    fn joins_neighbouring_text_of_one_stream() {
        let mut outputs = Outputs::default();
        outputs.take(StreamContent::stdout("a").into());
        outputs.take(StreamContent::stdout("b\n").into());
        outputs.take(StreamContent::stderr("e\n").into());
        outputs.take(StreamContent::stdout("c\n").into());
        assert_eq!(texts(&outputs), ["stdout: ab\n", "stderr: e\n", "stdout: c\n"]);
        assert_eq!(outputs.stderr, "e\n");
    }

    #[test]
    fn updates_and_clears_displays() {
        let mut outputs = Outputs::default();
        outputs.take(display("0 %", Some("bar")));
        outputs.take(display("other", None));
        outputs.update(
            "bar",
            &Media::new(vec![MediaType::Plain("100 %".to_string())]),
            &Default::default(),
        );
        assert_eq!(texts(&outputs), ["display: 100 %", "display: other"]);
        outputs.take(ClearOutput { wait: true }.into());
        assert_eq!(texts(&outputs).len(), 2, "clearing waits for the next output");
        outputs.take(display("new", None));
        assert_eq!(texts(&outputs), ["display: new"]);
        outputs.update("bar", &Media::default(), &Default::default());
        assert_eq!(texts(&outputs), ["display: new"], "a cleared display is gone");
    }

    #[test]
    fn bounds_a_flood_and_still_sees_stderr() {
        let mut outputs = Outputs::default();
        for _ in 0..10 {
            outputs.take(StreamContent::stdout(&"x".repeat(1 << 20)).into());
        }
        outputs.take(StreamContent::stderr("late\n").into());
        let texts = texts(&outputs);
        assert_eq!(texts.len(), 2);
        assert_eq!(
            texts[1],
            "stdout: \n[parcourse run: 2097157 more bytes of output were dropped]\n"
        );
        assert_eq!(outputs.stderr, "late\n");
    }
}
