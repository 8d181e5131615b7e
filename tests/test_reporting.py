"""Reports: run in the dark, checked before they are shown, published as a whole or not at all."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from conftest import ndjson, user_record
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot_analytics import display, privacy, samples
from copilot_analytics.archive import Archive
from copilot_analytics.catalogue import Scope
from copilot_analytics.errors import (
    ArchiveError,
    CopilotAnalyticsError,
    KernelError,
    ReportError,
    StorageError,
    UsageError,
)
from copilot_analytics.reporting import Limits, find_notebooks, open_key, open_tables, report
from copilot_analytics.reporting import executed as results
from copilot_analytics.reporting.notebooks import (
    check_parameters,
    declared_parameters,
    fit_parameters,
)
from copilot_analytics.reporting.opening import only_scope
from copilot_analytics.reporting.parameters import read_parameters
from copilot_analytics.reporting.publishing import earlier_reports, publish, recover
from copilot_analytics.reporting.running import kernel_environment
from copilot_analytics.reporting.sanitizing import sanitize
from copilot_analytics.reporting.summaries import (
    Plan,
    data_age,
    exit_code,
    merged_period,
    page_banners,
    shortcomings,
    unusual_part,
)

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PARAMETERS = """\
archive = ""
scope = ""
start = ""
end = ""
team = ""
note = ""
"""
SETUP = """\
import pandas as pd
from copilot_analytics import display
days = ["2026-11-18", "2026-11-19", "2026-11-20"]
class Tables(dict):
    day_states = pd.DataFrame({"scope": "organization:7", "family": "users", "rows": 2,
                               "day": pd.to_datetime(days), "state": "final"})
tables = Tables(users=pd.DataFrame({"user_id": [1, 2]}))
period = display.period(tables)
"""
FINISH = (
    'display.finish({name!r}, period, headlines=[display.headline("People", 2)], tables=tables, '
    "team=team)"
)


def make_notebook(path, *cells, parameters=PARAMETERS, kernel="python3", setup=SETUP, finish=True):
    """Write a small report notebook."""
    first = nbformat.v4.new_code_cell(parameters)
    first.metadata["tags"] = ["parameters"]
    last = [nbformat.v4.new_code_cell(FINISH.format(name=path.stem))] if finish else []
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# How many people?\n\n## Details"),
            first,
            *(nbformat.v4.new_code_cell(source) for source in (setup, *cells)),
            *last,
        ]
    )
    notebook.metadata["kernelspec"] = {"name": kernel, "display_name": "", "language": "python"}
    nbformat.write(notebook, path)
    return path


# --- Runs with real kernels -----------------------------------------------------------------------

PROBE = """\
import os, sys, warnings
print({name: value for name, value in sorted(os.environ.items()) if "PID" not in name})
print("values", repr((scope, start, note)))
warnings.warn("from " + os.getcwd())
display.banner("info", f"archive at {archive}, private files at {os.getcwd()}, {sys.prefix}")
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The same report of two notebooks, made twice with other hash seeds and clocks of the day."""
    folder = tmp_path_factory.mktemp("reports of ann")
    probe = make_notebook(folder / "probe.ipynb", PROBE)
    plain = make_notebook(folder / "plain.ipynb")
    archive = folder / "archive of ann"
    archive.mkdir()
    environment = {"GITHUB_TOKEN": "ghp_canary0123456789", "GH_TOKEN": "canary", "SIG": "canary"}
    seen = []
    made = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(tempfile, "tempdir", str(folder))
        for seed in ("1", "2"):
            patch.setenv("PYTHONHASHSEED", seed)
            made.append(
                report(
                    archive,
                    scope="organization:1e5",
                    notebooks=[probe, plain],
                    parameters={"note": "00123"},
                    out=folder / f"out{seed}",
                    progress=lambda *step: seen.append(step),
                    now=NOW,
                )
            )
    return folder, made, seen


def visible(folder):
    """What is in a folder but the lock, which stays."""
    return [path.name for path in folder.iterdir() if path.name != ".lock"]


def texts_of(result):
    return {path.name: path.read_text(encoding="utf-8") for path in result.folder.iterdir()}


def test_a_report_is_a_folder_under_its_scope_and_day(published):
    folder, (made, _), seen = published
    assert made.exit_code == 0
    assert made.folder.parent == folder / "out1" / "organization-1e5"
    assert re.fullmatch("2026-11-20_probe-plain_[0-9a-f]{8}", made.folder.name)
    assert sorted(texts_of(made)) == [
        "index.html",
        "plain.html",
        "plain.ipynb",
        "probe.html",
        "probe.ipynb",
        "report.json",
    ]
    assert {step[1:] for step in seen} == {(1, 2), (2, 2)}
    status = json.loads((folder / "out1" / "status.json").read_text())
    assert status["is_published"]
    assert status["report"] == f"organization-1e5/{made.folder.name}"


def test_the_summary_holds_figures_states_digests_and_versions(published):
    summary = json.loads(texts_of(published[1][0])["report.json"])
    assert summary["days"]["present"] == 3
    assert summary["data_through"] == "2026-11-20"
    assert summary["notebooks"]["plain"]["headlines"][0]["value"] == 2
    assert len(summary["notebooks"]["plain"]["tables"]["users"]["digest"]) == 64
    assert summary["notebooks"]["plain"]["parameters"] == {"team": "", "note": "00123"}
    assert {"pandas", "python"} <= set(summary["versions"])


def test_no_token_is_in_reach_of_a_notebook_f170(published):
    for text in texts_of(published[1][0]).values():
        assert "canary" not in text
        assert "GITHUB_TOKEN" not in text


def test_values_that_look_like_numbers_stay_text_f201(published):
    text = texts_of(published[1][0])["probe.ipynb"]
    assert "values ('organization:1e5', '', '00123')" in text


def test_no_absolute_path_is_published_f172(published):
    folder, (made, _), _ = published
    places = [str(folder), str(Path.cwd()), sys.prefix, str(Path.home())]
    for name, text in texts_of(made).items():
        for place in places:
            assert not re.search(rf"{re.escape(place)}(?![\w-])", text), (name, place)
    assert "archive at archive of ann, private files at work/probe" in texts_of(made)["probe.html"]


def test_equal_input_gives_equal_files_f211(published):
    _, (one, two), _ = published
    assert texts_of(one) == texts_of(two)


def test_only_the_owner_can_read_a_report_and_nothing_is_left_behind(published):
    folder, (made, _), _ = published
    assert made.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in made.folder.iterdir()} == {0o600}
    assert not list(folder.glob("copilot-analytics-*"))
    assert visible(made.folder.parent) == [made.folder.name]


FAULTS = {
    # name: (cells, kernel, expected error, what its text says)
    "raises": ("rows = 17\nraise ValueError(f'first line\\nuser row {rows}')", "python3",
               ReportError, "cell that starts: rows = 17"),
    "killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "python3", KernelError,
               "died"),
    "large": ("bytearray(1 << 60)", "python3", KernelError, "not enough memory"),  # F195
    "hangs": ("import subprocess, time\nchild = subprocess.Popen(['sleep', '300'])\n"
              "open(note, 'w').write(f'{os.getpid()} {child.pid}')\ntime.sleep(300)", "python3",
              KernelError, "longer than 2 s"),
    "leaves": ("import sys; sys.exit(0)", "python3", ReportError, "completion marker missing"),
    "unmarked": (None, "python3", ReportError, "completion marker missing"),
    "kernelless": ("", "no-such-kernel", UsageError, "no-such-kernel"),
}  # fmt: skip


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """What became of one report for each fault; run side by side, because kernels start slowly."""
    folder = tmp_path_factory.mktemp("faults")

    def run(name):
        cells, kernel, _, _ = FAULTS[name]
        notebook = make_notebook(
            folder / f"{name}.ipynb",
            *(["import os", cells] if cells is not None else []),
            kernel=kernel,
            setup="" if name == "hangs" else SETUP,  # its imports would take as long as the limit
            finish=name != "unmarked",
        )
        out = folder / f"out-{name}"
        publish({"index.html": "the last good report"}, out / "organization-7" / "2026-11-20")
        limits = Limits(cell=2 if name == "hangs" else 60, total=100)
        try:
            report(notebooks=[notebook], out=out, limits=limits, now=NOW,
                   parameters={"note": str(folder / "pids")})  # fmt: skip
        except CopilotAnalyticsError as error:
            return error
        return None

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(3) as pool:
        (folder / "temporary").mkdir()
        patch.setattr(tempfile, "tempdir", str(folder / "temporary"))
        return folder, dict(zip(FAULTS, pool.map(run, FAULTS), strict=True))


@pytest.mark.parametrize("name", FAULTS)
def test_a_failing_notebook_leaves_the_last_good_report(failed, name):
    """F193, F194, F195, F196, F197, F202."""
    folder, errors = failed
    _, _, expected, said = FAULTS[name]
    error, out = errors[name], folder / f"out-{name}"
    assert type(error) is expected
    assert said in str(error)
    assert name in error.what
    assert error.advice
    published = [path for path in out.rglob("*") if path.is_file() and path.name != ".lock"]
    assert [path.name for path in sorted(published)] == ["index.html", "status.json"]
    assert sorted(published)[0].read_text() == "the last good report"
    status = json.loads((out / "status.json").read_text())
    assert not status["is_published"]
    assert status["exit_code"] == expected.exit_code


def test_the_text_of_a_failure_holds_no_more_than_its_first_line_f193(failed):
    error = failed[1]["raises"]
    assert "ValueError: first line" in str(error)
    assert "row 17" not in str(error)


def test_a_hanging_notebook_leaves_no_process_f196(failed):
    pids = [int(pid) for pid in (failed[0] / "pids").read_text().split()]
    assert len(pids) == 2
    assert all(is_gone(pid) for pid in pids)


def test_failed_runs_leave_nothing_that_could_be_converted_f198(failed):
    assert list((failed[0] / "temporary").iterdir()) == []


def is_gone(pid, seconds=8):
    """Whether a process ends within some seconds; a zombie has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGKILL])
def test_no_kernel_outlives_the_report_f199(tmp_path, kind):
    notebook = make_notebook(
        tmp_path / "sleeps.ipynb",
        "import os, time\nopen(note + '.part', 'w').write(str(os.getpid()))\n"
        "os.rename(note + '.part', note)\ntime.sleep(300)",
    )
    code = (
        "from copilot_analytics.reporting import report; import sys\n"
        "report(notebooks=[sys.argv[1]], out=sys.argv[2], parameters={'note': sys.argv[3]})"
    )
    arguments = [str(notebook), str(tmp_path / "out"), str(tmp_path / "pid")]
    with subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=tmp_path) as parent:
        deadline = time.monotonic() + 60
        while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        parent.send_signal(kind)
    assert is_gone(int((tmp_path / "pid").read_text()))
    assert not (tmp_path / "out").exists()


def test_interrupting_one_report_ends_its_notebooks_at_once(tmp_path, monkeypatch):
    """Whatever stops the report, a notebook that is still running is stopped with it."""
    slow = make_notebook(tmp_path / "slow.ipynb", "import time; time.sleep(300)")
    wrong = make_notebook(tmp_path / "wrong.ipynb", "1 / 0")
    started = time.monotonic()
    with pytest.raises(ReportError, match="wrong"):
        report(notebooks=[slow, wrong], out=tmp_path / "out", now=NOW)
    assert time.monotonic() - started < 60
    assert threading.active_count() < 10


# --- Parameters -----------------------------------------------------------------------------------

DECLARED = {"archive": "", "scope": "", "start": "", "end": "", "show_logins": False, "weeks": 4}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"orgg": "octo-org"}, "no notebook has a parameter 'orgg'"),  # F200
        ({"token": "x"}, "looks like a secret"),  # F171
        ({"scope": "ghp_0123456789abcdef"}, "looks like a secret"),
        ({"archive": "https://host.example/part-0?sig=abc"}, "looks like a secret"),
        ({"show_logins": "yes"}, "is bool, not str"),
        ({"weeks": True}, "is int, not bool"),
        ({"start": date(2026, 11, 1)}, "is str, not date"),
    ],
)
def test_wrong_parameters_are_refused_before_anything_runs_f171_f200(values, said):
    with pytest.raises(UsageError) as caught:
        check_parameters({"adoption": DECLARED}, values)
    assert said in str(caught.value)
    assert "0123456789" not in str(caught.value)


def test_names_cannot_be_asked_of_notebooks_that_do_not_know_how(tmp_path):
    path = make_notebook(tmp_path / "own.ipynb")
    values = {"archive": "a", "team": "x", "show_logins": False}
    assert fit_parameters([path], values) == {path: {"archive": "a", "team": "x"}}
    with pytest.raises(UsageError, match="no notebook has a parameter 'show_logins'"):
        fit_parameters([path], values | {"show_logins": True})


@pytest.mark.parametrize("name", ["archive", "scope", "start", "end", "show_logins", "team"])
def test_no_parameter_goes_round_an_argument_of_the_report(tmp_path, name):
    """A team's people, or people by name, are shown only after the checks of that argument."""
    parameters = {name: name == "show_logins" or "web"}
    with pytest.raises(UsageError, match=f"'{name}' is no parameter to set"):
        report(notebooks=["credits"], parameters=parameters, out=tmp_path, now=NOW)


@pytest.mark.parametrize("path", find_notebooks(), ids=lambda path: path.stem)
def test_every_notebook_says_how_small_a_group_it_hides_and_what_else_was_chosen(path):
    """Where it opens and where it says what its figures rest on, with its other parameters."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert "page.header(period, minimum_group_size=minimum_group_size" in "".join(sources)
    assert "page.provenance(" in sources[-1]
    assert "minimum_group_size" in sources[-1]
    said = {"archive", "scope", "start", "end", "active", "show_logins", "minimum_group_size"}
    for name in declared_parameters(path).keys() - said - {"team"}:
        assert f'"{name}": {name}' in "".join(sources)


def test_patterns_in_paths_are_no_secrets():
    check_parameters({"adoption": DECLARED}, {"archive": "/data/2026-11-0?.ndjson"})


def test_a_notebook_that_would_show_other_data_is_refused():
    declared = {key: value for key, value in DECLARED.items() if key != "scope"}
    with pytest.raises(UsageError, match="does not declare the parameter 'scope'"):
        check_parameters({"adoption": DECLARED, "own": declared}, {"scope": "organization:7"})


@pytest.mark.parametrize(
    "parameters",
    ["scope = input()", "import os", "scope = 'a' + x", "a = b = 1", "%matplotlib inline"],
)
def test_parameters_are_plain_values(tmp_path, parameters):
    path = make_notebook(tmp_path / "own.ipynb", parameters=parameters)
    with pytest.raises(UsageError, match="more than plain values"):
        declared_parameters(path)


TYPED = (
    PARAMETERS + 'share = 0.5\nteams = ["web"]\nsince = "2026-01-01"\nweeks = 4\nis_deep = False\n'
)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("share", "1", 1.0),
        ("share", "1e-3", 0.001),
        ("weeks", " 8 ", 8),
        ("is_deep", "True", True),
        ("teams", "web, data", ["web", "data"]),
        ("teams", "['a,b']", ["a,b"]),
        ("teams", "[]", []),
        ("since", "2026-10-19", "2026-10-19"),
        ("team", "007", "007"),  # F201: text stays text
        ("share", "nan", "is not a number"),
        ("share", "half", "is not a number"),
        ("weeks", "4.5", "is not a whole number"),
        ("is_deep", "1", "is not true or false"),
        ("teams", "[1, open('x')]", "is not a list"),
        ("since", "2026-13-01", "is not a day"),
    ],
)
def test_texts_become_values_of_the_declared_types(tmp_path, name, text, expected):
    path = make_notebook(tmp_path / "own.ipynb", parameters=TYPED)
    if isinstance(expected, str) and expected.startswith("is not"):
        with pytest.raises(UsageError, match=f"'{name}' {expected}"):
            read_parameters([path], {name: text})
    else:
        value = read_parameters([path], {name: text})[name]
        assert (value, type(value)) == (expected, type(expected))


def test_annotations_and_comments_are_fine(tmp_path):
    source = "# Days\nstart: str = ''  # first\nweeks = 4\nshare = -0.5\n"
    path = make_notebook(tmp_path / "own.ipynb", parameters=source)
    assert declared_parameters(path) == {"start": "", "weeks": 4, "share": -0.5}


@pytest.mark.parametrize("name", ["../../etc/passwd", "no-such", "a.ipynb", "C:\\x", "x\0.ipynb"])
def test_notebooks_are_known_by_name_or_path_f180(name):
    with pytest.raises(UsageError):
        find_notebooks([name])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"start": "yesterday"}, "'yesterday' is not a day"),
        ({"parameters": {"active": "foo"}}, "'foo' is not a definition of active"),
        ({"parameters": {"minimum_group_size": -3}}, "at least 1 person"),
        ({"parameters": {"event_date": "soon"}}, "'soon' is not a day"),
        ({"start": "2026-11-05", "end": "2026-11-01"}, "is after the end"),
        ({"scope": "octo-org"}, "has no kind"),
        ({"scope": "organization:../x"}, "is not a GitHub name"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path, options, said):
    more = PARAMETERS + 'active = "interactions"\nminimum_group_size = 5\nevent_date = ""\n'
    notebook = make_notebook(tmp_path / "own.ipynb", parameters=more)
    with pytest.raises(UsageError, match=re.escape(said)):
        report(notebooks=[notebook], out=tmp_path / "out", **options)
    assert visible(tmp_path / "out") == ["status.json"]


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=8))
@settings(max_examples=50)
def test_an_environment_keeps_nothing_that_is_not_on_the_list(environment):
    kept = kernel_environment(environment, Path("private"))
    fixed = kernel_environment({}, Path("private"))
    assert set(kept) == set(fixed)


# --- Executed notebooks ---------------------------------------------------------------------------


def executed_notebook(**changes):
    """An executed notebook as papermill leaves it, without having run it."""
    marker = {"format": 1, "report": "adoption", "start": "2026-11-01", "end": "2026-11-20"}
    output = nbformat.v4.new_output("display_data", {display.MARKER_TYPE: marker | changes})
    return nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("x = 1", execution_count=1),
            nbformat.v4.new_code_cell("display.finish()", execution_count=2, outputs=[output]),
        ]
    )


def test_a_complete_notebook_gives_its_marker():
    values = {"start": "2026-11-01", "end": ""}
    marker = results.completion_marker("adoption", executed_notebook(), values)
    assert marker["report"] == "adoption"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda n: n.cells[0].update(execution_count=None), "did not run"),
        (lambda n: n.cells[1].update(outputs=[]), "did not leave it"),
        (lambda n: n.cells.append(nbformat.v4.new_code_cell("y", execution_count=3)), "leave it"),
        (
            lambda n: n.cells[0].outputs.append(nbformat.v4.new_output("error", ename="KeyError")),
            "code cell 1 ended with KeyError",
        ),
    ],
)
def test_half_a_notebook_is_never_taken_for_a_whole_f197(change, said):
    notebook = executed_notebook()
    change(notebook)
    with pytest.raises(ReportError) as caught:
        results.completion_marker("adoption", notebook, {})
    assert "completion marker missing" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("changes", [{"report": "teams"}, {"end": "2026-11-19"}, {"format": 2}])
def test_the_marker_of_another_report_is_refused(changes):
    with pytest.raises(ReportError, match="not complete"):
        results.completion_marker("adoption", executed_notebook(**changes), {"end": "2026-11-20"})


def test_embedded_pictures_survive_the_removal_of_paths():
    picture = "data:image/png;base64,AAAA/home/annAAA/home/ann="
    text = f'"/home/ann/archive" {picture} /home/anna /home/ann.'
    stripped = results.strip_paths(text, {"/home/ann": "~"})
    assert stripped == f'"~/archive" {picture} /home/anna ~.'


# --- The allow-list for markup --------------------------------------------------------------------


class Tags(HTMLParser):
    def __init__(self, markup):
        super().__init__()
        self.found, self.attributes, self.depth = [], [], 0
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        self.found.append(tag)
        self.attributes += attributes


@pytest.mark.parametrize(
    ("markup", "kept"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('<a href="javascript:alert(1)">x</a>', "<a>x</a>"),
        ('<a href=" javascript:alert(1)">x</a>', "<a>x</a>"),
        ('<a href="data:text/html,x">x</a>', "<a>x</a>"),
        ('<a href="#section-1">x</a>', '<a href="#section-1">x</a>'),
        (
            '<a href="https://docs.github.com/x?a=1&b=2">x</a>',
            '<a href="https://docs.github.com/x?a=1&amp;b=2" rel="noopener noreferrer">x</a>',
        ),
        ('<img src="https://a.example/x.png" alt="a">', '<img alt="a">'),
        ('<img src="x" onerror="alert(1)">', '<img alt="Picture without a description">'),
        ("<style>p{}</style><p style='x' class='words'>a</p>", '<p class="words">a</p>'),
        ("<p>a</div></main>b", "<p>a</div>b</p>".replace("</div>", "&lt;/main&gt;")),
        ("<table><tr><th>a</th></tr></table>", "<table><tr><th>a</th></tr></table>"),  # F213
        ("<!-- x --><b>a", "<b>a</b>"),
        ("a < b & c", "a &lt; b &amp; c"),
    ],
)
def test_markup_is_reduced_to_what_a_page_may_hold_f173_f175(markup, kept):
    assert sanitize(markup) == kept


@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<b", ">", "<script>", "</script>", "<svg onload=x>", "<!--", "-->",
             "<img src=x onerror=y>", "<a href='javascript:x'>", "'", '"', "text", "<style>",
             "</style>", "&lt;", "<![CDATA[", "]]>", "<math>", "<?x", "<table>", "</div>", "=", "/"]
        ),
        max_size=12,
    )
)  # fmt: skip
@settings(max_examples=300)
def test_no_mixture_of_pieces_gets_through(pieces):
    clean = sanitize("".join(pieces))
    tags = Tags(clean)
    assert {"script", "style", "svg", "math"}.isdisjoint(tags.found)
    assert not [name for name, _ in tags.attributes if name.startswith("on") or name == "style"]
    assert "javascript:" not in [value for _, value in tags.attributes]
    assert sanitize(clean) == clean


def test_a_frame_styled_without_escaping_is_harmless_f175():
    shown = pd.DataFrame({"model": ["<script>alert(1)</script>", "b"]}).style.to_html()
    assert "<script>" in shown
    clean = sanitize(shown)
    assert "<script>" not in clean
    assert "&lt;script&gt;" in clean


# --- Publishing -----------------------------------------------------------------------------------


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_report_replaces_the_one_before_as_a_whole(tmp_path):
    target = tmp_path / "organization-7" / "2026-11-20"
    publish({"index.html": "old", "gone.html": "old"}, target)
    publish({"index.html": "new"}, target)
    assert contents(target) == {"index.html": "new"}
    assert visible(target.parent) == ["2026-11-20"]


@pytest.mark.parametrize("call", ["replace", "rename", "fsync"])
def test_a_full_disk_leaves_the_old_report_f209(tmp_path, monkeypatch, call):
    target = tmp_path / "organization-7" / "2026-11-20"
    publish({"index.html": "old"}, target)

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    home = Path if call == "rename" else os
    original = getattr(home, call)

    def second_rename(path, other):
        return full() if ".being-made-" in str(path) else original(path, other)

    with monkeypatch.context() as patch:
        patch.setattr(home, call, second_rename if call == "rename" else full)
        with pytest.raises(StorageError, match="could not be written") as caught:
            publish({"index.html": "new"}, target)
    assert caught.value.exit_code == 17
    assert contents(target) == {"index.html": "old"}
    assert visible(target.parent) == ["2026-11-20"]


def test_a_replacement_that_was_cut_off_is_undone_at_the_next_run(tmp_path):
    aside = tmp_path / ".replaced-abc"
    publish({"index.html": "old"}, aside / "2026-11-20")
    recover(tmp_path)
    assert contents(tmp_path / "2026-11-20") == {"index.html": "old"}
    assert not aside.exists()


def test_many_runs_at_once_leave_one_whole_report_f210(tmp_path):
    target = tmp_path / "organization-7" / "2026-11-20"

    def run(n):
        recover(target.parent)
        publish({"index.html": f"{n}", "page.html": f"{n}"}, target)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(12)))
    found = contents(target)
    assert len(found) == 2
    assert len(set(found.values())) == 1
    assert visible(target.parent) == ["2026-11-20"]


def test_earlier_reports_are_the_readable_ones_before_the_day(tmp_path):
    texts = {"2026-11-05": "[1]", "2026-11-06": "{}", "2026-11-13": "{", "2026-11-20": "{}"}
    for day, text in texts.items():
        publish({"report.json": text}, tmp_path / day)
    (tmp_path / ".being-made-abc").mkdir()
    found = earlier_reports(tmp_path, "2026-11-20")
    assert [report["day"] for report in found] == ["2026-11-06"]


def test_earlier_reports_are_those_of_the_same_kind(tmp_path):
    for name in ("2026-11-06", "2026-11-06_adoption", "2026-11-13_adoption", "2026-11-13_quality"):
        publish({"report.json": "{}"}, tmp_path / name)
    found = earlier_reports(tmp_path, "2026-11-20_adoption")
    assert [(one["day"], one["folder"]) for one in found] == [
        ("2026-11-13", "2026-11-13_adoption"),
        ("2026-11-06", "2026-11-06_adoption"),
    ]


def test_only_a_report_of_the_same_pages_and_settings_replaces_one():
    """Fewer pages, fewer days, other parameters or people have a folder of their own."""
    adoption, quality, own = map(Path, ("adoption.ipynb", "quality.ipynb", "own.ipynb"))
    usual = [adoption, quality]
    values = {"archive": "a", "scope": "s", "start": "", "end": "2026-11-20", "show_logins": False}

    def part(*notebooks, teams=(), **changes):
        return unusual_part(dict.fromkeys(notebooks, values | changes), usual, teams)

    assert part(*usual) == part(quality, adoption, archive="b", end="") == ""
    assert part(adoption) == "_adoption"
    assert part(*usual, start="2026-11-01") == "_from-2026-11-01"
    every = [
        part(*usual), part(adoption), part(quality), part(*usual, own),
        part(*usual, start="2026-11-01"), part(*usual, start="2026-11-02"),
        part(*usual, active="engaged"), part(*usual, show_logins=True), part(*usual, teams=["web"]),
        part(*usual, teams=["data"]), part(*(Path(f"{n:060}.ipynb") for n in range(9))),
    ]  # fmt: skip
    assert len(set(every)) == len(every)
    assert all(re.fullmatch(r"[\w-]{0,80}", name) for name in every)
    assert part(*usual, teams=["b", "a"]) == part(*usual, teams=["a", "b"])


# --- The whole report -----------------------------------------------------------------------------


def plan_with(**changes):
    options = {"archive": "a", "scope": "", "end": "", "max_age": None, "is_sample": False}
    options |= {"notebooks": {}, "out": Path("out"), "show_logins": False, "moment": NOW}
    return Plan(**options | changes)


def marker_with(through, *, missing=(), damaged=(), pending=(), empty=(), start="2026-11-01"):
    days = {
        "missing": list(missing),
        "damaged": list(damaged),
        "pending": list(pending),
        "empty": list(empty),
    }
    days |= {"provisional": [], "expected": 0, "present": 0}
    return {"scope": "organization:7", "start": start, "end": "2026-11-20", "days": days,
            "data_through": through, "final_through": through, "lacking": []}  # fmt: skip


@pytest.mark.parametrize(
    ("markers", "changes", "expected"),
    [
        ([marker_with("2026-11-20")], {}, 0),
        ([marker_with("2026-11-20", pending=["2026-11-21"])], {}, 0),
        ([marker_with("2026-11-20", missing=["2026-11-03"])], {}, 3),
        ([marker_with("2026-11-20"), marker_with("2026-11-20", damaged=["2026-11-03"])], {}, 3),
        ([marker_with("2026-11-12")], {"max_age": 5}, 4),
        ([marker_with("2026-11-20"), marker_with("2026-11-12")], {"max_age": 5}, 4),
        ([marker_with("2026-11-12", missing=["2026-11-03"])], {"max_age": 5}, 3),
        ([marker_with("2026-11-12")], {"max_age": 5, "end": "2026-11-12"}, 0),
        ([marker_with(None)], {}, 0),
        ([marker_with(None)], {"max_age": 5}, 4),
    ],
)
def test_the_exit_code_says_what_a_scheduler_has_to_know_f203_f204_f205(markers, changes, expected):
    period = merged_period(dict(enumerate(markers)))
    plan = plan_with(**changes)
    assert exit_code(period, plan) == expected
    assert max(shortcomings(period, plan), default=0) >= expected  # each code has its words


def test_a_report_is_as_old_as_its_oldest_notebook_and_has_all_gaps():
    markers = [
        marker_with("2026-11-20", missing=["2026-11-03"]),
        marker_with("2026-11-12", missing=["2026-11-03", "2026-11-04"], start="2026-10-31"),
    ]
    period = merged_period(dict(enumerate(markers)))
    assert (period.start, period.data_through) == (date(2026, 10, 31), date(2026, 11, 12))
    assert period.missing == (date(2026, 11, 3), date(2026, 11, 4))
    assert (period.expected, period.present) == (21, 18)
    markers.append(marker_with("2026-11-20", empty=["2026-11-08"]))
    assert merged_period(dict(enumerate(markers))).present == 17


def test_a_day_is_there_only_if_every_page_has_it():
    """28 days of people and 324 of deliveries are no 324 days: the first page must not say so."""
    short = marker_with("2026-11-20", start="2026-10-24")
    long = marker_with("2026-11-20", start="2026-01-01", missing=["2026-11-03"])
    period = merged_period({"adoption": short, "delivery": long})
    assert (period.expected, period.present) == (324, 27)
    assert exit_code(period, plan_with()) == 3
    later = marker_with("2026-11-20", start="2026-11-10")
    earlier = marker_with("2026-11-05") | {"end": "2026-11-05"}
    apart = merged_period({"adoption": later, "delivery": earlier})
    assert (apart.expected, apart.present) == (20, 0)
    assert "no data" not in display.header(apart).text


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"notebooks": ["nope"]}, 2),
        ({"start": "2026-11-05", "end": "2026-11-01"}, 2),
        ({"parameters": {"active": 1}}, 2),
        ({"source": "no-archive"}, 10),
        ({"source": "files", "notebooks": ["adoption"], "teams": ["nobody"]}, 2),
        ({"source": "files", "notebooks": ["adoption"], "teams": 7}, None),  # a bug of the caller's
    ],
)
def test_the_status_never_tells_the_success_of_an_earlier_run(tmp_path, monkeypatch, options, code):
    """F193: also what fails before any notebook runs is said in status.json."""
    monkeypatch.chdir(tmp_path)
    company = samples.Company(people=20, days=2)
    samples.write(tmp_path / "files", company, company.scopes[:1], reports=["users-1-day"])
    (tmp_path / "status.json").write_text('{"is_published": true}')
    with pytest.raises((CopilotAnalyticsError, TypeError)):
        report(out=tmp_path, now=NOW, **options)
    status = json.loads((tmp_path / "status.json").read_text())
    assert status["is_published"] is False
    assert status["generated_at"] == "2026-11-22T09:00:00+00:00"
    assert status.get("exit_code") == code
    assert status["error"]


def test_data_of_one_day_ago_is_one_day_old():
    period = merged_period({"adoption": marker_with("2026-11-21")})
    (banner,) = page_banners(period, plan_with(max_age=0))
    assert "The data is 1 day old: nothing" in banner.text


def test_stale_data_has_a_banner_f204():
    period = merged_period({"adoption": marker_with("2026-11-12")})
    assert data_age(period, plan_with()) == 10
    (banner,) = page_banners(period, plan_with())
    assert "10 days old: nothing after 12 November 2026" in banner.text
    assert 'class="banner danger"' in banner.body
    assert page_banners(period, plan_with(max_age=10)) == []
    assert "invented" in page_banners(period, plan_with(is_sample=True))[0].text


def test_the_key_of_the_sample_is_always_the_same():
    assert open_key() == open_key()
    assert len(open_key()) >= 32


def test_files_of_reports_get_a_key_of_the_run_and_nothing_is_written_beside_them(tmp_path):
    file = tmp_path / "users.ndjson"
    file.write_bytes(ndjson(user_record()))
    for place in (str(file), str(tmp_path), str(tmp_path / "*.ndjson"), str(tmp_path / "none")):
        assert open_key(place) == open_key(str(file)) != open_key()
    assert [path.name for path in tmp_path.iterdir()] == ["users.ndjson"]


def test_each_team_has_a_key_of_its_own_and_everybody_the_one_that_is_kept():
    keys = [open_key(team=team) for team in ("", "web", "data")]
    assert len(set(keys)) == 3
    assert keys[0] == open_key()
    assert keys[1] == privacy.key_of_team(open_key(), "web")


# --- Opening --------------------------------------------------------------------------------------


def write_reports(folder, *organizations):
    """Two days of one person in each organization, as report files."""
    for organization in organizations:
        days = ("2026-11-01", "2026-11-02")
        records = [user_record(day, user_id=1, organization_id=organization) for day in days]
        (folder / f"users-{organization}.ndjson").write_bytes(ndjson(*records))


def test_files_can_be_opened_without_an_archive(tmp_path):
    write_reports(tmp_path, "7")
    assert len(open_tables(str(tmp_path)).users) == 2
    assert len(open_tables(str(tmp_path / "users-*.ndjson"), start="2026-11-02").users) == 1
    assert len(open_tables(str(tmp_path), scope="organization:octo-org").users) == 2


def test_people_of_several_scopes_are_never_added_up(tmp_path):
    write_reports(tmp_path, "7", "8")
    with pytest.raises(UsageError, match="2 scopes: organization:7, organization:8"):
        open_tables(str(tmp_path))
    assert set(open_tables(str(tmp_path), scope="organization:8").users["scope"]) == {
        "organization:8"
    }
    with pytest.raises(UsageError, match="no scope 'organization:9'"):
        open_tables(str(tmp_path), scope="organization:9")


def test_an_archive_is_opened_by_the_name_of_its_scope(tmp_path):
    write_reports(tmp_path, "7")
    archive, octo = Archive(tmp_path / "archive"), Scope("organization", "octo-org")
    with archive.writing() as ledger:
        archive.store(ledger, octo, "import", None, [tmp_path / "users-7.ndjson"])
    place = str(tmp_path / "archive")
    assert only_scope(archive) == "organization:octo-org"
    assert len(open_tables(place).users) == 2
    assert len(open_tables(place, scope="organization:octo-org", end="2026-11-01").users) == 1
    key = open_key(place)
    assert key == open_key(place)
    assert key != open_key()


def test_an_archive_that_is_not_there_is_said_before_anything_runs(tmp_path):
    notebook = make_notebook(tmp_path / "own.ipynb")
    with pytest.raises(ArchiveError) as caught:
        report(tmp_path / "no-archive", notebooks=[notebook], out=tmp_path / "out")
    assert caught.value.exit_code == 10
    assert visible(tmp_path / "out") == ["status.json"]
    with pytest.raises(ArchiveError):
        open_tables(str(tmp_path / "no-archive"))
