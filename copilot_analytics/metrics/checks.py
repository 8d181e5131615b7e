"""What must hold between GitHub's numbers, as data: each check is one entry of a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from copilot_analytics.metrics.daily_sums import COUNTERS, Term

# Languages are told without the prompts.
OF_LANGUAGES = COUNTERS[1:]
SESSIONS = (
    "session_count",
    "request_count",
    "prompt_count",
    "output_tokens_sum",
    "prompt_tokens_sum",
)
# Features whose people a 28-day report counts and whose use per day the records show.
KEPT_FEATURES = ("code_completion", "agent_edit", "copilot_cli", "copilot_app")
SURFACES = (
    "active_cli_users",
    "active_copilot_app_users",
    "active_copilot_cloud_agent_users",
    "active_copilot_code_review_users",
)
WHOSE = {"users": "of people", "entity": "of the scope", "repos": "of repositories"}
CLI_COMPLETE = datetime(2026, 4, 1)

DOCS = "GitHub docs: Copilot usage metrics reference"
OBSERVED = "seen in reports of organizations"
OWN = "this package"


@dataclass(frozen=True)
class Check:
    """Two sums that are compared day by day.

    `by_design` is the reason why they may differ; without one a difference is a failure. With
    `is_bound` only a `found` above `expected` is a difference. With `is_outer` days that only one
    of them has are compared as well, the other being 0. Days before `since` and from `until` on
    are left out, and those before `first_day_of_month` of any month; `is_window` says that a day
    stands for the 28 days up to it. `tolerance` is a share of `expected`. With `scope_kind` only
    organizations or only enterprises are looked at.
    """

    name: str
    expected: tuple[Term, ...]
    found: tuple[Term, ...]
    measures: tuple[str, ...] = ("rows",)
    by_design: str = ""
    source: str = DOCS
    is_bound: bool = False
    is_outer: bool = False
    is_window: bool = False
    since: datetime | None = None
    until: datetime | None = None
    first_day_of_month: int = 1
    tolerance: float = 0.0
    scope_kind: str = ""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that are compared, the expected ones first."""
        return tuple(dict.fromkeys(term.table for term in (*self.expected, *self.found)))

    def terms(self) -> list[Term]:
        """Return every sum that the check needs."""
        sides = (*self.expected, *self.found)
        return [term.named(measure) for term in sides for measure in self.measures]


def _breakdowns(base: str) -> list[Check]:
    """Return the checks of the totals of a table against its breakdowns."""
    total, by_feature, whose = Term(base), f"{base}_by_feature", WHOSE[base]
    in_ides = (total, Term(by_feature, features=("copilot_cli", "copilot_app"), sign=-1))
    of_models = (total, Term(by_feature, features=("code_completion",), sign=-1))
    listed = (
        (f"features {whose} add up to the totals", (total,), "feature", COUNTERS),
        (f"IDEs {whose} add up to the totals without CLI and app", in_ides, "ide", COUNTERS),
        (f"languages {whose} add up to the totals", (total,), "language_feature", OF_LANGUAGES),
        (
            f"models {whose} add up to the totals without completions",
            of_models,
            "model_feature",
            COUNTERS,
        ),
        (
            f"languages of models {whose} add up to the totals without completions",
            of_models,
            "language_model",
            OF_LANGUAGES,
        ),
    )
    return [
        Check(
            name,
            expected,
            (Term(f"{base}_by_{part}"),),
            measures,
            source=OBSERVED,
            is_outer=True,
        )
        for name, expected, part, measures in listed
    ]


def _people_and_scope() -> list[Check]:
    """Return the checks of the records of people against those of the whole scope."""
    scope, people = (Term("entity"),), (Term("users"),)
    cli, app = (tuple(f"{tool}_{name}" for name in SESSIONS) for tool in ("cli", "app"))
    daily = (Term("entity", "daily_active_users"),)
    rule = (
        "GitHub counts active people by a rule of its own: before 10 April 2026 without people who "
        "only used the CLI, from 15 June 2026 on with people whom only its servers saw"
    )
    early = "before 1 April 2026 the CLI is not complete in the records of people"
    shown = "GitHub may count people whose records do not show this use"
    return [
        Check("people add up to the scope", scope, people, COUNTERS, source=OBSERVED),
        Check(
            "CLI use of people adds up to the scope",
            *(scope, people, cli),
            source=OBSERVED,
            since=CLI_COMPLETE,
        ),
        Check(
            "CLI use of people adds up to the scope, before 1 April 2026",
            *(scope, people, cli, early),
            source=OBSERVED,
            until=CLI_COMPLETE,
        ),
        Check(
            "app use of people adds up to the scope",
            *(scope, people, app),
            source=OWN,
            since=datetime(2026, 7, 28),
        ),
        Check(
            "people who sent prompts are the daily active people",
            *(daily, (Term("users", "with_prompts"),), ("people",), rule),
        ),
        Check(
            "people with any activity are the daily active people",
            *(daily, (Term("users", "engaged"),), ("people",), rule),
        ),
        Check(
            "people who used a surface are those that GitHub counts",
            *((Term("entity", "daily_{}"),), people, SURFACES, shown),
        ),
    ]


def _order_of_counts() -> list[Check]:
    """Return the checks that people of a day are among those of the week and the month."""
    counted = ("active_users", *SURFACES)
    day, week, month = (
        (Term("entity", f"{period}_{{}}"),) for period in ("daily", "weekly", "monthly")
    )
    features = tuple(
        (Term("entity", f"monthly_active_{name}_users"),) for name in ("chat", "agent")
    )
    of_month = (Term("entity", "monthly_active_users"),)
    return [
        Check("people of the day are among those of the week", week, day, counted, is_bound=True),
        Check("people of the day are among those of the month", month, day, counted, is_bound=True),
        # Counts to date begin anew with the month, when the week still reaches into the one before.
        Check(
            "people of the week are among those of the month, from its 7th day on",
            *(month, week, counted),
            is_bound=True,
            first_day_of_month=7,
        ),
        *(
            Check(
                f"{name} users of the month are among its active people",
                *(of_month, found, ("people",)),
                is_bound=True,
            )
            for name, found in zip(("chat", "agent"), features, strict=True)
        ),
    ]


def _inside_records() -> list[Check]:
    """Return the checks of the numbers of one record against each other."""
    later = "code that was generated on one day can be accepted on another"
    agents = "agents write lines without suggesting them, so a rate of lines can pass 100 %"
    checks = [
        Check(
            "records without telemetry have no activity",
            (Term("users", "without_telemetry"),),
            (Term("users", "without_telemetry_and_activity"),),
            source=OBSERVED,
        )
    ]
    names = {"cli": "CLI", "app": "app"}
    for table, tool in ((table, tool) for table in ("users", "entity") for tool in names):
        checks.append(
            Check(
                f"tokens per request of the {names[tool]}, {WHOSE[table]}, are their quotient",
                (Term(table, f"{tool}_averages"),),
                (Term(table, f"{tool}_right_averages"),),
            )
        )
    for name, table, kind, why in (
        ("acceptances of a person are at most generations", "users", "acceptances", later),
        (
            "acceptances of a feature are at most generations",
            "users_by_feature",
            "acceptances",
            later,
        ),
        ("lines added are at most lines suggested", "users", "lines", agents),
        ("lines of completions added are at most suggested", "users_by_feature", "lines", later),
    ):
        rows = (Term(table, f"with_{kind}"),)
        checks.append(
            Check(name, rows, (Term(table, f"possible_{kind}"),), by_design=why, source=OBSERVED)
        )
    return checks


def _pull_requests() -> list[Check]:
    """Return the checks of pull requests: parts against wholes, repositories against the scope."""
    moved = "repositories may be transferred between organizations and are counted once per report"
    untyped = "not every suggestion has a type, and types are reported from 8 May 2026 on"
    checks = []
    for table in ("entity", "repos"):
        whose = WHOSE[table]
        prefix = "pull_requests_total_"
        for noun, whole, part, measures in (
            ("pull requests", "{}", "{}_by_copilot", ("created", "reviewed")),
            (
                "merged pull requests",
                *("merged", "merged_{}", ("created_by_copilot", "reviewed_by_copilot")),
            ),
            ("suggestions", "{}", "copilot_{}", ("suggestions",)),
        ):
            checks.append(
                Check(
                    f"{noun} with Copilot, {whose}, are among all",
                    (Term(table, prefix + whole),),
                    (Term(table, prefix + part),),
                    measures,
                    is_bound=True,
                )
            )
        by_type = f"{table}_by_comment_type"
        checks.append(
            Check(
                f"suggestions by type of comment, {whose}, add up to those of Copilot",
                (Term(table, "pull_requests_total_copilot_suggestions"),),
                (Term(by_type, "total_copilot_suggestions"),),
                ("suggestions",),
                untyped,
            )
        )
    merged = tuple(f"pull_requests_total_{name}" for name in ("created", "merged"))
    of_scope, of_repositories = (Term("entity"),), (Term("repos"),)
    return [
        *checks,
        Check("repositories add up to the scope", of_scope, of_repositories, merged, moved),
    ]


def _phases_and_windows() -> list[Check]:
    """Return the checks of adoption phases, and of 28-day reports against days."""
    phases = tuple(f"phase_{number}" for number in range(4))
    active = "GitHub may count a person as active on a day without any record of telemetry"
    weights = "GitHub does not say over which people it averages; the active ones of the day fit"
    restated = "days may have been restated since, and GitHub counts active people by its own rule"
    of_phase = (Term("entity_by_phase", "total_engaged_users"),)
    whole_phase = (Term("entity_by_phase", "users_in_phase_28d"),)
    window = (Term("users_window"),)
    kept = (Term("feature_engagement", "engaged_user_count", KEPT_FEATURES),)
    counted = (Term("feature_engagement", "active_user_count", KEPT_FEATURES[:1]),)
    averaged = (*COUNTERS[:3], *COUNTERS[5:])
    return [
        Check(
            "people per reported phase are the active people of the phase",
            *((Term("entity_by_phase"),), (Term("users"),), phases, active),
        ),
        Check(
            "active people of a phase are among its people of 28 days",
            *(whole_phase, of_phase, ("people",)),
            is_bound=True,
        ),
        Check(
            "averages of phases times people are the totals",
            *((Term("entity"),), (Term("entity_by_phase"),), averaged, weights),
            source="inferred",
            tolerance=0.005,
        ),
        Check(
            "28 days of people are the sum of their days",
            *(window, (Term("window_users"),), ("rows", *COUNTERS), restated),
            is_window=True,
        ),
        Check(
            "people who kept using a feature are those that GitHub counts",
            *(kept, (Term("window_features", "kept", KEPT_FEATURES),), ("people",), restated),
            is_window=True,
        ),
        Check(
            "people active in 28 days are those that GitHub counts",
            *(counted, (Term("window_users", "engaged"),), ("people",), restated),
            is_window=True,
        ),
    ]


def _across() -> list[Check]:
    """Return the checks of teams and of organizations, where people count more than once."""
    teams = (
        "people in several teams count in each; people without a team of at least five seats count "
        "in none"
    )
    members = "the enterprise counts people once, organizations each of their members"
    figures = ("daily_active_users", *COUNTERS)
    return [
        Check(
            "teams add up to all people",
            *((Term("users"),), (Term("team_users"),), ("rows", *COUNTERS), teams),
        ),
        Check(
            "people of the organizations, each once, are in the enterprise",
            *((Term("users", "rows"),), (Term("members", "rows"),), ("people",)),
            is_bound=True,
            scope_kind="enterprise",
        ),
        Check(
            "organizations add up to the enterprise",
            *((Term("entity"),), (Term("organizations"),), figures, members),
            scope_kind="enterprise",
        ),
    ]


CHECKS = (
    *_people_and_scope(),
    *_breakdowns("users"),
    *_breakdowns("entity"),
    *_order_of_counts(),
    *_inside_records(),
    *_phases_and_windows(),
    *_pull_requests(),
    *_across(),
)
