"""`Settings` take what the environment says, refuse what cannot be right, never show a secret."""

import os
import stat

import pytest
from web_server import CANARY, TOKEN, fails

from copilot_analytics.client import Settings
from copilot_analytics.errors import UsageError


def test_settings_come_from_the_environment(tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    found = Settings.from_environment(
        {
            "GITHUB_API_URL": "https://api.octo.ghe.com/",
            "GITHUB_TOKEN": f" {TOKEN}\n",
            "COPILOT_ANALYTICS_DOWNLOAD_HOSTS": "Blobs.example, 127.0.0.1:8000 ,",
            "https_proxy": "http://proxy:3128",
            "HTTPS_PROXY": "http://other:3128",
            "NO_PROXY": "localhost",
            "SSL_CERT_FILE": str(bundle),
        }
    )
    assert found.api_url == "https://api.octo.ghe.com"
    assert found.token.reveal() == TOKEN
    assert found.download_hosts == ("blobs.example", "127.0.0.1:8000")
    assert found.proxies == {"https": "http://proxy:3128", "no_proxy": "localhost"}
    assert found.ca_bundle == str(bundle)
    assert Settings.from_environment({"PATH": ""}) == Settings()


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "https://api.github.com"),
        ({"GH_HOST": "github.com"}, "https://api.github.com"),
        ({"GH_HOST": "Octo.ghe.com"}, "https://api.octo.ghe.com"),
        ({"GH_HOST": "octo.ghe.com", "GITHUB_API_URL": "https://api.labs.ghe.com"},
         "https://api.labs.ghe.com"),
    ],
)  # fmt: skip
def test_f050_the_api_of_a_tenant_follows_from_its_host(environ, url):
    assert Settings.from_environment({**environ, "GITHUB_TOKEN": TOKEN}).api_url == url


def test_an_address_of_ones_own_wins_over_a_host_that_has_no_reports():
    environ = {"GH_HOST": "github.company.example", "GITHUB_TOKEN": TOKEN}
    found = Settings.from_environment(environ, api_url="http://127.0.0.1:8000")
    assert found.api_url == "http://127.0.0.1:8000"


def test_f164_settings_never_show_the_token():
    found = Settings(token=TOKEN, proxies={"https": f"http://me:{CANARY}@proxy"})
    assert CANARY not in f"{found} {found!r} {found.token} {found.token!r}"


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GH_TOKEN"])
@pytest.mark.parametrize("inside", ["\n", " ", "\r\n", "\t", "\x00", "é"])
def test_f167_a_token_with_anything_inside_is_refused_and_not_shown(name, inside):
    with fails(UsageError, name):
        Settings.from_environment({name: f"{TOKEN}{inside}X-Injected: 1", "PATH": ""})


def test_the_order_of_the_tokens_sources(tmp_path):
    file = tmp_path / "token"
    file.write_text("from-file\n")
    file.chmod(0o600)
    environ = {"GITHUB_TOKEN": "a", "GH_TOKEN": "b", "GITHUB_TOKEN_FILE": str(file)}
    environ["PATH"] = str(tmp_path)
    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\n[ "$1 $2 $3 $4" = "auth token --hostname github.com" ] && echo gh\n')
    gh.chmod(0o700)
    for name, expected in [
        ("GITHUB_TOKEN", "a"), ("GH_TOKEN", "b"), ("GITHUB_TOKEN_FILE", "from-file"), ("", "gh")
    ]:  # fmt: skip
        assert Settings.from_environment(environ).token.reveal() == expected
        environ[name] = " "
    gh.write_text("#!/bin/sh\nexit 1\n")
    assert Settings.from_environment(environ).token is None


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_f166_a_token_file_that_others_can_read_is_refused(tmp_path, plant, mode):
    file = plant(tmp_path / "token", TOKEN)
    file.chmod(mode)
    with fails(UsageError, "GITHUB_TOKEN_FILE", "chmod 600"):
        Settings.from_environment({"GITHUB_TOKEN_FILE": str(file)})
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_token_file_that_is_absent_or_empty_is_refused(tmp_path):
    with fails(UsageError, "cannot be read"):
        Settings.from_environment({"GITHUB_TOKEN_FILE": str(tmp_path / "none")})
    empty = tmp_path / "empty"
    empty.touch(0o600)
    with fails(UsageError, "is empty"):
        Settings.from_environment({"GITHUB_TOKEN_FILE": str(empty)})


def test_a_token_is_not_read_from_what_is_no_file(tmp_path):
    """A pipe would keep the program waiting for ever."""
    for path in (tmp_path / "folder", tmp_path / "pipe"):
        path.mkdir(0o700) if path.name == "folder" else os.mkfifo(path, 0o600)
        with fails(UsageError, "is not a file"):
            Settings.from_environment({"GITHUB_TOKEN_FILE": str(path)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_API_URL", "http://api.github.com"),
        ("GITHUB_API_URL", "http://localhost.example.org"),
        ("GITHUB_API_URL", "ftp://127.0.0.1"),
        ("GITHUB_API_URL", "api.github.com"),
        ("GITHUB_API_URL", "https://["),
        ("GITHUB_API_URL", f"https://me:{CANARY}@api.github.com"),
        ("GITHUB_API_URL", "https://octo.ghe.com"),
        ("GITHUB_API_URL", "https://api.octo.ghe.com/api/v3"),
        ("GH_HOST", "github.company.example"),
        ("GH_HOST", "octo.ghe.com.example"),
        ("COPILOT_ANALYTICS_DOWNLOAD_HOSTS", "https://blobs.example"),
        ("COPILOT_ANALYTICS_DOWNLOAD_HOSTS", "blobs.example:port"),
        ("COPILOT_ANALYTICS_DOWNLOAD_HOSTS", "*.example"),
        ("COPILOT_ANALYTICS_CA_BUNDLE", "/nowhere/ca.pem"),
        ("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(name, value):
    with fails(UsageError, name):
        Settings.from_environment({name: value, "GITHUB_TOKEN": TOKEN})
