# nbgrader's settings for this course: put it into the course's folder (or start nbgrader in this one). With it,
# `nbgrader generate_assignment` makes the same cells for learners as `parcourse edition learner`.

c = get_config()  # noqa: F821 (nbgrader defines it)

# What stands in the place of a solution, between the lines `// BEGIN SOLUTION` and `// END SOLUTION`. It compiles everywhere: with its
# semicolon, `todo!` ends a function of any type, and may stand in the middle of one.
c.ClearSolutions.code_stub = {"rust": '// YOUR CODE HERE\ntodo!("your code here");'}
c.ClearSolutions.begin_solution_delimeter = "BEGIN SOLUTION"
c.ClearSolutions.end_solution_delimeter = "END SOLUTION"

# The first cell may compile the helper crate, and cells measure.
c.ExecutePreprocessor.timeout = 600

# Notes for the instructor are cells of their own, which learners do not get.
from nbconvert.preprocessors import TagRemovePreprocessor  # noqa: E402
from nbgrader.converters import GenerateAssignment  # noqa: E402

c.TagRemovePreprocessor.enabled = True
c.TagRemovePreprocessor.remove_cell_tags = {"instructor", "notes"}
c.GenerateAssignment.preprocessors = [TagRemovePreprocessor, *GenerateAssignment.preprocessors.default()]
