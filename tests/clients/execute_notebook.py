"""nbclient executes a notebook of the course, as nbconvert, papermill and Jupyter Book do.

Usage: execute_notebook.py NOTEBOOK
"""

import sys
import tempfile
from pathlib import Path

import nbclient
import nbformat

from harness import KERNEL, PATIENCE


def main():
    path = Path(sys.argv[1])
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(notebook, kernel_name=KERNEL, timeout=5 * PATIENCE, startup_timeout=PATIENCE, resources={"metadata": {"path": path.parent}})
    client.execute()

    counts = []
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code" or not cell.source.strip() or "skip-execution" in cell.metadata.get("tags", []):
            continue
        assert cell.execution_count, f"cell {number} was not executed"
        counts.append(cell.execution_count)
        failed = any(output.output_type == "error" for output in cell.outputs)
        # The stock kernel answers a panic and a failing `?` as if nothing had happened.
        if failed or KERNEL == "rust":
            assert failed == ("raises-exception" in cell.metadata.get("tags", [])), f"cell {number}: {cell.outputs}"
    assert counts, f"{path} has no code"
    assert counts == sorted(set(counts)), counts
    assert any(cell.get("outputs") for cell in notebook.cells), "no cell shows anything"
    nbformat.validate(notebook)
    with tempfile.NamedTemporaryFile("w", suffix=".ipynb") as file:
        nbformat.write(notebook, file)
    print(f"{len(counts)} cells executed", file=sys.stderr)


if __name__ == "__main__":
    main()
