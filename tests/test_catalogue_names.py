"""Known changes, client versions, names of values and scopes: what else the catalogue knows."""

import re
from itertools import product

import pytest
from conftest import ndjson, user_record
from hypothesis import given
from hypothesis import strategies as st

import copilot_analytics as ca
from copilot_analytics import catalogue
from copilot_analytics.errors import UsageError

# --- Changes ------------------------------------------------------------------------------------


def test_every_known_series_break_is_marked_and_has_a_source():
    changes = catalogue.changes()
    breaks = changes.loc[changes["is_series_break"], "day"].dt.strftime("%Y-%m-%d").tolist()
    assert breaks == [
        "2026-03-02",  # plan mode apart from custom mode
        "2026-03-20",  # automatic model selection on real models
        "2026-04-10",  # CLI in the totals
        "2026-06-15",  # people seen by the server
        "2026-06-19",  # credits, and rows with nothing else
        "2026-07-02",  # CLI suggested lines
        "2026-07-28",  # app in the totals
        "2026-09-18",  # app booked as CLI
        "2026-10-06",  # IDE agent sessions booked as CLI
    ]
    assert changes["day"].is_monotonic_increasing
    assert changes["label"].is_unique
    for column in ("label", "affects", "meaning", "source"):
        assert changes[column].ne("").all()


def test_every_day_on_which_a_field_begins_is_a_known_change():
    known = set(catalogue.changes()["day"].dt.date)
    opened = {endpoint.since for endpoint in catalogue.all_endpoints()}
    begun = {
        field.since
        for table in catalogue.all_tables().values()
        for field in table.columns
        if field.since
    }
    assert begun - opened <= known


# --- Client versions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "minimum", "is_below"),
    [
        ("1.99.3", "1.107.1", True),  # as text it would not be
        ("1.107.1", "1.107.1", False),
        ("1.107", "1.107.1", True),
        ("1.108.0-insider", "1.107.1", False),
        ("18.3.511.5503", "18.0.471.29466", False),
        ("17.14.9 (October 2025)", "17.14.13", True),
        ("2024.1.7", "2024.2.6", True),
        ("1.5.52-233", "1.5.52-241", True),
        ("1.5.53-233", "1.5.52-241", False),
        ("0.9.3.202507240901", "0.9.3.202507240902", True),
        ("0.9.3", "0.9.3.202507240902", False),  # the same version, its build is not said
        ("0.9.2.202512010000", "0.9.3.202507240902", True),
        ("4.36.0.v20250528-1830", "4.31", False),
        ("0.43.2026033101", "0.35.3", False),
        ("v1.0.57", "1.0.57", False),
    ],
)
def test_versions_are_compared_number_by_number(version, minimum, is_below):
    assert catalogue.is_below(version, minimum) is is_below


@pytest.mark.parametrize("text", ["unknown", "", " ", "others", "-", None, float("nan"), 1.5])
def test_what_is_no_version_is_neither_below_nor_above(text):
    assert catalogue.is_below(text, "1.0.57") is None
    assert catalogue.is_below("1.0.57", text) is None


NUMBERS = st.lists(st.integers(0, 10**9), min_size=1, max_size=4)


@given(NUMBERS, NUMBERS)
def test_versions_are_ordered_as_lists_of_numbers_are(ours, theirs):
    length = max(len(ours), len(theirs))
    padded = [numbers + [0] * (length - len(numbers)) for numbers in (ours, theirs)]
    version, minimum = (".".join(map(str, numbers)) for numbers in (ours, theirs))
    assert catalogue.is_below(version, minimum) == (padded[0] < padded[1])


def test_each_client_has_one_current_minimum_per_measure_and_feature():
    frame = catalogue.client_versions()
    current = frame[frame["is_current"]]
    assert not current.duplicated(["client", "measure", "feature"]).any()
    clients = {"VS Code", "Visual Studio", "JetBrains", "Eclipse", "Xcode"}
    assert set(frame.query("measure == 'activity'")["client"]) == clients
    lines = frame.query("measure == 'lines'").groupby("client")["feature"].agg(set)
    edits = {"code_completion", "chat_panel", "agent_edit"}
    assert lines["VS Code"] == lines["JetBrains"] == edits | {"chat_inline"}
    assert lines["Eclipse"] == lines["Xcode"] == edits
    assert lines["Copilot CLI"] == {"copilot_cli"}


def test_minimum_versions_can_be_compared_and_joined():
    frame, names = catalogue.client_versions(), catalogue.names()
    known = names.groupby("dimension")["value"].agg(set)
    assert set(" ".join(frame["ides"]).split()) <= known["ide"]
    assert set(frame["extension"]) <= known["plugin"]
    assert set(frame["feature"]) <= known["feature"] | {"all", "chat_panel"}
    assert frame["source"].ne("").all()
    assert frame.loc[frame["is_current"], "source_day"].notna().all()
    for column in ("client_version", "extension_version"):
        versions = [version for version in frame[column] if version]
        assert all(catalogue.is_below(version, version) is False for version in versions)
    for _, rows in frame.query("measure == 'activity'").groupby("client"):
        newest = rows.loc[rows["is_current"], "client_version"].item()
        assert not any(catalogue.is_below(newest, old) for old in rows["client_version"])


# --- Names --------------------------------------------------------------------------------------


def test_every_value_is_listed_once_and_what_it_is_grouped_under_stands_for_itself():
    names = catalogue.names()
    assert not names.duplicated(["dimension", "value"]).any()
    assert names["source"].ne("").all()
    assert names["label"].ne("").all()
    for dimension, values in names.groupby("dimension"):
        known = catalogue.canonical_names(dimension)
        assert not set(known.values()) & set(known)
        assert set(known.values()) <= set(values["value"])
        assert values.groupby("canonical")["label"].agg(set).str.len().eq(1).all()


@pytest.mark.parametrize(
    ("dimension", "spellings"),
    [
        ("language", "typescript ts"),
        ("language", "javascript js"),
        ("language", "typescriptreact tsx"),
        ("language", "csharp c#"),
        ("language", "cpp c++"),
        ("language", "terraform hcl"),
        ("language", "shellscript bash sh"),
        ("language", "powershell pwsh"),
        ("language", "json jsonc"),
        ("model", "claude-sonnet-4.5 claude-4.5-sonnet"),
        ("model", "claude-haiku-4.5 claude-4.5-haiku"),
        ("model", "gpt-5 gpt-5.0"),
        ("ide", "visualstudio visual_studio"),
        ("ide", "intellij jetbrains"),
    ],
)
def test_spellings_of_one_thing_are_grouped_under_the_first(dimension, spellings):
    first, *others = spellings.split()
    known = catalogue.canonical_names(dimension)
    assert [known[other] for other in others] == [first] * len(others)
    assert first not in known
    assert len({catalogue.value_label(dimension, value) for value in (first, *others)}) == 1


def test_every_claude_model_is_known_in_both_word_orders():
    models = catalogue.names().query("dimension == 'model'").set_index("value")["canonical"]
    ours = [re.fullmatch(r"claude-([a-z]+)-([\d.]+)", name) for name in set(models)]
    assert len(ours) > 10
    for family, version in (match.groups() for match in ours if match):
        assert models[f"claude-{version}-{family}"] == f"claude-{family}-{version}"


def test_tables_keep_the_spelling_of_the_report():
    slices = [
        {"language": language, "model": model}
        for language, model in product(("ts", "c#"), ("claude-4.5-sonnet", "claude-sonnet-4.5"))
    ]
    frame = ca.load(ndjson(user_record(totals_by_language_model=slices))).users_by_language_model
    assert frame[["language", "model"]].to_dict("records") == slices


def test_every_shape_of_a_name_has_a_label():
    assert catalogue.label("loc_added_sum") == "Lines added"
    assert catalogue.label("not_in_the_catalogue") == "Not in the catalogue"
    assert catalogue.value_label("phase", "Phase 3") == "Multi-agent"
    assert catalogue.value_label("phase_number", 3) == "Multi-agent"
    assert catalogue.value_label("agent_id", "2246796") == "Claude (Anthropic)"
    assert catalogue.value_label("ide", "a new one") == "a new one"


# --- Scopes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Octo-Org", "a", "a_b-c", "x" * 100])
def test_names_of_scopes_are_lower_cased(name):
    scope = catalogue.Scope.of(org=name)
    assert str(scope) == f"organization:{name.lower()}"
    assert ":" not in scope.folder


@pytest.mark.parametrize(
    "name", ["", "a/b", "..", "a%2e", "a b", "-a", "a--b", "a-", "x" * 101, "a\n", "ä", "C:\\x"]
)
def test_f051_f180_names_that_are_not_names_are_refused(name):
    with pytest.raises(UsageError, match="not a GitHub name"):
        catalogue.Scope.of(enterprise=name)


def test_exactly_one_of_organization_and_enterprise():
    for arguments in ({}, {"org": "a", "enterprise": "b"}):
        with pytest.raises(UsageError, match="exactly one"):
            catalogue.Scope.of(**arguments)
    for text in ("octo-org", "team:a", "organization:"):
        with pytest.raises(UsageError):
            catalogue.Scope.parse(text)
