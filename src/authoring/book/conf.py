"""Sphinx's settings for the book. The course's own (its title) stand in settings.json beside this file."""

import json
from pathlib import Path

from latex2mathml.converter import convert

settings = json.loads(Path(__file__).with_name("settings.json").read_text(encoding="utf-8"))

project = html_title = settings["title"]
extensions = ["myst_nb"]
exclude_patterns = ["extra"]

# The notebooks come executed.
nb_execution_mode = "off"
# Widgets are displayed by scripts from other servers; the course has none.
nb_ipywidgets_js = {}
nb_merge_streams = True
# Code in the text of a lesson may have an ellipsis where the reader shall continue.
suppress_warnings = ["misc.highlighting_failure"]
myst_enable_extensions = ["dollarmath"]
# As in JupyterLab: $$ within a line of text, too.
myst_dmath_double_inline = True
myst_heading_anchors = 4

html_theme = "furo"
html_theme_options = {"navigation_with_keys": True}
html_static_path = ["static"]
html_css_files = ["book.css"]
html_extra_path = ["extra"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
pygments_style = "default"
pygments_dark_style = "github-dark"


# Formulas as MathML, which browsers display by themselves: MathJax would be loaded from another server.
def visit_math(translator, node):
    from docutils import nodes

    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def visit_displaymath(translator, node):
    from docutils import nodes

    translator.body.append('<div class="math">' + convert(node.astext(), display="block") + "</div>")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))


html_math_renderer = "mathml"
