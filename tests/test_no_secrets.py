"""The search for secrets finds what it should: a test that leaks ends in an error (R5.4)."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from no_secrets import SECRET

LEAKS = """
import gzip, logging, subprocess, sys
import pyarrow as pa
import pytest
from no_secrets import no_secret_left_behind, plant

SECRET = "CANARY" + "token"
TOKEN = "ghp_" + "a" * 36

def test_stdout(): print(SECRET)
def test_stderr(): sys.stderr.write(TOKEN)
def test_read_output(capsys):
    print(SECRET)
    capsys.readouterr()
def test_process():
    subprocess.run([sys.executable, "-c", f"print('{SECRET}')"], capture_output=True)
def test_log(): logging.getLogger("any").warning("%s", SECRET)
def test_debug_log(caplog):
    caplog.set_level("DEBUG")
    logging.getLogger("any").debug("https://host/part?sig=" + "abcdefgh")
def test_traceback_in_log():
    try: raise ValueError(SECRET)
    except ValueError: logging.getLogger("any").exception("it failed")
def test_file(tmp_path): (tmp_path / "a").write_text(SECRET)
def test_file_deep_inside(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.sqlite").write_bytes(b"\\0\\1" + SECRET.encode() + b"\\0")
def test_name(tmp_path): (tmp_path / SECRET).touch()
def test_gzip(tmp_path): (tmp_path / "a.gz").write_bytes(gzip.compress(SECRET.encode()))
def test_zstandard(tmp_path):
    with pa.CompressedOutputStream(tmp_path / "a.zst", "zstd") as out: out.write(SECRET.encode())
def test_beside_what_was_planted(tmp_path, plant):
    plant(tmp_path / "a", SECRET)
    (tmp_path / "b").write_text(SECRET)

def test_good_planted(tmp_path, plant): assert plant(tmp_path / "a", SECRET).read_text() == SECRET
def test_good_files(tmp_path):
    (tmp_path / "a.gz").write_bytes(b"damaged")
    (tmp_path / "b").write_text("https://host/part?sig=*** ghp_*** bearer ***")
def test_good_output(capsys):
    print("ghp_sampletoken000000000000000000000000")
"""


def test_each_leak_is_found_and_nothing_else(tmp_path):
    (tmp_path / "test_leaks.py").write_text(LEAKS)
    options = ["-q", "-rE", "--tb=no", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    # The output names the leaks: it goes where this test's own search does not look.
    with tempfile.TemporaryFile("w+") as output:
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, "test_leaks.py"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path(__file__).parent), "PATH": ""},
            stdout=output,
            check=False,
        )
        output.seek(0)
        text = output.read()
    tests = re.findall(r"^def (test_\w+)", LEAKS, re.MULTILINE)
    found = re.findall(r"^ERROR test_leaks.py::(test_\w+)", text, re.MULTILINE)
    assert found == [name for name in tests if "good" not in name], text
    assert f"{len(tests)} passed, {len(found)} errors" in text


@pytest.mark.parametrize(
    "text",
    [
        "CANARYtoken",
        "ghs_0123456789abcdef0123",
        "github_pat_0123456789abcdef_0123",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----",
        "part?se=1&sig=abc%2Bdefgh",
        "sso?authorization_request=ABCDEFGH",
    ],
)
def test_a_secret_is_known_by_its_shape(text):
    assert SECRET.search(f"before {text} after".encode())


@pytest.mark.parametrize("text", ["ghp_***", "sig=***", "eyJust a word.", "canary", "sig=abc"])
def test_ordinary_words_are_no_secrets(text):
    assert not SECRET.search(text.encode())
