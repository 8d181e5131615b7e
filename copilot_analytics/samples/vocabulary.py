"""The words and habits of the sample company: invented people, real spellings.

Names of features, IDEs, languages and models stand here as GitHub's reports spell them, two
spellings of one thing included. Everything that has a first day takes it from the catalogue.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import NamedTuple

from copilot_analytics import catalogue

# In the catalogue's order, which the seven positions below name.
COUNTERS = tuple(
    field.column
    for field in catalogue.record_fields("users")
    if field.path.startswith("totals_by_feature[].")
    and field.type == "count"
    and not field.is_retired
)
INTERACTIONS, GENERATIONS, ACCEPTANCES, SUGGESTED, SUGGESTED_DELETED, ADDED, DELETED = range(7)


class Feature(NamedTuple):
    """How a feature is used on a day: means for a person of average intensity.

    `prompts` is None where the feature has no interactions. Lines are added per acceptance, or per
    generation where nothing is ever accepted (`accepted` is 0).
    """

    name: str
    prompts: float | None
    generations: float
    accepted: float
    suggested: float
    added: float
    deleted: float


FEATURES = (
    Feature("code_completion", None, 22, 0.28, 1.6, 1.3, 0),
    Feature("chat_inline", 2, 1.5, 0.35, 6, 5, 0),
    Feature("chat_panel_ask_mode", 4, 1.5, 0.2, 9, 6, 0),
    Feature("chat_panel_edit_mode", 2, 1.2, 0.3, 8, 6, 0),
    Feature("chat_panel_agent_mode", 5, 3, 0.03, 6, 5, 0),
    Feature("chat_panel_plan_mode", 2, 0.5, 0.05, 6, 4, 0),
    Feature("chat_panel_custom_mode", 2, 1.2, 0.05, 7, 5, 0),
    Feature("chat_panel_unknown_mode", 1, 0.5, 0.1, 5, 4, 0),
    Feature("agent_edit", None, 9, 0, 0, 14, 5),
    Feature("copilot_cli", 7, 8, 0.97, 11, 10, 2.5),
    Feature("copilot_app", 5, 6, 0.95, 9, 9, 2),
)
FEATURE_NAMES = tuple(feature.name for feature in FEATURES)
OTHER_SURFACES = (
    "cloud_agent",
    "review_active",
    "review_passive",
    "vscode_agent",
    "third_party_agent",
)
SURFACES = (*FEATURE_NAMES, *OTHER_SURFACES)
# A day is an array of integers, one per person, one bit for each of these: what was used, what kind
# of row it leaves without any use, and what GitHub concludes from the use.
BIT = {
    name: 1 << place
    for place, name in enumerate(
        (*SURFACES, "server_only", "reduced", "active", "used_chat", "used_agent")
    )
}
CHAT_MODES = tuple(n for n in FEATURE_NAMES if n.startswith("chat_") and "agent" not in n)
CHAT_FEATURES = tuple(n for n in FEATURE_NAMES if n.startswith("chat_"))
PANEL_MODES = tuple(n for n in FEATURE_NAMES if n.startswith("chat_panel_"))

# Chance of using a surface on a working day once it is adopted; in the order of `SURFACES`, without
# agent_edit, which follows from the modes that write files.
PERSONAS = {
    # completion inline ask edit agent plan custom unknown cli app cloud review passive window third
    "completion": (0.95, 0.02, 0.03, 0, 0, 0, 0, 0, 0, 0, 0, 0.01, 0.03, 0, 0),
    "chat": (0.7, 0.15, 0.8, 0.15, 0.1, 0.05, 0.03, 0.01, 0.01, 0, 0.01, 0.03, 0.03, 0, 0.01),
    "agent": (0.75, 0.1, 0.35, 0.1, 0.85, 0.2, 0.12, 0.01, 0.03, 0.01, 0.05, 0.06, 0.03, 0.1, 0.03),
    "cli": (0.4, 0.03, 0.15, 0.02, 0.15, 0.05, 0.02, 0, 0.85, 0.03, 0.04, 0.05, 0.03, 0.02, 0.04),
    "app": (0.35, 0.03, 0.2, 0.02, 0.2, 0.05, 0.02, 0, 0.1, 0.75, 0.1, 0.05, 0.03, 0.05, 0.03),
    "multi": (0.85, 0.15, 0.5, 0.12, 0.7, 0.25, 0.12, 0.02, 0.55, 0.25, 0.2, 0.2, 0.03, 0.15, 0.08),
    "idle": (0.05, 0.01, 0.04, 0, 0.01, 0, 0, 0, 0.005, 0, 0, 0, 0.01, 0, 0),
    "seat only": (0,) * 15,
}
PERSONA_SHARES = (0.18, 0.18, 0.22, 0.1, 0.06, 0.14, 0.09, 0.03)
# Share of the people who use a surface from the first day; the others follow over the period.
EARLY = {
    "chat_panel_agent_mode": 0.4,
    "chat_panel_plan_mode": 0.3,
    "chat_panel_custom_mode": 0.3,
    "copilot_cli": 0.25,
    "copilot_app": 0.2,
    "cloud_agent": 0.3,
    "vscode_agent": 0.3,
    "third_party_agent": 0.3,
}

WEEKDAYS = (0.9, 0.93, 0.92, 0.9, 0.82, 0.05, 0.04)  # chance to work, Monday first
HOLIDAY_WEEKS = (33, 52)  # ISO weeks in which the company is on holiday
HOLIDAY_SHARE = 0.25  # of the usual presence


class Ide(NamedTuple):
    """An IDE, its share, and how its versions move: first number and numbers per day."""

    name: str
    share: float
    version: str
    number: float
    pace: float
    plugin: str
    plugin_version: str
    plugin_number: float
    plugin_pace: float


IDES = (
    Ide("vscode", 0.58, "1.{}.1", 106, 0.092, "copilot-chat", "0.{}.2", 33, 0.05),
    Ide("intellij", 0.1, "2026.{}", 1, 0.006, "copilot-intellij", "1.5.{}-241", 60, 0.1),
    Ide("jetbrains", 0.02, "2026.{}", 1, 0.006, "copilot-intellij", "1.5.{}-241", 60, 0.1),
    Ide("pycharm", 0.07, "2026.{}", 1, 0.006, "copilot-intellij", "1.5.{}-241", 60, 0.1),
    Ide("visualstudio", 0.08, "18.{}.3", 0, 0.033, "copilot-vs", "18.0.{}.29466", 480, 0.4),
    Ide("visual_studio", 0.02, "18.{}.3", 0, 0.033, "copilot-vs", "18.0.{}.29466", 480, 0.4),
    Ide("xcode", 0.04, "26.{}", 0, 0.01, "copilot", "0.{}.0", 44, 0.02),
    Ide("eclipse", 0.03, "4.{}", 37, 0.01, "", "", 0, 0),
    Ide("neovim", 0.04, "0.11.{}", 4, 0.01, "copilot", "1.{}.0", 50, 0.05),
    Ide("others", 0.02, "", 0, 0, "", "", 0, 0),
)
NO_IDE = 255  # the CLI and the app run outside any IDE

LANGUAGES = {
    "platform": ("go", "csharp", "c#", "hcl", "terraform", "yaml", "shellscript", "bash", "java"),
    "web": ("typescript", "ts", "typescriptreact", "tsx", "javascript", "css", "html", "json"),
    "mobile": ("kotlin", "swift", "java", "xml", "json", "markdown", "others"),
    "data": ("python", "sql", "r", "yaml", "markdown", "json", "unknown"),
    "research": ("python", "cpp", "c++", "julia", "markdown", "latex", "shellscript"),
}
LANGUAGE_NAMES = tuple(sorted({name for names in LANGUAGES.values() for name in names}))

# Two spellings of one model occur side by side. People move from the first list to the second.
OLD_MODELS = ("gpt-4.1", "gpt-5.0", "claude-sonnet-4.5", "claude-4.5-sonnet", "gpt-5-mini")
NEW_MODELS = ("claude-opus-4.8", "gpt-5.6", "gpt-5.6-codex", "claude-sonnet-5", "gemini-3.5-pro")
MODEL_NAMES = (*OLD_MODELS, *NEW_MODELS, "auto", "unknown", "others")

AGENTS = (("2246796", "Claude (Anthropic)"), ("2248422", "Codex (OpenAI)"))
CUSTOMIZATIONS = {
    "skill": ("create-pull-request", "explain", "fix-ci", "docs", "review", "test-writer", "other"),
    "custom_agent": ("code-review", "explore", "plan", "research", "task", "other"),
    "mcp": ("github", "playwright", "azure", "sentry", "figma", "notion", "other"),
    "slash_cmd": ("/model", "/clear", "/compact", "/context", "/review", "/resume", "custom"),
    # A plugin brings a skill, so each place here belongs to the skill in the same place.
    "plugin": ("workflow", "explainer", "ci-tools", "doc-tools", "other"),
}
COMMENT_TYPES = ("bug_risk", "security", "maintainability", "performance", "style")

# Fields that GitHub does not document, for whoever reads the reports to stumble over.
UNKNOWN_SINCE = date(2026, 10, 15)
UNKNOWN_FIELD = "next_edit_shown_count"
UNKNOWN_IDE_FIELD = "workspace_count"


class Team(NamedTuple):
    """A team of an organization; `share` of its people, or a fixed `size`."""

    slug: str
    team_id: int
    organization: int
    share: float
    size: int = 0


ENTERPRISE = ("octo-corp", "61405")
ORGANIZATIONS = (("octo-org", "9919001"), ("octo-labs", "9919002"))
# GitHub leaves teams under five people out of its reports. The sample keeps one in, so that there
# is a small group to hide.
TEAMS = (
    Team("platform", 7100001, 0, 0.3),
    Team("web", 7100002, 0, 0.28),
    Team("mobile", 7100003, 0, 0.18),
    Team("data", 7100004, 0, 0.18),
    Team("security", 7100005, 0, 0, size=4),
    Team("research", 7200001, 1, 1),
)
REPOSITORIES = (
    *((0, name) for name in ("api", "web-app", "mobile-app", "billing", "search", "infra")),
    *((0, name) for name in ("data-pipelines", "design-system", "docs", "auth", "cli", "edge")),
    *((1, name) for name in ("models", "simulator", "notebooks", "benchmarks", "papers")),
)
VISIBILITIES = ("PRIVATE", "INTERNAL", "PRIVATE", "PUBLIC")
FIRST_NAMES = (
    "ada alan amal anna arun bea bo carla chen dana dev elif emil eva fatou finn gita hana hugo ida"
    " ines ivan jana jo juan kai kim lara leo lin mara max mei milo nina noor olga omar pia raj"
    " rosa sam sara sven tara tom uma vera wei yara zoe"
)
LAST_NAMES = (
    "ash bay birch brook cliff cole dale elm fern field ford glen grove hill holm lake lane leaf"
    " marsh mill moor oak park pine pond reed ridge rook rush sand shore stone thorn vale wold wren"
)
# Names that careless readers turn into numbers or into nothing.
ODD_LOGINS = ("0012", "1e5", "nan")


@cache
def since(family: str, path: str) -> date:
    """Return the first day of a field in a family of records, from the catalogue."""
    return next(f.since for f in catalogue.record_fields(family) if f.path == path)


@cache
def change(label: str) -> date:
    """Return the day of one of the known changes of GitHub's reports, by its label."""
    frame = catalogue.changes().set_index("label")
    return frame.loc[label, "day"].date()


@cache
def first_days() -> dict[str, date]:
    """Return the first day on which a surface is used, where it came later than the reports."""
    return {
        "copilot_cli": since("entity", "daily_active_cli_users"),
        "copilot_app": since("entity", "daily_active_copilot_app_users"),
        "vscode_agent": since("users", "used_vscode_agent"),
        "third_party_agent": since("users", "totals_by_3rd_party_agent[].agent_id"),
    }


@cache
def hidden(day: date) -> int:
    """Return the bits that records of people do not show yet on a day."""
    flags = {
        "copilot_cli": "used_cli",
        "copilot_app": "used_copilot_app",
        "cloud_agent": "used_copilot_coding_agent",
        "review_active": "used_copilot_code_review_active",
        "review_passive": "used_copilot_code_review_passive",
    }
    return mask(surface for surface, flag in flags.items() if day < since("users", flag))


@cache
def joins() -> dict[str, date]:
    """Return the day from which a feature counts in the totals and breakdowns."""
    return {
        "copilot_cli": change("CLI joins the totals"),
        "copilot_app": change("App joins the totals"),
    }


def mask(names) -> int:
    """Return the bits of several surfaces together."""
    return sum(BIT[name] for name in names)
