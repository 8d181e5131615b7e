"""Who asks: the token that the environment holds, and what its kind may see."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from copilot_analytics.errors import UsageError

# GitHub: "About authentication to GitHub", token formats.
KINDS = {
    "ghp_": "classic personal access token",
    "github_pat_": "fine-grained personal access token",
    "gho_": "OAuth app token",
    "ghu_": "GitHub App user token",
    "ghs_": "GitHub App installation token",
}


class Token:
    """A token that prints as ``***``; `reveal` gives its text to the one place that sends it.

    `source` says where it was found; `kind` what its beginning says about it, "" if nothing.

    >>> token = Token("ghp_0123456789", "GITHUB_TOKEN")
    >>> token, token.source, token.kind
    (***, 'GITHUB_TOKEN', 'classic personal access token')
    """

    __slots__ = ("_text", "source")

    def __init__(self, text: str, source: str = "the token"):
        text = text.strip()
        # Anything but visible ASCII would break, or add to, the header that the token travels in.
        if not all("!" <= character <= "~" for character in text):
            raise UsageError(
                f"{source} holds blanks, line ends or other characters that no token has",
                kept="nothing was sent",
                advice=f"store the token alone, on one line, in {source}",
            )
        self._text, self.source = text, source

    def reveal(self) -> str:
        """Return the token's text."""
        return self._text

    @property
    def kind(self) -> str:
        """What kind of token it is, by the beginning of its text."""
        return next((kind for start, kind in KINDS.items() if self._text.startswith(start)), "")

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "***"


def find_token(environ: Mapping[str, str], api_url: str) -> Token | None:
    """Return the first token that there is, None without any."""
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        if environ.get(name, "").strip():
            return Token(environ[name], name)
    path = environ.get("GITHUB_TOKEN_FILE", "").strip()
    if path:
        return Token(read_secret(Path(path), "GITHUB_TOKEN_FILE"), "GITHUB_TOKEN_FILE")
    return _token_from_gh(environ, api_url)


def read_secret(path: Path, variable: str) -> str:
    """Return the text of a file that only its owner can read.

    Raises
    ------
    UsageError
        The file is absent, empty, no text, or open to other users.
    """
    text = problem = ""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            problem = "is not a file"
        elif os.name == "posix" and mode & 0o077:
            problem = "can be read by other users of this computer"
        else:
            text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        problem = "cannot be read as text"
    if text.strip():
        return text
    raise UsageError(
        f"{variable} {path} {problem or 'is empty'}",
        kept="nothing was sent",
        advice="write the secret alone into a file that only you can read (chmod 600)",
    )


def _token_from_gh(environ: Mapping[str, str], api_url: str) -> Token | None:
    """Return the token of GitHub's command line tool, None where that has none."""
    gh = shutil.which("gh", path=environ.get("PATH", ""))
    if gh is None:
        return None
    host = (urlsplit(api_url).hostname or "").removeprefix("api.")
    try:
        result = subprocess.run(  # noqa: S603 - a fixed command, found on the user's own PATH
            [gh, "auth", "token", "--hostname", host],
            env=dict(environ),
            capture_output=True,
            text=True,
            timeout=15,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Token(result.stdout, "gh auth token") if result.returncode == 0 else None
