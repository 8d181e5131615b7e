"""What limits the figures: old clients, records that tell nothing, fields that nobody knows."""

import pandas as pd
import pytest
from conftest import user_record
from metrics_input import ENGINES, clients, company, day, load, to_pandas
from scipy.stats import binomtest

from copilot_analytics import catalogue, metrics

RECORDS = company()
TABLES = load(RECORDS)
VERSIONS = load(clients())


def minimums(measure: str) -> dict[str, dict]:
    rows = catalogue.client_versions().query("is_current and measure == @measure")
    return {row["client"]: row for row in rows.to_dict("records")}


def naive(records: list[dict], measure: str) -> dict[str, tuple]:
    """People, people below and people unknown per client, by plain loops."""
    last: dict = {}
    for record in sorted(records, key=lambda record: record["day"]):
        for part in record.get("totals_by_ide", []):
            version = part["last_known_ide_version"]["ide_version"]
            plugin = part["last_known_plugin_version"]
            key = record["user_id"], part["ide"]
            if version is not None or plugin["plugin_version"] is not None:
                last[key] = (version, plugin["plugin"], plugin["plugin_version"])
            last.setdefault(key, (None, None, None))
    result = {}
    for client, minimum in minimums(measure).items():
        verdicts: dict = {}
        for (person, ide), (version, plugin, extension) in last.items():
            if ide not in minimum["ides"].split():
                continue
            known = [catalogue.is_below(version, minimum["client_version"])]
            if minimum["extension"] in ("", plugin):
                known.append(catalogue.is_below(extension, minimum["extension_version"]))
            known = [one for one in known if one is not None]
            verdicts.setdefault(person, []).append(any(known) if known else None)
        if verdicts:
            below = sum(any(found) for found in verdicts.values())
            unknown = sum(set(found) == {None} for found in verdicts.values())
            result[client] = (len(verdicts), below, unknown)
    return result


@pytest.mark.parametrize("engine", ENGINES)
def test_old_clients_are_counted_by_the_last_version_of_each_person(engine):
    """Demand 28: an old IDE or an old extension is enough, a version of before is not."""
    by_ide = ENGINES[engine](VERSIONS.users_by_ide)
    found = to_pandas(metrics.outdated_clients(by_ide)).query("measure == 'activity'")
    counts = {
        row.client: (row.people, row.people_below, row.people_unknown) for row in found.itertuples()
    }
    assert counts == naive(clients(), "activity")
    assert counts == {"VS Code": (2, 1, 0), "JetBrains": (2, 1, 0), "Xcode": (1, 0, 1)}
    share = found.set_index("client").loc["VS Code"]
    interval = binomtest(1, 2).proportion_ci(method="wilson")
    assert tuple(share[["share", "low", "high"]]) == pytest.approx((0.5, *interval))
    assert pd.isna(found.set_index("client").loc["Xcode", "share"])


def test_an_older_version_under_another_spelling_does_not_decide():
    """Audit 12: visual_studio and visualstudio are one IDE of one person."""

    def record(day: int, ide: str, version: str) -> dict:
        part = {
            "ide": ide,
            "last_known_ide_version": {"ide_version": version},
            "last_known_plugin_version": {"plugin": "copilot-vs", "plugin_version": "18.1.0.1"},
        }
        return user_record(f"2026-11-0{day}", 1, totals_by_ide=[part])

    by_ide = load([record(2, "visual_studio", "17.1.0"), record(3, "visualstudio", "18.12.3")])
    found = metrics.outdated_clients(by_ide.users_by_ide)
    assert set(found["client"]) == {"Visual Studio"}
    assert found["people"].tolist() == [1] * len(found)
    assert found["people_below"].sum() == 0


def test_the_cli_has_its_own_minimum():
    def record(person: int, version: str | None) -> dict:
        sampled = {"cli_version": version, "sampled_at": "2026-11-02T10:00:00Z"}
        return user_record("2026-11-02", person, totals_by_cli={"last_known_cli_version": sampled})

    tables = load([record(1, "1.0.56"), record(2, "1.0.60"), record(3, "unknown")])
    found = metrics.outdated_clients(tables.users_by_ide, users=tables.users)
    columns = ["measure", "people", "people_below", "people_unknown", "share"]
    assert found[columns].values.tolist() == [["lines", 3, 1, 1, 0.5], ["exact lines", 3, 2, 1, 1]]
    assert set(found["client"]) == {"Copilot CLI"}
    assert metrics.outdated_clients(tables.users_by_ide).empty


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("period", ["day", "week"])
def test_reduced_records_are_counted_by_a_loop(engine, period):
    def start(record):
        today = day(record["day"])
        return today - pd.Timedelta(today.weekday() if period == "week" else 0, "D")

    found = to_pandas(metrics.reduced_records(ENGINES[engine](TABLES.users), period=period))
    for row in found.to_dict("records"):
        inside = [record for record in RECORDS if start(record) == row[period]]
        reduced = [record for record in inside if "totals_by_feature" not in record]
        assert (row["records"], row["reduced"]) == (len(inside), len(reduced))
        assert row["people"] == len({record["user_id"] for record in reduced})
        assert row["share"] == pytest.approx(len(reduced) / len(inside))
    assert found["records"].sum() == len(RECORDS)


def test_unknown_fields_are_named_with_their_table():
    """Demand 12: what is new in a report is kept and told."""
    features = [{"feature": "code_completion", "mood": "good"}]
    records = [user_record(weather="fine", totals_by_feature=features), user_record(user_id=2, a=1)]
    found = metrics.unknown_fields(load(records))
    assert found.values.tolist() == [
        ["users", "a", 1],
        ["users", "weather", 1],
        ["users_by_feature", "mood", 1],
    ]
    assert metrics.unknown_fields(TABLES).empty


def headline(tables) -> pd.DataFrame:
    summary = metrics.reconciliation_summary(metrics.reconcile(tables))
    return metrics.quality_headline(tables, summary).set_index("figure")


def test_the_headline_counts_checks_days_and_records():
    rows = headline(TABLES)
    summary = metrics.reconciliation_summary(metrics.reconcile(TABLES))
    for figure, outcome in (("checks_that_hold", "holds"), ("checks_that_fail", "fails")):
        assert rows.loc[figure, "value"] == (summary["outcome"] == outcome).sum()
    assert rows.loc["days_with_data", "value"] == len({record["day"] for record in RECORDS})
    reduced = [record for record in RECORDS if "totals_by_feature" not in record]
    row = rows.loc["share_of_records_reduced"]
    assert row["value"] == pytest.approx(len(reduced) / len(RECORDS))
    assert row["people"] == len({record["user_id"] for record in reduced})
    assert rows.loc["unknown_fields", "value"] == 0


def test_nothing_is_missing_and_not_zero():
    """F203: no report is not a report that holds."""
    rows = headline(load([]))
    known = rows["value"].notna()
    assert rows.index[known].tolist() == ["unknown_fields"]
    assert rows.loc["checks_that_hold", "note"] == "no two reports of one day"
