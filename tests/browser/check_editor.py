"""What the editor offers with the kernel's help: names to complete, and what they mean."""

from scenario import main


SOURCE = "() => jupyterapp.shell.currentWidget.content.widgets[2].model.sharedModel.source"


def tab_completes(lab):
    lab.open_new('let words = ["computer", "thesis"];', "words.is_")
    lab.run_cell(0)
    lab.run_cell(1)
    lab.cell(2).locator(".cm-content").click()
    lab.page.keyboard.press("Control+End")
    lab.page.keyboard.press("Tab")
    lab.page.locator(".jp-Completer-item[data-value='is_empty()']").wait_for()
    lab.picture("offer")
    lab.page.keyboard.type("em")
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_function(f"() => ({SOURCE})() === 'words.is_empty()'")


def shift_tab_explains(lab):
    lab.open_new("words_in(3)", "/// So many words, joined.\nfn words_in(n: usize) -> String { \"word \".repeat(n) }")
    lab.run_cell(2)
    lab.cell(1).locator(".cm-content").click()
    lab.page.keyboard.press("Home")
    lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("Shift+Tab")
    tooltip = lab.page.locator(".jp-Tooltip")
    tooltip.wait_for()
    assert "fn words_in(n: usize) -> String" in tooltip.inner_text(), tooltip.inner_text()


if __name__ == "__main__":
    main(tab_completes, shift_tab_explains)
