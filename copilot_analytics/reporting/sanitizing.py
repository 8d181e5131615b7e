"""Markup from notebook outputs, reduced to what a report page may hold."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

_TAGS = """
a abbr b blockquote br caption code dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6
hr i img li ol p pre small span strong sub summary sup table tbody td tfoot th thead time tr ul
"""
TAGS = frozenset(_TAGS.split())
VOID_TAGS = frozenset(("br", "hr", "img"))
# Their content is not text for people, so it goes as well.
DROPPED_TAGS = frozenset(("style", "head", "title", "template"))

_DATA_IMAGE = r"data:image/(?:svg\+xml|png|jpeg);base64,[A-Za-z0-9+/=]+"
_LINK = r"(?:https://|mailto:|#)[^\s]*|[a-z0-9_-]+\.(?:html|ipynb|json)"
_DATA_LINK = r"data:text/csv;charset=utf-8;base64,[A-Za-z0-9+/=]*"
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_WORDS = r"[\w .:–-]*"
_ANY = r"(?s:.*)"
ATTRIBUTES = {
    "alt": re.compile(_ANY),
    "aria-label": re.compile(_ANY),
    "class": re.compile(_WORDS),
    "colspan": re.compile(r"\d{1,3}"),
    "data-rows": re.compile(r"\d{1,6}"),
    "data-value": re.compile(_NUMBER),
    "download": re.compile(r"[\w .-]+\.csv"),
    "height": re.compile(r"\d{1,5}"),
    "href": re.compile(f"{_LINK}|{_DATA_LINK}"),
    "id": re.compile(r"[a-z][a-z0-9-]*"),
    "lang": re.compile(r"[A-Za-z-]+"),
    "role": re.compile(r"note|img|list|group"),
    "rowspan": re.compile(r"\d{1,3}"),
    "scope": re.compile(r"col|row"),
    "src": re.compile(_DATA_IMAGE),
    "tabindex": re.compile(r"0"),
    "title": re.compile(_ANY),
    "width": re.compile(r"\d{1,5}"),
}


class _Rewriter(HTMLParser):
    """Write what was read once more, from allowed pieces only.

    Nothing is passed through: each tag is written anew from the list above and all else as escaped
    text. So it does not matter whether a browser would have read the input in the same way.
    """

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.open_tags: list[str] = []
        self.dropped: str = ""

    def handle_starttag(self, tag, attributes):
        if self.dropped or tag in DROPPED_TAGS:
            self.dropped = self.dropped or tag
        elif tag not in TAGS:
            self.pieces.append(escape(self.get_starttag_text() or "", quote=False))
        else:
            self.pieces.append(f"<{tag}{_attributes(tag, attributes)}>")
            if tag not in VOID_TAGS:
                self.open_tags.append(tag)

    def handle_endtag(self, tag):
        if self.dropped:
            self.dropped = "" if tag == self.dropped else self.dropped
        elif tag in self.open_tags:
            while (last := self.open_tags.pop()) != tag:
                self.pieces.append(f"</{last}>")
            self.pieces.append(f"</{tag}>")
        elif tag not in TAGS:
            self.pieces.append(escape(f"</{tag}>"))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID_TAGS:
            self.handle_endtag(tag)

    def handle_data(self, data):
        if not self.dropped:
            self.pieces.append(escape(data, quote=False))

    def result(self) -> str:
        self.close()
        return "".join(self.pieces) + "".join(f"</{tag}>" for tag in reversed(self.open_tags))


def _attributes(tag: str, attributes: list[tuple[str, str | None]]) -> str:
    kept = {}
    for name, value in attributes:
        if name in ATTRIBUTES and ATTRIBUTES[name].fullmatch(value or ""):
            kept.setdefault(name, value or "")
    if kept.get("href", "").startswith("https:"):
        kept["rel"] = "noopener noreferrer"
    if tag == "img":
        kept.setdefault("alt", "Picture without a description")
    return "".join(f' {name}="{escape(value)}"' for name, value in kept.items())


def sanitize(markup: str) -> str:
    """Return markup with nothing but allowed tags and attributes; all else becomes text.

    Style sheets and comments are dropped, tags that were left open are closed.

    >>> sanitize('<p onclick="x()">Hello <script>alert(1)</script>')
    '<p>Hello &lt;script&gt;alert(1)&lt;/script&gt;</p>'
    """
    rewriter = _Rewriter()
    rewriter.feed(markup)
    return rewriter.result()
