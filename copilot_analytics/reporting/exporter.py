"""The exporter: notebooks and summaries as pages that hold everything they need."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from nbconvert.exporters import TemplateExporter
from nbformat import NotebookNode
from traitlets import default

from copilot_analytics import display
from copilot_analytics.display.html import Html
from copilot_analytics.reporting import pages

TEMPLATES = Path(__file__).with_name("templates")


@cache
def page_frame() -> dict:
    """Return what every page has: its style sheet, its script, and the policy that allows them.

    The policy names both by their digest, so that nothing else can run, and lets nothing in from
    outside. Without ``default-src`` a page could still load what is not listed.
    """
    style = display.stylesheet() + (TEMPLATES / "page.css").read_text(encoding="utf-8")
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    return {"style": Html(style, ""), "script": Html(script, ""), "policy": policy}


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


class ReportExporter(TemplateExporter):
    """Write an executed report notebook as one page.

    Also usable alone: ``jupyter nbconvert --to
    copilot_analytics.reporting.exporter.ReportExporter notebook.ipynb``.
    """

    export_from_notebook = "Copilot analytics report"
    output_mimetype = "text/html"
    template_file = "notebook.html.j2"

    @default("file_extension")
    def _file_extension_default(self):
        return ".html"

    @default("template_paths")
    def _template_paths_default(self):
        return [str(TEMPLATES)]

    def _create_environment(self):
        environment = super()._create_environment()
        environment.autoescape = True
        environment.globals["frame"] = page_frame()
        return environment

    def from_notebook_node(self, nb: NotebookNode, resources: dict | None = None, **options):
        """Return the page of a notebook, and the resources with its ``title``."""
        resources = dict(resources or {})
        parts = pages.sections(nb)
        title = pages.take_title(parts, resources.get("name", "Report"))
        for part in parts:
            for block in part["blocks"]:
                block["markup"] = Html(block["markup"], "")
            for key in ("code", "messages"):
                part[key] = [Html(markup, "") for markup in part[key]]
        page = {"title": title, "lead": parts[0], "sections": parts[1:]}
        resources["title"] = title
        resources["page"] = resources.get("page", {}) | page
        return super().from_notebook_node(nb, resources, **options)

    def overview(self, page: dict) -> str:
        """Return the first page of a report, which leads to the others."""
        return self.environment.get_template("overview.html.j2").render(page=page)
