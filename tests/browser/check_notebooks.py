"""The course's own notebooks under Run All, in both editions: whether a check fails that belongs to an unsolved exercise is not judged."""

from pictures import sizes
from scenario import main

# Cells that may fail or pass where they also carry `raises-exception`.
MAY_FAIL = {"check", "needs-solution"}


def welcome_runs_to_its_end(lab):
    runs_to_its_end(lab, "00_welcome.ipynb", shows={"length": "8", "integer-division": "i32 = 3", "n": "1"}, pictures=1)


def measuring_runs_to_its_end(lab):
    runs_to_its_end(lab, "02_measuring.ipynb", shows={"cores": "usable"}, pictures=5)


def runs_to_its_end(lab, notebook, shows, pictures):
    """Everything is executed, what may fail fails and nothing else, the results named are on the page, and so are the plots."""
    lab.open(notebook)
    lab.run_all()
    cells = lab.cells()
    code = [cell for cell in cells if cell["type"] == "code"]
    counts = [cell["count"] for cell in code]
    assert counts == list(range(1, len(code) + 1)), f"not every cell was executed, once and in order: {counts}"
    for cell in code:
        failed = any(output["output_type"] == "error" for output in cell["outputs"])
        may_fail = "raises-exception" in cell["tags"]
        must_fail = may_fail and not MAY_FAIL & set(cell["tags"])
        assert may_fail if failed else not must_fail, f"{cell['id']} {'failed' if failed else 'passed'}: {cell['outputs']}"

    indices = {cell["id"]: index for index, cell in enumerate(cells)}
    for name, text in shows.items():
        assert text in lab.text(indices[name]), f"{name} shows {lab.text(indices[name])}"

    drawn = [index for index, cell in enumerate(cells) if any("image/svg+xml" in output.get("data", {}) for output in cell["outputs"])]
    assert len(drawn) >= pictures, f"plots only in {[cells[index]['id'] for index in drawn]}"
    for index in drawn:
        drawings = sizes(lab, index)
        assert drawings, f"the plot of {cells[index]['id']} is not on the page"
        for width, height in drawings:
            assert width >= 300 and height >= 60, f"the plot of {cells[index]['id']} is {width} × {height} pixels"
        lab.picture(cells[index]["id"], lab.cell(index))


if __name__ == "__main__":
    main(welcome_runs_to_its_end, measuring_runs_to_its_end)
