"""Shared by the Python programs: arguments and output lines."""
import json
import sys
from time import perf_counter

SIZE, RUNS, THREADS = (int(argument) for argument in sys.argv[1:4])


def seconds(work):
    """The duration and the result of a call."""
    begun = perf_counter()
    result = work()
    return perf_counter() - begun, result


def best(work):
    """The time of the fastest run, and the result of the last."""
    runs = [seconds(work) for _ in range(RUNS)]
    return min(duration for duration, _ in runs), runs[-1][1]


class Peak:
    """The increase of this process's memory, from the system's high-water mark, which only Linux can reset."""

    def __init__(self):
        try:
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
            self.before = self.status("VmRSS:")
        except OSError:
            self.before = None

    @staticmethod
    def status(field):
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))

    def rise(self):
        return None if self.before is None else max(self.status("VmHWM:") - self.before, 0)


def emit(row, of, seconds, value=None, peak_bytes=None):
    print(json.dumps({"row": row, "of": of, "seconds": seconds, "value": value, "peak_bytes": peak_bytes}), flush=True)

