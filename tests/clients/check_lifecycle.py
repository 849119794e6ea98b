"""Interrupt, restart, shutdown, and what is left behind when something is killed: nothing."""

import contextlib
import os
import signal
import stat
import time
import unittest
from pathlib import Path

import zmq
from harness import PATIENCE, TRANSPORT, FrontEndCase, Kernel, KernelCase, processes_of, wait_until_gone

# Without a black_box the compiler may remove the loop.
ENDLESS = "loop { std::hint::black_box(1); }"


class Interrupt(KernelCase):
    def test_a_loop_that_does_not_listen_is_stopped(self):
        running = self.kernel.send(f'println!("started"); {ENDLESS}')
        interrupted = []

        def interrupt_once(message):
            if message["msg_type"] == "stream" and "started" in message["content"]["text"] and not interrupted:
                interrupted.append(True)
                self.kernel.manager.interrupt_kernel()

        cell = self.kernel.finish(running, on_message=interrupt_once)
        self.assertEqual(cell.reply["status"], "error")
        self.assertIn("lost", "\n".join(cell.reply["traceback"]), "that the variables are gone must be said")
        self.assertEqual(self.run_ok("1 + 1").result(), "2")

    def test_an_interrupt_between_cells_is_harmless(self):
        self.run_ok("let kept = 3;")
        self.kernel.manager.interrupt_kernel()
        time.sleep(0.5)
        self.assertEqual(self.run_ok("kept").result(), "3")

    def test_the_heart_beats_while_a_cell_computes(self):
        gate = Path(self.kernel.folder.name) / "gate"
        running = self.kernel.send(f'println!("begun"); while !std::path::Path::new("{gate}").exists() {{ std::hint::black_box(1); }}')
        beats = []

        def beat(message):
            if message["msg_type"] == "stream":
                socket = self.kernel.client.context.socket(zmq.REQ)
                with contextlib.closing(socket):
                    socket.linger = 0
                    socket.connect(self.kernel.client._make_url("hb"))
                    for text in (b"one", b"two"):
                        socket.send(text)
                        beats.append(socket.poll(1000 * PATIENCE) and socket.recv())
                gate.touch()

        cell = self.kernel.finish(running, on_message=beat)
        self.assertEqual(cell.reply["status"], "ok")
        # The library answers with a text of its own.
        self.assertEqual(len(beats), 2)
        self.assertTrue(all(beats), beats)


class Ending(unittest.TestCase):
    def setUp(self):
        self.kernel = Kernel()
        self.kernel.run("let before = 1;")
        self.pids = processes_of(self.kernel)
        self.assertGreater(len(self.pids), 1, "the user's code runs in a process of its own")

    def tearDown(self):
        with contextlib.suppress(Exception):
            self.kernel.close()

    def test_shutdown(self):
        self.kernel.client.shutdown(restart=False)
        reply = self.kernel.client.get_control_msg(timeout=PATIENCE)
        self.assertEqual((reply["msg_type"], reply["content"]["status"], reply["content"]["restart"]), ("shutdown_reply", "ok", False))
        self.assertEqual(wait_until_gone(self.pids), [])

    def test_restart(self):
        self.kernel.client.stop_channels()
        self.kernel.manager.restart_kernel(now=False)
        self.kernel.connect()
        self.assertEqual(wait_until_gone(self.pids), [])
        self.assertEqual(self.kernel.run("before").reply["status"], "error")
        self.assertEqual(self.kernel.run("1 + 1").result(), "2")

    def test_shutdown_while_a_cell_computes(self):
        self.kernel.send(ENDLESS)
        time.sleep(2)
        self.kernel.client.shutdown(restart=False)
        self.assertEqual(wait_until_gone(self.pids), [])

    def test_the_kernel_is_killed(self):
        os.kill(self.pids[0], signal.SIGKILL)
        self.assertEqual(wait_until_gone(self.pids[1:]), [])

    def test_the_user_process_is_killed_while_a_cell_computes(self):
        running = self.kernel.send('println!("{}", std::process::id()); ' + ENDLESS)
        killed = []

        def kill(message):
            if message["msg_type"] == "stream" and not killed:
                killed.append(True)
                os.kill(int(message["content"]["text"]), signal.SIGKILL)

        cell = self.kernel.finish(running, on_message=kill)
        self.assertEqual(cell.reply["status"], "error")
        self.assertIn("SIGKILL", "\n".join([cell.reply["evalue"], *cell.reply["traceback"]]))
        self.assertEqual(self.kernel.run("1 + 1").result(), "2")

    @unittest.skipIf(TRANSPORT != "ipc", "about sockets in the file system")
    def test_sockets_are_private(self):
        sockets = [path for path in Path(self.kernel.folder.name).iterdir() if stat.S_ISSOCK(path.stat().st_mode)]
        self.assertEqual(len(sockets), 5, sockets)
        for path in sockets:
            self.assertEqual(path.stat().st_mode & 0o077, 0, f"{path} is open to others")


# A front end that starts a kernel and is then killed without a chance to stop it.
FRONT_END = """
import time
from harness import Kernel, processes_of
kernel = Kernel()
kernel.run("let before = 1;")
print(*processes_of(kernel), flush=True)
time.sleep(600)
"""


class Orphan(FrontEndCase):
    def test_the_front_end_is_killed(self):
        self.assert_nothing_outlives(FRONT_END)


if __name__ == "__main__":
    unittest.main(verbosity=2)
