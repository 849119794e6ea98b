"""nbgrader's way of a notebook: released to learners, handed in, executed by our kernel, scored.

Usage: grade.py CONFIG SOURCE LEARNER

CONFIG is the course's nbgrader_config.py, SOURCE a notebook with solutions, LEARNER what `parcourse edition learner` made of it. nbgrader's
commands run as a teacher would type them, in a course folder of their own that is the current folder.
"""

import copy
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

ASSIGNMENT = "lesson"


def nbgrader(*arguments):
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    assert done.returncode == 0, f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}"


def shape(notebook):
    """What must be the same in both editions: everything but outputs, tags and what nbgrader adds for itself."""
    cells = []
    for cell in notebook.cells:
        grading = {key: value for key, value in cell.metadata.get("nbgrader", {}).items() if key not in ("checksum", "cell_type")}
        cells.append((cell.id, cell.cell_type, cell.source, grading))
    return cells


def hand_in(student, notebook, name):
    folder = Path("submitted", student, ASSIGNMENT)
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / name)


def main():
    config, source, learner = map(Path, sys.argv[1:])
    shutil.copy(config, "nbgrader_config.py")
    Path("source", ASSIGNMENT).mkdir(parents=True)
    shutil.copy(source, Path("source", ASSIGNMENT, source.name))

    nbgrader("generate_assignment", ASSIGNMENT)
    released = nbformat.read(Path("release", ASSIGNMENT, source.name), as_version=4)
    expected = nbformat.read(learner, as_version=4)
    for ours, theirs in zip(shape(expected), shape(released)):
        assert ours == theirs, f"the learner's edition and nbgrader differ:\n{ours}\n{theirs}"
    assert len(released.cells) == len(expected.cells), f"{len(expected.cells)} cells, nbgrader's {len(released.cells)}"

    # One hands in what she got, the other solves it, here with the words of the source.
    hand_in("unsolved", released, source.name)
    solved = copy.deepcopy(released)
    answers = {cell.id: cell.source for cell in nbformat.read(source, as_version=4).cells}
    for cell in solved.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            assert cell.source != answers[cell.id], f"{cell.id} was released with its solution"
            cell.source = answers[cell.id]
    hand_in("solved", solved, source.name)
    # A third one makes his check easier, which does not help.
    cheating = copy.deepcopy(released)
    for cell in cheating.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source = "// nothing to see here"
    hand_in("cheating", cheating, source.name)

    nbgrader("autograde", ASSIGNMENT)
    points = sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in released.cells)
    assert points > 0, "nothing is graded"
    with Gradebook("sqlite:///gradebook.db") as gradebook:
        for student, expected_score in [("unsolved", 0), ("solved", points), ("cheating", 0)]:
            submission = gradebook.find_submission(ASSIGNMENT, student)
            score = (submission.score, submission.max_score)
            graded = nbformat.read(Path("autograded", student, ASSIGNMENT, source.name), as_version=4)
            outputs = [(cell.id, cell.outputs) for cell in graded.cells if cell.get("outputs")]
            assert score == (expected_score, points), f"{student}: {score} instead of {(expected_score, points)}\n{outputs}"
            # The cells before the exercises worked, though the notebook lies elsewhere than it was written for.
            first = next(cell for cell in graded.cells if cell.cell_type == "code")
            assert all(output.output_type != "error" for output in first.outputs), f"{student}: {first.outputs}"
    print(f"{source.name}: {points} points when solved, 0 as given", file=sys.stderr)


if __name__ == "__main__":
    main()
