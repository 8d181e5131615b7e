"""A GitHub App signs in once, again before its token ends, and never shows its key (F013, F014)."""

import sys
from datetime import UTC, datetime, timedelta

import pytest
from web_server import (
    CANARY,
    TOKEN,
    Reply,
    envelope,
    fails,
    refusal,
    reply,
)

from copilot_analytics.client import App, Client, Settings
from copilot_analytics.doctor import diagnose
from copilot_analytics.errors import (
    ContractError,
    CredentialsError,
    NetworkError,
    NotAllowedError,
    RateLimitError,
    UsageError,
    redact,
)

jwt = pytest.importorskip("jwt")
from cryptography.hazmat.primitives import serialization  # noqa: E402 - comes with the extra
from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: E402

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = "2026-11-20"
USERS = "/orgs/octo-org/copilot/metrics/reports/users-1-day"
SIGN_IN = "/app/installations/42/access_tokens"
GOOD = envelope(f"https://copilot-reports.github.com/part-0?sig={CANARY}signature", day=DAY)


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key, password=None) -> str:
    encryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


class GitHub:
    """The side of GitHub: checks what an App signed, by its own clock, and makes tokens."""

    def __init__(self, key, time):
        self._key, self._time = key.public_key(), time
        self.claims, self.made = [], []

    def sign_in(self, request) -> Reply:
        assert request.method == "POST"
        signed = request.headers["Authorization"].removeprefix("Bearer ")
        options = {"verify_exp": False, "verify_iat": False}
        claims = jwt.decode(signed, self._key, algorithms=["RS256"], options=options)
        self.claims.append(claims)
        now = self._time.now()
        date = {"Date": f"{now:%a, %d %b %Y %H:%M:%S GMT}"}
        if claims["iat"] > now.timestamp():
            return refusal(401, "'Issued at' claim ('iat') must be in the past", **date)
        if not now.timestamp() < claims["exp"] <= now.timestamp() + 600:
            return refusal(401, "'Expiration time' claim ('exp') is too far in the future", **date)
        # The form since 2026: longer, with a signed part of its own.
        token = f"ghs_42_eyJ{CANARY}x.eyJ{CANARY}y.{len(self.made)}"
        self.made.append(token)
        expires = now + timedelta(hours=1)
        return reply(201, {"token": token, "expires_at": f"{expires:%Y-%m-%dT%H:%M:%SZ}"}, **date)


@pytest.fixture
def github(api, key, time):
    found = GitHub(key, time)
    api.on(SIGN_IN, found.sign_in)
    api.on(USERS, GOOD)
    return found


@pytest.fixture
def make_client(api, key, time):
    """Make a client whose clock is ahead of GitHub's by some minutes."""
    clients = []

    def make(ahead=0, **settings):
        app = App(client_id="Iv23abc", installation_id="42", private_key=pem(key))
        clock = lambda: time.now() + timedelta(minutes=ahead)  # noqa: E731
        found = {"clock": clock, "sleep": time.sleep, "monotonic": time.monotonic} | settings
        clients.append(Client(Settings(api_url=api.url, app=app, read_timeout=2, **found)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def ask(client):
    return client.links("users-1-day", org="octo-org", day=DAY)


def senders(api, path=USERS) -> list[str]:
    """The tokens that asked for the report."""
    found = [one.headers["Authorization"] for one in api.requests if one.path == path]
    return [text.removeprefix("Bearer ") for text in found]


def test_an_app_signs_in_once_and_asks_with_the_token_it_got(api, github, make_client):
    client = make_client()
    for _ in range(3):
        assert ask(client).links
    assert api.paths() == [SIGN_IN, USERS, USERS, USERS]
    assert senders(api) == github.made * 3
    (claims,) = github.claims
    assert claims["iss"] == "Iv23abc"
    assert claims["iat"] == NOW.timestamp() - 60
    assert claims["exp"] <= NOW.timestamp() + 600


@pytest.mark.parametrize(("minutes", "sign_ins"), [(45, 1), (51, 2), (90, 2)])
def test_a_token_is_replaced_ten_minutes_before_it_ends(
    api, github, make_client, time, minutes, sign_ins
):
    client = make_client()
    ask(client)
    time.sleep(minutes * 60)
    ask(client)
    assert len(github.made) == sign_ins
    assert senders(api)[-1] == github.made[-1]


def test_f013_a_token_that_is_refused_in_the_middle_is_replaced_once(api, github, make_client):
    client = make_client()
    api.on(USERS, GOOD, refusal(401, "Bad credentials"), GOOD)
    for _ in range(3):
        assert ask(client).links
    assert senders(api) == [github.made[0]] * 2 + [github.made[1]] * 2


@pytest.mark.parametrize("text", ["Bad credentials", "Requires authentication"])
def test_f013_a_second_refusal_ends_the_run(api, github, make_client, text):
    client = make_client()
    api.on(USERS, refusal(401, text))
    for _ in range(2):
        with fails(CredentialsError, "GitHub App Iv23abc, installation 42", text) as caught:
            ask(client)
    assert caught.value.exit_code == 12
    assert api.paths() == [SIGN_IN, USERS, SIGN_IN, USERS]


@pytest.mark.parametrize(("ahead", "word"), [(3, "3 minutes ahead"), (-20, "20 minutes behind")])
def test_f014_what_an_app_signs_is_right_by_githubs_clock(github, make_client, ahead, word):
    warned = []
    client = make_client(ahead, warn=warned.append)
    assert ask(client).links
    *_, last = github.claims
    assert last["iat"] == NOW.timestamp() + 2 - 60  # two seconds after the first try
    assert len(github.claims) == 2
    assert len(warned) == 1
    assert word in warned[0]
    ask(client)
    assert len(warned) == 1


def test_f014_a_clock_that_is_less_than_a_minute_off_needs_no_second_try(github, make_client):
    assert ask(make_client(0.9)).links
    assert len(github.claims) == 1


REFUSED = {
    "the key": (refusal(401, "A JSON web token could not be decoded"), CredentialsError,
                ["COPILOT_ANALYTICS_APP_PRIVATE_KEY_FILE", "HTTP 401"]),
    "the number": (refusal(404, "Not Found"), NotAllowedError,
                   ["COPILOT_ANALYTICS_APP_INSTALLATION_ID", "installation 42"]),
    "suspended": (refusal(403, "This installation has been suspended"), NotAllowedError,
                  ["suspended"]),
    "no token": (reply(201, {"expires_at": "2026-11-22T13:00:00Z"}), ContractError, ["no token"]),
    "no JSON": (Reply(201, f"{CANARY}secret".encode()), ContractError, ["no token"]),
    "no end": (reply(201, {"token": f"ghs_{CANARY}00000000"}), ContractError, ["no token"]),
    "no zone": (reply(201, {"token": f"ghs_{CANARY}00000000", "expires_at": "2026-11-22T13:00:00"}),
                ContractError, ["no token"]),
    "an odd token": (reply(201, {"token": f"a b{CANARY}", "expires_at": "2026-11-22T13:00:00Z"}),
                     ContractError, ["no token"]),
    "a down server": (Reply(503), NetworkError, ["server failed"]),
    "a limit": (refusal(403, "limit", X_RateLimit_Remaining="0", X_RateLimit_Reset="1795392000"),
                RateLimitError, ["sign-in of GitHub App Iv23abc", "UTC"]),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_an_app_that_cannot_sign_in_is_told_why_and_asks_for_nothing(api, make_client, case):
    answer, error, texts = REFUSED[case]
    api.on(SIGN_IN, answer)
    with fails(error, *texts) as caught:
        ask(make_client())
    assert all(part for name, part in caught.value.as_dict().items() if name != "said")
    assert set(api.paths()) == {SIGN_IN}


def test_a_wrong_key_is_not_sent_again_in_the_same_run(api, make_client):
    api.on(SIGN_IN, refusal(401, "Bad credentials"))
    client = make_client()
    for _ in range(3):
        with fails(CredentialsError):
            ask(client)
    assert api.paths() == [SIGN_IN]


def test_f164_no_part_of_an_apps_token_or_key_passes_the_redaction(key):
    token = "ghs_42_eyJhbGciOi-J9.eyJpc3MiOi-J9.c2lnbmF0-dXJl"
    assert redact(f"sent {token}, refused") == "sent ***, refused"
    assert redact(f"{pem(key)} end") == "***\n end"


def test_doctor_says_which_app_asks_and_what_is_wrong_with_it(api, github, make_client, time):
    api.on("/", reply(200, {}))
    api.on("/user", refusal(403, "Resource not accessible by integration"))
    found = diagnose(client=make_client())
    checks = {check.name: check for check in found.checks}
    assert checks["token"].found == "made by GitHub App Iv23abc, installation 42"
    assert checks["identity"].state == "ok"
    assert CANARY not in str(found)
    api.on(SIGN_IN, refusal(404, "Not Found"))
    found = diagnose(client=make_client())
    assert found.exit_code == 13
    assert "no such installation" in str(found)


# --- the variables ------------------------------------------------------------------------------


@pytest.fixture
def environ(key, plant, tmp_path):
    return {
        "COPILOT_ANALYTICS_APP_CLIENT_ID": "Iv23abc",
        "COPILOT_ANALYTICS_APP_INSTALLATION_ID": "42",
        "COPILOT_ANALYTICS_APP_PRIVATE_KEY_FILE": str(plant(tmp_path / "key.pem", pem(key))),
        "GITHUB_TOKEN": TOKEN,
    }


def test_the_variables_of_an_app_win_over_a_token(environ):
    found = Settings.from_environment(environ)
    assert str(found.app) == "GitHub App Iv23abc, installation 42"
    assert found.token is None
    assert "KEY" not in repr(found)


@pytest.mark.parametrize("name", ["CLIENT_ID", "INSTALLATION_ID", "PRIVATE_KEY_FILE"])
def test_a_variable_that_is_left_out_is_named(environ, name):
    del environ[f"COPILOT_ANALYTICS_APP_{name}"]
    with fails(UsageError, f"COPILOT_ANALYTICS_APP_{name} is not set"):
        Settings.from_environment(environ)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INSTALLATION_ID", "42/../43"),
        ("INSTALLATION_ID", "octo-org"),
        ("CLIENT_ID", "a b"),
        ("CLIENT_ID", "x" * 200),
    ],
)
def test_a_variable_that_cannot_be_right_is_refused(environ, name, value):
    environ[f"COPILOT_ANALYTICS_APP_{name}"] = value
    with fails(UsageError, f"COPILOT_ANALYTICS_APP_{name}"):
        Settings.from_environment(environ)


def test_f166_a_private_key_that_others_can_read_is_refused(environ, tmp_path):
    (tmp_path / "key.pem").chmod(0o644)
    with fails(UsageError, "PRIVATE_KEY_FILE", "chmod 600"):
        Settings.from_environment(environ)


@pytest.mark.parametrize("kind", ["public", "with a password", "no key", "empty"])
def test_a_file_without_a_usable_private_key_is_refused(environ, tmp_path, key, kind):
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = {
        "public": public.decode(),
        "with a password": pem(key, b"secret"),
        "no key": f"{CANARY}",
        "empty": "\n",
    }[kind]
    (tmp_path / "key.pem").write_text(text)
    with fails(UsageError, "PRIVATE_KEY_FILE"):
        Settings.from_environment(environ)


def test_without_pyjwt_the_extra_to_install_is_named(environ, monkeypatch):
    monkeypatch.setitem(sys.modules, "jwt", None)
    with fails(UsageError, 'pip install "copilot-analytics[app]"'):
        Settings.from_environment(environ)


def test_a_token_and_an_app_at_once_are_refused(environ):
    app = Settings.from_environment(environ).app
    with fails(UsageError, "one of them"):
        Settings(token=TOKEN, app=app)
