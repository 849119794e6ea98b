"""A kernel in waiting takes over: nobody notices, except by the time it takes, and nothing is left behind."""

import contextlib
import os
import signal
import time
import unittest
from pathlib import Path

from harness import PATIENCE, FrontEndCase, Kernel, processes_below, processes_of, wait_until_gone

# Where kernels in waiting have their sockets; a folder of this test's own, since there is one such kernel per user.
WAITING = Path(os.environ["PARCOURSE_TMPDIR"]) / f"parcourse-{os.getuid()}" / "standby"

# Has a kernel taken over by the one in waiting, says which processes serve it, and waits to be killed.
FRONT_END = """
import time
from check_standby import taken_over
from harness import processes_of
kernel, pids = taken_over()
print(*pids, flush=True)
time.sleep(600)
"""


def taken_over():
    """A kernel served by a process that was waiting for it, and the processes that serve it."""
    first = Kernel()
    end = time.monotonic() + PATIENCE
    while not list(WAITING.glob("*.sock")):
        assert time.monotonic() < end, f"no kernel waits in {WAITING}"
        time.sleep(0.2)
    kernel = Kernel()
    first.close()
    pids = processes_of(kernel)
    # The process that runs the cells is then no descendant of the one that Jupyter started, and its ancestors are listed last.
    assert pids[-1] not in (kernel.pid, *processes_below(kernel.pid)), "a new kernel was not taken over by the one that waited"
    return kernel, pids


class Standby(FrontEndCase):
    def setUp(self):
        self.kernel, self.pids = taken_over()

    def tearDown(self):
        with contextlib.suppress(Exception):
            self.kernel.close()

    def test_folder_and_environment_are_those_of_the_newcomer(self):
        shown = self.kernel.run('(std::env::current_dir().unwrap(), std::env::var("JPY_PARENT_PID"))').result()
        self.assertIn(str(Path(self.kernel.folder.name).resolve()), shown)
        self.assertIn(str(os.getpid()), shown)

    def test_restart(self):
        self.kernel.run("let before = 1;")
        self.kernel.client.stop_channels()
        self.kernel.manager.restart_kernel(now=False)
        self.kernel.connect()
        self.assertEqual(wait_until_gone(self.pids), [])
        self.assertEqual(self.kernel.run("before").reply["status"], "error")

    def test_the_process_that_jupyter_knows_is_killed(self):
        os.kill(self.kernel.pid, signal.SIGKILL)
        self.assertEqual(wait_until_gone(self.pids), [])

    def test_it_is_killed_itself(self):
        serving = self.pids[-1]
        os.kill(serving, signal.SIGKILL)
        self.assertEqual(wait_until_gone(self.pids), [])
        self.assertFalse(self.kernel.manager.is_alive(), "Jupyter must see that its kernel has died")

    def test_the_front_end_is_killed(self):
        self.assert_nothing_outlives(FRONT_END)


if __name__ == "__main__":
    unittest.main(verbosity=2)
