"""Jupyter's own commands: kernelspec list, and a console that is fed line by line."""

import json
import subprocess
import sys
import unittest

from harness import KERNEL, PATIENCE


def jupyter(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "jupyter", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=3 * PATIENCE, **options
    )


class Commands(unittest.TestCase):
    def test_kernelspec_list(self):
        listed = jupyter("kernelspec", "list", "--json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        spec = json.loads(listed.stdout)["kernelspecs"][KERNEL]["spec"]
        self.assertEqual((spec["language"], spec["display_name"]), ("rust", "Rust"))
        self.assertIn("{connection_file}", spec["argv"])

    def test_console(self):
        lines = ["let answer = 6 * 7;", "answer", 'println!("hello from {}", answer + 1);', 'panic!("on purpose")', "answer + 2", "quit"]
        console = jupyter("console", "--simple-prompt", "--kernel", KERNEL, input="\n".join(lines) + "\n")
        said = console.stdout + console.stderr
        self.assertEqual(console.returncode, 0, said)
        for expected in ("42", "hello from 43", "on purpose", "44"):
            self.assertIn(expected, said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
