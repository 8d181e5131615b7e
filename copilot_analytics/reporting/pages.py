"""An executed notebook, taken apart into the pieces that the page template arranges."""

from __future__ import annotations

import re
from html import unescape

from nbconvert.filters import Highlight2HTML, strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from copilot_analytics.display import MARKER_TYPE
from copilot_analytics.display.html import element
from copilot_analytics.reporting.sanitizing import sanitize

IMAGE_TYPES = ("image/png", "image/jpeg")


def markdown(source: str) -> str:
    """Return Markdown as safe markup; raw HTML in it is shown as text.

    >>> markdown("A *word* and <b>no tag</b>")
    '<p>A <em>word</em> and &lt;b&gt;no tag&lt;/b&gt;</p>\\n'
    """
    renderer = IPythonRenderer(escape=True, exclude_anchor_links=True)
    return sanitize(MarkdownWithMath(renderer=renderer).render(source))


def highlighted(source: str) -> str:
    """Return Python code as safe markup with its parts marked."""
    return sanitize(Highlight2HTML()(source))


def rendered(output: NotebookNode) -> str:
    """Return one output of a cell as safe markup, "" where there is nothing to show.

    Markup passes the allow-list, pictures are embedded, everything else is shown as text. Script
    is never run, and the completion marker is not for readers.
    """
    if output.output_type == "stream":
        return _plain(output.text, output.name)
    data = output.get("data", {})
    if MARKER_TYPE in data:
        return ""
    if "text/html" in data:
        return f'<div class="output">{sanitize(data["text/html"])}</div>'
    for mime_type in IMAGE_TYPES:
        if mime_type in data:
            note = output.metadata.get(mime_type, {})
            alt = note.get("alt") or output.metadata.get("alt") or "Chart without a description"
            address = f"data:{mime_type};base64,{''.join(data[mime_type].split())}"
            image = element("img", src=address, alt=alt)
            return sanitize(f'<div class="output chart-box" tabindex="0">{image}</div>')
    return _plain(data.get("text/markdown") or data.get("text/plain") or "", "stdout")


def _plain(text: str, kind: str) -> str:
    return element("pre", strip_ansi(text).rstrip(), class_=kind) if text.strip() else ""


def sections(notebook: NotebookNode) -> list[dict]:
    """Return the sections of a notebook: title, anchor, blocks of words and outputs, code, messages
    of the software.

    The first one is what stands before the first heading of the second level: the first screen.
    """
    found = [_section("", "start")]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for piece in re.split(r"(?=<h2\b)", markdown(cell.source)):
                heading = re.match(r"<h2\b[^>]*>(.*?)</h2>", piece, flags=re.DOTALL)
                if heading:
                    found.append(_section(_text(heading[1]), f"section-{len(found)}"))
                    piece = piece[heading.end() :]
                if piece.strip():
                    found[-1]["blocks"].append({"kind": "words", "markup": piece})
        elif cell.cell_type == "code":
            if cell.source.strip():
                found[-1]["code"].append(highlighted(cell.source))
            for output in cell.outputs:
                # Warnings are for who mends the notebook, not for who reads the page.
                is_message = output.output_type == "stream" and output.name == "stderr"
                shown = rendered(output)
                if shown and is_message:
                    found[-1]["messages"].append(shown)
                elif shown:
                    found[-1]["blocks"].append({"kind": "output", "markup": shown})
    return found


def _section(title: str, anchor: str) -> dict:
    return {"title": title, "anchor": anchor, "blocks": [], "code": [], "messages": []}


def take_title(parts: list[dict], default: str) -> str:
    """Take the heading of the first level out of the first section and return its text."""
    for block in parts[0]["blocks"]:
        match = re.search(r"<h1\b[^>]*>(.*?)</h1>\s*", block["markup"], flags=re.DOTALL)
        if block["kind"] == "words" and match:
            block["markup"] = block["markup"].replace(match[0], "", 1)
            return _text(match[1])
    return default


def title_of(notebook: NotebookNode, default: str) -> str:
    """Return the heading of the first level of a notebook."""
    words = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    return take_title(sections(NotebookNode(cells=words)), default)


def _text(markup: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", markup)).strip()
