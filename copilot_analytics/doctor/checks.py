"""What a diagnosis is made of: checks, and the exit code that they come to."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from copilot_analytics.errors import CopilotAnalyticsError, NetworkError, redact, worst
from copilot_analytics.sessions import Problem


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was found, and what to do next.

    `state` is ``ok``, ``warning``, ``failed`` or ``skipped``; `exit_code` is 0 unless it failed.
    """

    name: str
    state: str
    found: str
    next: str = ""
    exit_code: int = 0

    def __post_init__(self):
        object.__setattr__(self, "found", redact(self.found))
        object.__setattr__(self, "next", redact(self.next))


@dataclass(frozen=True)
class Diagnosis:
    """All that `diagnose` looked at, in the order in which one thing depends on another."""

    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """The exit code of the failure that matters most, 0 without one."""
        return worst(check.exit_code for check in self.checks)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per check: name, state, what was found, what to do next."""
        frame = pd.DataFrame([asdict(check) for check in self.checks])
        return frame.drop(columns="exit_code")

    def as_dict(self) -> dict:
        """Return the checks and the exit code, for ``--json``."""
        return {"checks": [asdict(check) for check in self.checks], "exit_code": self.exit_code}

    def __str__(self) -> str:
        width = max(len(check.name) for check in self.checks)
        lines = []
        for check in self.checks:
            lines.append(f"{check.state:<8} {check.name:<{width}}  {check.found}")
            if check.next:
                lines.append(f"{'':<8} {'':<{width}}  Next: {check.next}")
        return "\n".join(lines)


def failure(name: str, error: CopilotAnalyticsError) -> Check:
    """Return the check that an error ended."""
    found = f"{error.what}. It said: {error.said}" if error.said else error.what
    return Check(name, "failed", found, error.advice, error.exit_code)


def unreachable(name: str, before: str, problem: Problem) -> Check:
    """Return the check of a host that no connection could be made to."""
    return Check(name, "failed", before + problem.text, problem.advice, NetworkError.exit_code)
