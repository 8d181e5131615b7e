"""A GitHub App: it signs in with its private key, and gets tokens that last for an hour."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from copilot_analytics.client.credentials import Token, read_secret
from copilot_analytics.client.envelope import Call
from copilot_analytics.client.outcomes import Answer, Outcome, parse_json
from copilot_analytics.errors import UsageError

CLIENT_ID = "COPILOT_ANALYTICS_APP_CLIENT_ID"
PRIVATE_KEY_FILE = "COPILOT_ANALYTICS_APP_PRIVATE_KEY_FILE"
INSTALLATION_ID = "COPILOT_ANALYTICS_APP_INSTALLATION_ID"

# GitHub refuses what was signed in the future, and what is valid for more than ten minutes.
_BACKDATED = timedelta(seconds=60)
_VALID = timedelta(minutes=9)
# A report is asked for and downloaded within this time.
_RENEWED_BEFORE = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class App:
    """A GitHub App that is installed on an organization or an enterprise.

    Parameters
    ----------
    client_id
        The client id of the App, or its number.
    installation_id
        The number of its installation.
    private_key
        Text of the private key (PEM). It is read at once, and never shown.

    Raises
    ------
    UsageError
        One of them cannot be what it is given as, or PyJWT is not installed.

    Notes
    -----
    GitHub: "Generating a JSON Web Token (JWT) for a GitHub App", "Generating an installation
    access token for a GitHub App".
    """

    client_id: str
    installation_id: str
    private_key: object = field(repr=False)

    def __post_init__(self):
        if not re.fullmatch(r"[\w.-]{1,100}", self.client_id, re.ASCII):
            raise _wrong(CLIENT_ID, "is no client id")
        if not re.fullmatch(r"[0-9]{1,20}", self.installation_id):
            raise _wrong(INSTALLATION_ID, "is no number")
        object.__setattr__(self, "private_key", _load(self.private_key))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> App | None:
        """Return the App that the environment describes, None where it describes none.

        >>> App.from_environment({}) is None
        True
        """
        names = (CLIENT_ID, INSTALLATION_ID, PRIVATE_KEY_FILE)
        client_id, installation_id, path = (environ.get(name, "").strip() for name in names)
        if not (client_id or installation_id or path):
            return None
        for name, value in zip(names, (client_id, installation_id, path), strict=True):
            if not value:
                raise _wrong(name, "is not set, while the other variables of the App are")
        key = read_secret(Path(path), PRIVATE_KEY_FILE)
        return cls(client_id=client_id, installation_id=installation_id, private_key=key)

    @property
    def call(self) -> Call:
        """The call that makes a token for the installation."""
        path = f"/app/installations/{self.installation_id}/access_tokens"
        return Call(path, f"sign-in of {self}", method="POST", is_sign_in=True)

    def sign(self, now: datetime) -> Token:
        """Return what the App signs in with, at a time by GitHub's clock."""
        import jwt

        claims = {
            "iat": int((now - _BACKDATED).timestamp()),
            "exp": int((now + _VALID).timestamp()),
            "iss": self.client_id,
        }
        return Token(jwt.encode(claims, self.private_key, algorithm="RS256"), str(self))

    def __str__(self) -> str:
        return f"GitHub App {self.client_id}, installation {self.installation_id}"


@dataclass(frozen=True)
class InstallationToken:
    """A token of an App's installation, and when it ends."""

    token: Token
    expires_at: datetime

    def lasts(self, now: datetime) -> bool:
        """Return whether the token outlasts the next report."""
        return self.expires_at - now > _RENEWED_BEFORE


def read_token(answer: Answer, app: App) -> InstallationToken | None:
    """Return the token that GitHub made for an App, None where it made none."""
    content = parse_json(answer.body)
    if answer.status != 201 or not isinstance(content, dict):
        return None
    try:
        expires_at = datetime.fromisoformat(content["expires_at"])
        token = Token(content["token"], str(app))
    except (KeyError, ValueError, TypeError, AttributeError, UsageError):
        return None
    return InstallationToken(token, expires_at) if token and expires_at.tzinfo else None


def refusal(answer: Answer, app: App) -> Answer:
    """Return an answer that refuses an App or its token, with what that means for the App."""
    unchanged = answer.outcome, answer.problem, answer.advice
    outcome, problem, advice = {
        401: (
            Outcome.BAD_CREDENTIALS,
            f"GitHub does not accept {app}",
            f"check that the private key in {PRIVATE_KEY_FILE} is one of this App's, that "
            f"{CLIENT_ID} is its client id, and that the clock of this computer is right",
        ),
        403: (
            Outcome.FORBIDDEN,
            f"GitHub refuses {app}",
            "an owner checks whether the App's installation is suspended",
        ),
        404: (
            Outcome.FORBIDDEN,
            f"GitHub knows no such installation: {app}",
            f"take the number for {INSTALLATION_ID} from the end of the installation's address, "
            "under Settings, GitHub Apps, Configure",
        ),
        201: (
            Outcome.CONTRACT,
            f"the answer to the sign-in of {app} holds no token",
            "run it again later; if it stays, please report it",
        ),
    }.get(answer.status, unchanged)
    # The body of a sign-in may hold a token: it goes no further.
    body = b"" if answer.status == 201 else answer.body
    return replace(answer, outcome=outcome, problem=problem, advice=advice, body=body)


def _load(text: object) -> object:
    """Return the key that can sign; the text is not kept."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from jwt import PyJWTError
        from jwt.algorithms import RSAAlgorithm
    except ImportError:
        raise UsageError(
            "a GitHub App needs PyJWT with cryptography, which are not installed",
            kept="nothing was sent",
            advice='run: pip install "copilot-analytics[app]"',
        ) from None
    try:
        key = RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(text)
    except (PyJWTError, UnsupportedAlgorithm, ValueError, TypeError):
        key = None
    if not hasattr(key, "sign"):
        raise _wrong(PRIVATE_KEY_FILE, "holds no private key without a password (PEM)")
    return key


def _wrong(variable: str, problem: str) -> UsageError:
    return UsageError(
        f"{variable} {problem}",
        kept="nothing was sent",
        advice=f"set {CLIENT_ID}, {INSTALLATION_ID} and {PRIVATE_KEY_FILE}, as the App's page and "
        "its installation's address show them",
    )
