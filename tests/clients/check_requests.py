"""The other requests of the protocol: information, completion, history, input, and messages that are not to be trusted."""

import unittest

from jupyter_client.session import Session

from harness import KernelCase


class Information(KernelCase):
    def test_kernel_info(self):
        info = self.kernel.ask(self.kernel.client.kernel_info())
        self.assertEqual(info["status"], "ok")
        self.assertTrue(info["protocol_version"].startswith("5."), info["protocol_version"])
        self.assertTrue(info["implementation"] and info["implementation_version"] and info["banner"])
        language = info["language_info"]
        self.assertEqual((language["name"], language["file_extension"]), ("rust", ".rs"))
        self.assertTrue(language["version"] and language["mimetype"], language)
        self.assertEqual(language["pygments_lexer"], "rust")
        self.assertTrue(language["codemirror_mode"])
        self.assertEqual(language["nbconvert_exporter"], "script")

    def test_completion(self):
        code = "std::collections::HashM"
        reply = self.kernel.ask(self.kernel.client.complete(code, len(code)))
        self.assertEqual(reply["status"], "ok")
        self.assertIn("HashMap", "".join(reply["matches"]))
        self.assertEqual((reply["cursor_start"], reply["cursor_end"]), (len("std::collections::"), len(code)))

    def test_completion_positions_count_characters(self):
        # Jupyter counts code points; a client that gets bytes back would replace the wrong text.
        self.run_ok("let grüße_length = 3;")
        code = 'let text = "äöü€𝒳"; grüße_l'
        reply = self.kernel.ask(self.kernel.client.complete(code, len(code)))
        self.assertEqual(reply["cursor_end"], len(code))
        self.assertIn("grüße_length", reply["matches"])

    def test_inspection(self):
        self.run_ok("let temperature: f64 = 21.5;")
        reply = self.kernel.ask(self.kernel.client.inspect("temperature", 4))
        self.assertTrue(reply["found"], reply)
        self.assertIn("f64", reply["data"]["text/plain"])
        self.assertFalse(self.kernel.ask(self.kernel.client.inspect("   ", 1))["found"])

    def test_completeness(self):
        for code, status in [
            ("let a = 1;", "complete"),
            ("1 + 1", "complete"),
            ("fn f() {", "incomplete"),
            ('println!("open', "incomplete"),
            ("/* open", "incomplete"),
            (":vars", "complete"),
            ("let = ;", "invalid"),
        ]:
            with self.subTest(code=code):
                self.assertEqual(self.kernel.ask(self.kernel.client.is_complete(code))["status"], status)

    def test_history(self):
        self.run_ok("let in_history = 1;")
        self.run_ok("let not_in_history = 1;", store_history=False)
        reply = self.kernel.ask(self.kernel.client.history(hist_access_type="tail", n=1, raw=True, output=False))
        self.assertEqual([entry[2] for entry in reply["history"]], ["let in_history = 1;"])

    def test_comms(self):
        reply = self.kernel.ask(self.kernel.client.comm_info())
        self.assertEqual((reply["status"], reply["comms"]), ("ok", {}))


class Input(KernelCase):
    ASK = 'let mut line = String::new(); std::io::stdin().read_line(&mut line).unwrap(); line.trim().len()'

    def test_a_cell_reads_a_line(self):
        asked = []

        def answer(message):
            asked.append(message["msg_type"])
            self.kernel.client.input("twelve bytes")

        self.assertEqual(self.run_ok(self.ASK, on_input=answer).result(), "12")
        self.assertEqual(asked, ["input_request"])

    def test_without_a_front_end_that_can_ask_nothing_hangs(self):
        self.kernel.run(self.ASK)
        self.assertEqual(self.run_ok("1 + 1").result(), "2")


class Trust(KernelCase):
    def test_foreign_signatures_are_refused(self):
        stranger = Session(key=b"not the key of this connection file")
        stranger.send(self.kernel.client.shell_channel.socket, "execute_request", {"code": "let stolen = 1;", "silent": False})
        unsigned = Session(key=b"")
        unsigned.send(self.kernel.client.shell_channel.socket, "execute_request", {"code": "let stolen = 2;", "silent": False})
        cell = self.run_error("stolen")
        self.assertIn("stolen", "\n".join(cell.reply["traceback"]))

    def test_malformed_messages_are_survived(self):
        session = self.kernel.client.session
        session.send(self.kernel.client.shell_channel.socket, "execute_request", {"no": "code"})
        session.send(self.kernel.client.shell_channel.socket, "no_such_request", {})
        self.kernel.client.shell_channel.socket.send_multipart([b"<IDS|MSG>", b"", b"{", b"[]"])
        self.assertEqual(self.run_ok("1 + 1").result(), "2")


if __name__ == "__main__":
    unittest.main(verbosity=2)
