"""Safe markup: the only place of this package where tags are put together."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources


@cache
def stylesheet() -> str:
    """Return the style sheet that notebooks and report pages share."""
    return resources.files(__package__).joinpath("display.css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Html:
    """Markup that is safe to show, and the same as plain text.

    The style sheet travels with every output, because a notebook shows each one on its own. The
    report page has it once and drops these copies.
    """

    body: str
    text: str

    def __html__(self) -> str:
        return self.body

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/html": self._repr_html_(), "text/plain": self.text}

    def _repr_html_(self) -> str:
        return f'<style>{stylesheet()}</style>\n<div class="copilot-analytics">{self.body}</div>'


def element(tag: str, *children: Html | str | None, **attributes: object) -> str:
    """Return one element: text is escaped, `Html` children are kept, None is left out.

    Attribute names lose a trailing underscore (``class_``), other underscores become hyphens
    (``data_value``). An attribute that is None or False is left out.

    >>> element("td", "<b>", class_="number", data_value=3)
    '<td class="number" data-value="3">&lt;b&gt;</td>'
    """
    inside = "".join(
        child.body if isinstance(child, Html) else escape(child)
        for child in children
        if child is not None
    )
    names = "".join(
        f" {name.rstrip('_').replace('_', '-')}"
        + ("" if value is True else f'="{escape(str(value))}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    return f"<{tag}{names}>" if tag in ("img", "br") else f"<{tag}{names}>{inside}</{tag}>"


def markup(*parts: str) -> Html:
    """Mark strings that `element` made as safe, to put them inside another element."""
    return Html("".join(parts), "")


def data_uri(content: bytes, mime_type: str) -> str:
    """Return the address that holds the content itself."""
    return f"data:{mime_type};base64,{base64.b64encode(content).decode('ascii')}"
