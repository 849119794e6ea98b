"""What a cell answers: results, output in order and live, errors that say what happened."""

import unittest
from pathlib import Path

from harness import KernelCase


class Counting(KernelCase):
    """First, on a kernel of its own: the counter starts at 1."""

    def test_execution_count(self):
        self.assertEqual(self.run_ok("1").reply["execution_count"], 1)
        self.assertEqual(self.run_ok("2").reply["execution_count"], 2)
        self.run_ok("3", store_history=False)
        silent = self.run_ok("4", silent=True)
        self.assertEqual(silent.of_type("execute_result", "execute_input", "stream"), [])
        cell = self.run_ok("5")
        self.assertEqual(cell.reply["execution_count"], 3)
        self.assertEqual(cell.of_type("execute_input")[0]["execution_count"], 3)
        self.assertEqual(cell.of_type("execute_result")[0]["execution_count"], 3)


class Results(KernelCase):
    def test_last_expression_is_the_result(self):
        self.assertEqual(self.run_ok("let a = 20; a + 22").result(), "42")
        self.assertIsNone(self.run_ok("let b = 1;").result())

    def test_variables_persist(self):
        self.run_ok("let mut list = vec![1, 2, 3];")
        self.run_ok("list.push(4);")
        self.assertEqual(self.run_ok("list.len()").result(), "4")

    def test_user_expressions_are_answered(self):
        reply = self.run_ok("let answer = 42;", user_expressions={"good": "answer + 1", "bad": "no_such_name"}).reply
        self.assertEqual(set(reply["user_expressions"]), {"good", "bad"})
        self.assertEqual(reply["user_expressions"]["bad"]["status"], "error")

    def test_times_are_told_apart(self):
        cell = self.run_ok("std::thread::sleep(std::time::Duration::from_millis(300));")
        timing = cell.metadata["parcourse"]
        self.assertGreater(timing["compile_seconds"], 0)
        self.assertGreaterEqual(timing["run_seconds"], 0.3)
        self.assertGreater(timing["peak_memory_bytes"], 0)

    def test_cells_are_built_for_measuring(self):
        self.assertEqual(self.run_ok("cfg!(debug_assertions)").result(), "false")


class Output(KernelCase):
    def test_order_within_a_stream_and_partial_lines(self):
        cell = self.run_ok('print!("a"); print!("b\\n"); print!("50 %\\r100 %"); println!();')
        self.assertEqual(cell.text("stdout"), "ab\n50 %\r100 %\n")

    def test_stdout_and_stderr_keep_their_order(self):
        code = 'for i in 0..5 { println!("out {i}"); std::thread::sleep(std::time::Duration::from_millis(50)); eprintln!("err {i}"); std::thread::sleep(std::time::Duration::from_millis(50)); }'
        lines = "".join(content["text"] for content in self.run_ok(code).of_type("stream")).splitlines()
        self.assertEqual(lines, [f"{stream} {i}" for i in range(5) for stream in ("out", "err")])

    def test_output_is_live(self):
        gate = Path(self.kernel.folder.name) / "gate"
        shown = []

        def note(message):
            if message["msg_type"] == "stream":
                shown.append(message["content"]["text"].strip())
                # The cell goes on when its first line has been seen.
                gate.touch()

        wait = f'while !std::path::Path::new("{gate}").exists() {{ std::thread::sleep(std::time::Duration::from_millis(1)); }}'
        self.run_ok(f'println!("early"); {wait} println!("late");', on_message=note)
        self.assertEqual(shown, ["early", "late"])

    def test_bytes_that_are_not_text(self):
        code = 'use std::io::Write; std::io::stdout().write_all(b"caf\\xe9 \\xff end\\n").unwrap();'
        self.assertIn(" end", self.run_ok(code).text("stdout"))

    def test_rich_output_comes_at_once_and_as_often_as_wanted(self):
        block = 'println!("EVCXR_BEGIN_CONTENT text/html\\n<b>{}</b>\\nEVCXR_END_CONTENT", i);'
        cell = self.run_ok(f"for i in 0..3 {{ {block} }} 7")
        shown = [content["data"]["text/html"].strip() for content in cell.of_type("display_data")]
        self.assertEqual(shown, ["<b>0</b>", "<b>1</b>", "<b>2</b>"])
        self.assertEqual(cell.result(), "7")


class Errors(KernelCase):
    def test_panic(self):
        self.run_ok("let survivor = 5;")
        cell = self.run_error('let v: Vec<i32> = vec![]; let first = v.first().expect("no first element"); first + 1')
        told = "\n".join([cell.reply["evalue"], *cell.reply["traceback"]])
        self.assertIn("no first element", told)
        self.assertNotIn("rust_begin_unwind", told)
        self.assertEqual(self.run_ok("survivor").result(), "5")

    def test_question_mark(self):
        cell = self.run_error('let number: i32 = "seven".parse()?;')
        self.assertIn("invalid digit", "\n".join([cell.reply["evalue"], *cell.reply["traceback"]]))

    def test_compile_error(self):
        cell = self.run_error('let word: i32 = "seven";')
        self.assertIn("mismatched types", "\n".join([cell.reply["evalue"], *cell.reply["traceback"]]))

    def test_panic_in_a_thread_that_the_cell_survives(self):
        cell = self.run_ok('let lost = std::thread::spawn(|| panic!("only this thread")).join().is_err(); lost')
        self.assertEqual(cell.result(), "true")

    def test_queued_cells_are_aborted_after_an_error(self):
        failing = self.kernel.send('panic!("stop here")')
        queued = [self.kernel.send("1 + 1"), self.kernel.send("2 + 2")]
        self.assertEqual(self.kernel.finish(failing).reply["status"], "error")
        for message_id in queued:
            self.assertEqual(self.kernel.finish(message_id).reply["status"], "aborted")
        self.assertEqual(self.run_ok("3 + 3").result(), "6")

    def test_queued_cells_go_on_when_asked_to(self):
        failing = self.kernel.send('panic!("go on")', stop_on_error=False)
        queued = self.kernel.send("1 + 1")
        self.assertEqual(self.kernel.finish(failing).reply["status"], "error")
        self.assertEqual(self.kernel.finish(queued).result(), "2")

    def test_the_process_ends_itself(self):
        for code, cause in [("std::process::exit(3)", "3"), ("std::process::abort()", "SIGABRT")]:
            with self.subTest(code=code):
                cell = self.run_error(code)
                self.assertIn(cause, "\n".join([cell.reply["evalue"], *cell.reply["traceback"]]))
                self.assertEqual(self.run_ok("1 + 1").result(), "2")


if __name__ == "__main__":
    unittest.main(verbosity=2)
