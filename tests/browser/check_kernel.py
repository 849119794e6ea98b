"""The kernel under the page's menus: errors, interrupts, restarts."""

from scenario import main


def an_error_stops_the_run(lab):
    lab.open_new('println!("before");', 'let length: f64 = "mom".len();', 'println!("behind");')
    lab.run_all()
    assert lab.text(1).strip() == "before", lab.text(1)
    error = lab.text(2)
    assert "mismatched types" in error and "expected `f64`, found `usize`" in error, error
    # What the compiler underlines stands under what it means.
    lines = error.splitlines()
    source = next(line for line in lines if line.startswith("1 |"))
    marks = next(line for line in lines if "^" in line)
    assert source[marks.index("^") :] == '"mom".len();', error
    assert lab.prompt(3) == "[ ]:" and lab.output(3).count() == 0, (lab.prompt(3), lab.text(3))


def a_panic_is_readable(lab):
    lab.open_new('let words = ["computer", "mom"];', 'words[1].chars().nth(4).expect("a fifth letter is needed")', "words.len()")
    lab.run_all()
    error = lab.text(2)
    assert "a fifth letter is needed" in error, error
    assert lab.prompt(3) == "[ ]:", lab.prompt(3)
    # The variables are still there.
    lab.run_cell(3)
    assert lab.text(3) == "2", lab.text(3)


def an_interrupted_helper_keeps_the_variables(lab):
    lab.open_new(
        "let kept = 42;",
        'println!("asleep"); sleep(Duration::from_secs(600));',
        "for _ in progress(0..100_000) { std::thread::sleep(Duration::from_millis(10)); }",
        "kept",
    )
    lab.menu("Run", "Run All Cells")
    lab.wait_for_text(2, "asleep")
    assert lab.prompt(2) == "[*]:", lab.prompt(2)
    lab.menu("Kernel", "Interrupt Kernel")
    lab.wait_for_kernel()
    assert "Interrupted" in lab.text(2), lab.text(2)
    assert lab.prompt(3) == "[ ]:", "the run went on behind the interrupted cell"

    lab.start_cell(3)
    lab.output(3).locator("progress").wait_for()
    lab.menu("Kernel", "Interrupt Kernel")
    lab.wait_for_kernel()
    assert "Interrupted" in lab.text(3) and lab.output(3).locator("progress").count() == 1, lab.text(3)

    lab.run_cell(4)
    assert lab.text(4) == "42", lab.text(4)


def an_interrupted_loop_says_what_is_lost(lab):
    lab.open_new("let kept = 42;", 'println!("looping"); loop { std::hint::black_box(0); }', "kept", "let kept = 43;\nkept")
    lab.menu("Run", "Run All Cells")
    lab.wait_for_text(2, "looping")
    lab.menu("Kernel", "Interrupt Kernel")
    lab.wait_for_kernel()
    said = lab.text(2)
    assert "Interrupted" in said and "variables" in said and "lost" in said, said
    lab.run_cell(3)
    assert "cannot find value `kept`" in lab.text(3), lab.text(3)
    # The kernel is usable at once, the helpers from the first cell on.
    lab.run_cell(0)
    lab.run_cell(4)
    assert lab.text(4) == "43", lab.text(4)


def a_restart_begins_afresh(lab):
    lab.open_new("let kept = 42;\nkept", "kept")
    lab.run_all()
    assert [lab.prompt(index) for index in range(3)] == ["[1]:", "[2]:", "[3]:"]
    lab.menu("Kernel", "Restart Kernel…")
    lab.page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    lab.page.locator(".jp-Dialog").wait_for(state="detached")
    lab.run_cell(2)
    assert lab.prompt(2) == "[1]:", lab.prompt(2)
    assert "cannot find value `kept`" in lab.text(2), lab.text(2)
    lab.run_cell(1)
    lab.run_cell(2)
    assert lab.text(2) == "42", lab.text(2)


if __name__ == "__main__":
    main(
        an_error_stops_the_run,
        a_panic_is_readable,
        an_interrupted_helper_keeps_the_variables,
        an_interrupted_loop_says_what_is_lost,
        a_restart_begins_afresh,
    )
