"""What a reader notices without it being an error."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Findings:
    """Unknown keys, and what was read in a way worth knowing, each with how often.

    `unknown` has per family and path the count and the first record, by its place in what was read.
    """

    unknown: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    def note(self, text: str, count: int = 1) -> None:
        """Count something that should be mentioned once."""
        self.notes[text] = self.notes.get(text, 0) + count

    def saw(self, family: str, path: str, count: int = 1, first: int = 0) -> None:
        """Count an unknown key."""
        seen, place = self.unknown.get((family, path), (0, first))
        self.unknown[family, path] = (seen + count, min(place, first))
