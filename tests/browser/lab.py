"""JupyterLab's page, used as a learner uses it: with its menus, its keys, and by looking."""

import json
import urllib.parse
import urllib.request

# Seconds for whatever takes its time on a busy machine; nothing waits longer than it has to.
PATIENCE = 120

# Cells of a notebook that a scenario writes itself begin with this one, as those of the course do.
SETUP = ':dep parcourse = { path = "../helpers" }\nuse parcourse::prelude::*;'

# What is shown, and what is known about it without looking: JupyterLab lets tests see its application as `jupyterapp`.
CELLS = """() => jupyterapp.shell.currentWidget.content.widgets.map(({ model }) => ({
  id: model.id, type: model.type, tags: model.getMetadata('tags') ?? [], count: model.executionCount ?? null,
  outputs: model.type === 'code' ? model.outputs.toJSON() : [],
}))"""
IS_IDLE = "() => globalThis.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
IS_WINDOW_OPEN = "() => globalThis.jupyterapp?.shell?.currentWidget?.content?.widgets?.length > 0"
# A kernel takes requests in their order: when an empty one is answered, those sent before have been.
ALL_ANSWERED = """patience => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const answered = kernel.requestExecute({ code: '', silent: true, store_history: false, stop_on_error: false }).done;
  const late = new Promise((_, reject) => setTimeout(reject, patience, new Error(`the kernel has not answered within ${patience} ms`)));
  return Promise.race([answered, late]).then(() => null);
}"""


class Lab:
    """One window of JupyterLab with one notebook in it."""

    def __init__(self, page, address, scenario, pictures):
        # Playwright's page, for what is too special to have a method here.
        self.page = page
        self.scenario = scenario
        self.pictures = pictures
        parts = urllib.parse.urlsplit(address)
        self.server = f"{parts.scheme}://{parts.netloc}"
        self.token = urllib.parse.parse_qs(parts.query)["token"][0]
        # Where the server keeps the notebooks: beside the one that its address opens.
        self.folder = parts.path.partition("/lab/tree/")[2].rpartition("/")[0]
        page.set_default_timeout(1000 * PATIENCE)

    def path(self, notebook):
        return urllib.parse.quote(f"{self.folder}/{notebook}".lstrip("/"))

    def open(self, notebook):
        """Opens a notebook in a workspace of this scenario's own, and waits until its kernel is ready."""
        self.page.goto(f"{self.server}/lab/workspaces/{self.scenario}/tree/{self.path(notebook)}?token={self.token}&reset")
        self.page.wait_for_function(IS_WINDOW_OPEN)
        self.page.wait_for_function(IS_IDLE)

    def open_new(self, *cells):
        """Writes a notebook with these code cells after the usual first one, named as the scenario is, and opens it."""
        name = f"{self.scenario}.ipynb"
        sources = [SETUP, *cells]
        notebook = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {"name": "rust", "display_name": "Rust", "language": "rust"}},
            "cells": [
                {"id": f"cell-{index}", "cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
                for index, source in enumerate(sources)
            ],
        }
        body = json.dumps({"type": "notebook", "format": "json", "content": notebook}).encode()
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        address = f"{self.server}/api/contents/{self.path(name)}"
        urllib.request.urlopen(urllib.request.Request(address, body, headers, method="PUT"), timeout=PATIENCE).close()
        self.open(name)

    def keep_settings(self):
        """Keeps what this window changes in the settings to itself: the server has one set of them for all windows."""
        changed = {}

        def answer(route):
            request = route.request
            plugin = urllib.parse.unquote(urllib.parse.urlsplit(request.url).path.partition("/lab/api/settings/")[2])
            if request.method == "PUT":
                changed[plugin] = json.loads(request.post_data)["raw"]
                route.fulfill(status=204)
            elif plugin in changed:
                response = route.fetch()
                route.fulfill(response=response, json={**response.json(), "raw": changed[plugin]})
            else:
                route.continue_()

        self.page.route("**/lab/api/settings/*", answer)
        self.page.route("**/lab/api/settings/*/*", answer)

    def close(self):
        """Ends the kernel: a server keeps those of closed windows, at half a GiB each."""
        self.page.evaluate("() => globalThis.jupyterapp?.shell?.currentWidget?.sessionContext?.shutdown()")

    def cells(self):
        """What JupyterLab knows of each cell: id, type, tags, count, outputs."""
        return self.page.evaluate(CELLS)

    def cell(self, index):
        """A cell on the page."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index):
        """A cell's output on the page."""
        return self.cell(index).locator(".jp-OutputArea-output")

    def prompt(self, index):
        """`[1]:`, `[*]:` or `[ ]:`."""
        return self.cell(index).locator(".jp-InputPrompt").inner_text()

    def menu(self, *names):
        """Chooses from the menus at the top, from left to right."""
        for name in names:
            # By their labels alone: an item's accessible name has its shortcut in it.
            self.page.locator(".lm-MenuBar-itemLabel, .lm-Menu-itemLabel").get_by_text(name, exact=True).click()

    def run_all(self):
        """Chooses Run All Cells and waits until the kernel has answered every request.

        The cells' prompts do not tell: JupyterLab takes the stars away from all of them as soon as one cell fails, though a cell that is
        allowed to fail stops nothing.
        """
        self.menu("Run", "Run All Cells")
        self.wait_for_kernel()

    def start_cell(self, index):
        """Selects a cell and runs it with its keys."""
        self.cell(index).locator(".jp-InputArea-editor").click()
        self.page.keyboard.press("Control+Enter")

    def run_cell(self, index):
        self.start_cell(index)
        self.wait_for_kernel()

    def wait_for_kernel(self):
        # A whole notebook may be executed meanwhile.
        self.page.evaluate(ALL_ANSWERED, 3000 * PATIENCE)
        self.page.wait_for_function(IS_IDLE)

    def wait_for_text(self, index, text):
        """Waits until a cell's output shows a text."""
        self.output(index).filter(has_text=text).first.wait_for()

    def picture(self, title, of=None):
        """Keeps a picture of the page, or of a part of it."""
        (of or self.page).screenshot(path=self.pictures / f"{self.scenario}-{title}.png")

    def text(self, index):
        """A cell's output as it can be read."""
        return "\n".join(self.output(index).all_inner_texts())
