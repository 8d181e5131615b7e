"""The documentation as a site: ``make site``. It builds and reads without the network."""

from __future__ import annotations

import sys
import warnings
from importlib import metadata

from copilot_analytics import errors

# A grammar that jsonschema compiles for seconds to check addresses, of which notebooks have none.
sys.modules.setdefault("rfc3987_syntax", None)

project = "copilot_analytics"
author = copyright = "The copilot_analytics authors"
release = metadata.version("copilot-analytics")

extensions = [
    "myst_nb",  # pages in Markdown, notebooks with their results
    "sphinx.ext.autodoc",  # the reference, from the docstrings
    "sphinx.ext.autosummary",  # links from names in docstrings
    "numpydoc",  # how the docstrings are written
    "sphinx_click",  # the command line, from its own help
    "sphinx_copybutton",  # copies commands without their prompts
]
exclude_patterns = ["_build"]
default_role = "autolink"
smartquotes = False  # two hyphens are an option
autodoc_typehints = "none"  # the docstrings say it in words
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".go"  # the output between two commands is not to be run

myst_enable_extensions = ["substitution"]
myst_heading_anchors = 4  # the pages link to their headings as GitHub does
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_ipywidgets_js = {}  # scripts from elsewhere, for widgets that no page has

html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_sidebars = {"index": [], "tutorial": []}  # they have no pages below them
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_toc_level": 2,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}

# sphinx_copybutton reads its own version in a way that Python has announced to remove.
warnings.filterwarnings("ignore", category=DeprecationWarning, module="sphinx_copybutton")


def _exit_codes() -> str:
    """Return the table of exit codes, with the errors that end in each."""
    names: dict[int, list[str]] = {}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.CopilotAnalyticsError):
            names.setdefault(kind.exit_code, []).append(f"`{kind.__name__}`")
    rows = ["| Code | Meaning | Error in Python |", "| --- | --- | --- |"]
    for code, meaning in errors.EXIT_CODES.items():
        rows.append(f"| {code} | {meaning} | {', '.join(names.get(code, ['–']))} |")
    return "\n".join(rows)


myst_substitutions = {"exit_codes": _exit_codes()}
