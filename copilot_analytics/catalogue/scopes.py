"""Names of organizations and enterprises, checked before they reach an address or a path."""

from __future__ import annotations

import re
from dataclasses import dataclass

from copilot_analytics.errors import UsageError

KINDS = ("organization", "enterprise")

# GitHub's own rule, with the underscore of managed-user enterprises; see reliability rule on paths:
# nothing else may become part of an address or a folder name.
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9]|[-_](?=[a-z0-9])){0,99}")


@dataclass(frozen=True, order=True)
class Scope:
    """An organization or an enterprise, by its short name (slug) or its id.

    >>> Scope.parse("organization:Octo-Org").folder
    'organization-octo-org'
    """

    kind: str
    name: str

    def __post_init__(self):
        if self.kind not in KINDS:
            raise UsageError(
                f"scope kind {self.kind!r} is not known",
                advice="use organization:NAME or enterprise:NAME",
            )
        lowered = self.name.lower()
        if not _NAME.fullmatch(lowered):
            raise UsageError(
                f"{self.kind} name {self.name[:100]!r} is not a GitHub name",
                advice="give the short name from the address on github.com: letters, digits and "
                "single hyphens, at most 100 characters",
            )
        object.__setattr__(self, "name", lowered)

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read ``"organization:octo-org"`` or ``"enterprise:octo-corp"``."""
        kind, separator, name = str(text).partition(":")
        if not separator:
            raise UsageError(
                f"scope {str(text)[:100]!r} has no kind",
                advice="write organization:NAME or enterprise:NAME",
            )
        return cls(kind, name)

    @classmethod
    def of(cls, *, org: str | None = None, enterprise: str | None = None) -> Scope:
        """Return the scope of exactly one of the two names."""
        if (org is None) == (enterprise is None):
            raise UsageError(
                "exactly one organization or enterprise is needed",
                advice="give either org=… (--org) or enterprise=… (--enterprise)",
            )
        return cls("organization", org) if org is not None else cls("enterprise", enterprise)

    @property
    def folder(self) -> str:
        """Name for folders; without a colon, for Windows."""
        return f"{self.kind}-{self.name}"

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"
