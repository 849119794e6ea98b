"""The public jupyter_kernel_test suite on our kernel."""

import sys
import unittest

import jupyter_kernel_test

from harness import HELPERS, KERNEL, PATIENCE

# What is not run, and why. Anything else that the suite skips is a failure of this file.
EXCLUDED = {
    "test_pager": "the kernel sends no pager payloads: documentation is answered by inspect",
}


class RustKernel(jupyter_kernel_test.KernelTests):
    kernel_name = KERNEL
    language_name = "rust"
    file_extension = ".rs"

    code_hello_world = 'println!("hello, world");'
    code_stderr = 'eprintln!("to stderr");'
    completion_samples = [{"text": "std::collections::BTreeM", "matches": ["BTreeMap"]}]
    complete_code_samples = ["1", 'println!("hello, world")', "fn f(x: i32) -> i32 {\n    x * 2\n}", "\n\n\n", ":vars"]
    incomplete_code_samples = ["fn f(x: i32) -> i32 {", 'println!("hello', "let v = vec![1,", "/* a comment"]
    invalid_code_samples = ["let = 3;", "fn fn fn"]
    code_generate_error = 'panic!("on purpose")'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": '"a".repeat(3)', "result": '"aaa"'},
        {"code": "vec![1, 2, 3]", "result": "[1, 2, 3]"},
    ]
    code_display_data = [
        {"code": f'println!("EVCXR_BEGIN_CONTENT {mime}\\n{content}\\nEVCXR_END_CONTENT");', "mime": mime}
        for mime, content in [
            ("text/html", "<b>bold</b>"),
            ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
            ("text/markdown", "*italic*"),
        ]
    ]
    code_history_pattern = "*7*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Vec"
    code_clear_output = "parcourse::display::clear_output(false);"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # For clear_output, which is an extension of the helper crate.
        cls.kc.execute_interactive(f':dep parcourse = {{ path = "{HELPERS}" }}', timeout=PATIENCE)

    def execute_helper(self, code, timeout=PATIENCE, **options):
        """As in the suite, but for a compiled language on a busy machine: its 0.1 s for each published message are too few."""
        channel = self.kc.iopub_channel
        get_msg = channel.get_msg
        channel.get_msg = lambda timeout=None: get_msg(timeout=PATIENCE)
        try:
            return super().execute_helper(code, timeout=timeout, **options)
        finally:
            channel.get_msg = get_msg


class RustWelcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = KERNEL
    support_iopub_welcome = True


def main():
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in (RustKernel, RustWelcome))
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=2).run(suite)
    skipped = {test.id().rpartition(".")[2]: reason for test, reason in result.skipped}
    for name in sorted(skipped.keys() | EXCLUDED.keys()):
        print(f"excluded: {name}: {EXCLUDED.get(name, 'NO REASON GIVEN: ' + skipped.get(name, ''))}", file=sys.stderr)
    if skipped.keys() != EXCLUDED.keys():
        sys.exit("what is excluded and what was skipped differ")
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
