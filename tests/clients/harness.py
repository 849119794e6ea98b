"""What the checks share: a kernel started by jupyter_client, and a cell run to its true end.

The kernelspec is looked up by name in JUPYTER_PATH, which tests/clients.rs prepares. PARCOURSE_TRANSPORT chooses tcp or ipc.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from queue import Empty

from jupyter_client.manager import KernelManager

KERNEL = os.environ.get("PARCOURSE_KERNELSPEC", "rust")
TRANSPORT = os.environ.get("PARCOURSE_TRANSPORT", "tcp")
ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
HELPERS = ROOT / "helpers"

# For whatever takes its time on a busy machine.
PATIENCE = 120


class Cell:
    """One execute request, its reply, and everything that was published for it, in order."""

    def __init__(self, reply, messages):
        self.reply = reply["content"]
        self.metadata = reply["metadata"]
        self.messages = messages

    def of_type(self, *kinds):
        return [message["content"] for message in self.messages if message["msg_type"] in kinds]

    def text(self, name):
        return "".join(content["text"] for content in self.of_type("stream") if content["name"] == name)

    def result(self):
        results = self.of_type("execute_result")
        return results[-1]["data"]["text/plain"] if results else None


class Kernel:
    """A running kernel with its client."""

    def __init__(self, **start):
        self.folder = tempfile.TemporaryDirectory(prefix="pc-", dir="/tmp")
        self.manager = KernelManager(
            kernel_name=KERNEL,
            transport=TRANSPORT,
            # Its ipc sockets lie beside it, and their paths may not be long.
            connection_file=str(Path(self.folder.name) / "kernel.json"),
        )
        self.manager.start_kernel(cwd=start.pop("cwd", self.folder.name), **start)
        self.connect()

    def connect(self):
        # Messages that came while another request was waited for, by the id of the request they belong to.
        self.replies, self.published = {}, {}
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    @property
    def pid(self):
        return self.manager.provisioner.pid

    def send(self, code, **options):
        return self.client.execute(code, **options)

    def receive(self):
        """Takes in what has come on the two channels that answer requests; what belongs to no request is of no interest."""
        with contextlib.suppress(Empty):
            message = self.client.get_iopub_msg(timeout=0.05)
            self.published.setdefault(message["parent_header"].get("msg_id"), []).append(message)
        with contextlib.suppress(Empty):
            message = self.client.get_shell_msg(timeout=0.02)
            self.replies[message["parent_header"].get("msg_id")] = message

    def finish(self, message_id, on_input=None, timeout=PATIENCE, on_message=None):
        """Waits for the reply and for idle: only both together mean that nothing more will come."""
        end = time.monotonic() + timeout
        messages, idle = [], False
        while message_id not in self.replies or not idle:
            if time.monotonic() > end:
                raise AssertionError(f"no {'idle' if message_id in self.replies else 'reply'} within {timeout} s; published: {messages}")
            self.receive()
            for message in self.published.pop(message_id, []):
                messages.append(message)
                if on_message:
                    on_message(message)
                idle = idle or message["content"].get("execution_state") == "idle"
            if on_input:
                with contextlib.suppress(Empty):
                    on_input(self.client.get_stdin_msg(timeout=0.02))
        return Cell(self.replies.pop(message_id), messages)

    def run(self, code, on_input=None, timeout=PATIENCE, on_message=None, **options):
        return self.finish(self.send(code, allow_stdin=on_input is not None, **options), on_input, timeout, on_message)

    def ask(self, message_id, timeout=PATIENCE):
        """The reply to a shell request other than execute."""
        end = time.monotonic() + timeout
        while message_id not in self.replies:
            if time.monotonic() > end:
                raise AssertionError(f"no reply within {timeout} s")
            self.receive()
        return self.replies.pop(message_id)["content"]

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=not self.manager.is_alive())
        self.folder.cleanup()


class KernelCase(unittest.TestCase):
    """One kernel for all checks of a class; each check leaves it usable."""

    @classmethod
    def setUpClass(cls):
        cls.kernel = Kernel()

    @classmethod
    def tearDownClass(cls):
        cls.kernel.close()

    def run_ok(self, code, **options):
        cell = self.kernel.run(code, **options)
        self.assertEqual(cell.reply["status"], "ok", cell.reply.get("traceback") or cell.reply)
        return cell

    def run_error(self, code, **options):
        cell = self.kernel.run(code, **options)
        self.assertEqual(cell.reply["status"], "error", cell.messages)
        for field in ("ename", "evalue", "traceback"):
            self.assertTrue(cell.reply.get(field), f"the reply lacks {field}: {cell.reply}")
        published = cell.of_type("error")
        self.assertEqual(len(published), 1, cell.messages)
        self.assertEqual(published[0]["ename"], cell.reply["ename"])
        return cell


def processes_below(pid):
    """The ids of all descendants, from /proc."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name in parentheses may contain anything, blanks and parentheses too.
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        for child in children.get(todo.pop(), []):
            found.append(child)
            todo.append(child)
    return found


def lineage(pid):
    """A process and its ancestors, as far as they are not ours or the system's."""
    found = []
    while pid > 1 and pid != os.getpid():
        found.append(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    return found


def processes_of(kernel):
    """Everything that serves a kernel: what Jupyter started, the process that runs the cells, and what is between and below."""
    user = int(kernel.run("std::process::id()").result())
    return list(dict.fromkeys([kernel.pid, *processes_below(kernel.pid), *lineage(user)]))


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def wait_until_gone(pids):
    """The pids that do not go."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and any(map(is_running, pids)):
        time.sleep(0.05)
    return [pid for pid in pids if is_running(pid)]


class FrontEndCase(unittest.TestCase):
    """Cases about front ends that are killed without a chance to stop their kernels."""

    def assert_nothing_outlives(self, script):
        """Runs a front end that prints which processes serve its kernel, and then waits; kills it; all of them must end."""
        front_end = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True)
        with front_end:
            pids = [int(pid) for pid in front_end.stdout.readline().split()]
            self.assertTrue(pids and all(map(is_running, pids)), pids)
            front_end.kill()
        self.assertEqual(wait_until_gone(pids), [])
