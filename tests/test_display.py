"""What people see: every cell says something, nothing hostile gets through, same in, same out."""

import base64
import csv
import io
import json
import re
from datetime import date, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree

import matplotlib
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from copilot_analytics import display, privacy
from copilot_analytics.errors import UsageError

# F173 and F174: names that try to be markup, links, templates, formulas or mathematics.
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "</script></style></table>",
    "{{7*7}}",
    "$x^2$",
    '" onmouseover="alert(1)',
    "&lt;b&gt;",
]


class Reader(HTMLParser):
    """Collects tags, attributes and the text of cells as a parser sees them."""

    def __init__(self, markup):
        super().__init__()
        self.tags, self.attributes, self.rows, self.is_in_table = [], [], [], False
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        self.is_in_table = self.is_in_table or tag == "table"
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.is_in_table = self.is_in_table and tag != "table"

    def handle_data(self, data):
        if self.is_in_table and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def rows_of(shown):
    return Reader(shown.body).rows


class TablesOf(dict):
    """Tables with the states of days, as `load` and the archive return them."""

    def __init__(self, states, **frames):
        super().__init__(**frames)
        self.day_states = pd.DataFrame(
            states, columns=["scope", "family", "day", "state", "rows"]
        ).astype({"day": "datetime64[us]", "scope": "str", "family": "str", "state": "str"})


def states_of(days, family="users", scope="organization:7"):
    return [(scope, family, pd.Timestamp(day), state, 3) for day, state in days.items()]


# --- Period ---------------------------------------------------------------------------------------

STATES = ["final", "provisional", "empty", "missing", "pending", "failed", "damaged", "present"]


def test_a_period_knows_its_gaps_f205():
    tables = TablesOf(
        states_of({"2026-11-01": "final", "2026-11-02": "final", "2026-11-06": "provisional"})
    )
    covered = display.period(tables)
    assert (covered.start, covered.end) == (date(2026, 11, 1), date(2026, 11, 6))
    assert (covered.present, covered.expected) == (3, 6)
    assert covered.missing == (date(2026, 11, 3), date(2026, 11, 4), date(2026, 11, 5))
    text = display.header(covered).text
    assert "3 of 6 days are missing: 3–5 November 2026" in text
    assert "Figures rest on the 3 days present." in text


@settings(max_examples=60)
@given(st.lists(st.sampled_from([*STATES, None]), min_size=1, max_size=12))
def test_a_period_counts_like_a_loop_over_days(states):
    first = date(2026, 11, 1)
    given_states = {first + timedelta(n): s for n, s in enumerate(states) if s is not None}
    last = first + timedelta(len(states) - 1)
    covered = display.period(
        TablesOf(states_of(given_states)), start=str(first), end=str(last), scope="organization:a"
    )
    present, final_through = 0, None
    can_be_final = True
    for n in range(len(states)):
        day = first + timedelta(n)
        state = given_states.get(day, "missing")
        present += state in ("final", "provisional", "present")
        can_be_final = can_be_final and state not in ("provisional", "pending")
        if can_be_final and state in ("final", "empty"):
            final_through = day
        assert (day in covered.missing) == (state in ("missing", "failed"))
        assert (day in covered.damaged) == (state == "damaged")
        assert (day in covered.provisional) == (state == "provisional")
    if "present" in states and "final" not in states:
        final_through = None  # files do not say it
    assert covered.present == present
    assert covered.expected == len(states)
    assert covered.final_through == final_through
    assert covered.has_data == (present > 0)


def test_a_day_is_present_only_if_all_reports_have_it():
    users = states_of({"2026-11-01": "final", "2026-11-02": "final"})
    teams = states_of({"2026-11-01": "final"}, family="teams")
    covered = display.period(TablesOf(users + teams), families=("users", "teams"))
    assert covered.missing == (date(2026, 11, 2),)
    assert display.period(TablesOf(users + teams)).missing == ()


def test_files_do_not_say_which_days_are_final_though_a_weekend_is_known_to_be_empty():
    states = states_of({"2026-11-06": "present", "2026-11-07": "empty", "2026-11-09": "present"})
    assert display.period(TablesOf(states)).final_through is None


def test_days_before_github_had_a_report_do_not_count_as_missing():
    """The report of teams exists since 14 May 2026, that of people before."""
    days = ("2026-05-12", "2026-05-13", "2026-05-14", "2026-05-15")
    users = states_of(dict.fromkeys(days, "final"))
    teams = states_of({"2026-05-15": "final"}, family="teams")
    covered = display.period(TablesOf(users + teams), families=("users", "teams"))
    assert (covered.present, covered.missing) == (3, (date(2026, 5, 14),))


def test_days_that_are_not_due_yet_do_not_count_as_missing():
    tables = TablesOf(states_of({"2026-11-01": "final", "2026-11-02": "pending"}))
    covered = display.period(tables)
    assert (covered.end, covered.missing) == (date(2026, 11, 1), ())
    covered = display.period(tables, end="2026-11-02")
    assert (covered.pending, covered.missing) == ((date(2026, 11, 2),), ())


def test_no_data_at_all_is_said_f203():
    covered = display.period(TablesOf([]))
    assert not covered.has_data
    assert "There is no data for this period." in display.header(covered).text
    marker = display.finish("adoption", covered, headlines=[], tables={"users": pd.DataFrame()})
    assert marker.marker["data_through"] is None


def test_a_period_that_ends_before_it_starts_is_refused():
    tables = TablesOf(states_of({"2026-11-01": "final"}))
    with pytest.raises(UsageError, match="starts 2026-11-05"):
        display.period(tables, start="2026-11-05", end="2026-11-01")


# --- Banners and sentences ------------------------------------------------------------------------


def test_where_the_reports_that_count_are_absent_the_others_do_and_that_is_said():
    """Records of the whole organization alone are data as well."""
    days = ("2026-11-02", "2026-11-03", "2026-11-04")
    entity = states_of(dict.fromkeys(days, "final"), family="entity")
    covered = display.period(TablesOf(entity))
    assert (covered.present, covered.families, covered.lacking) == (3, ("entity",), ("users",))
    assert display.banners(covered).text.splitlines()[0] == (
        "Warning: There are no records of people here; what needs them is left out."
    )
    absent = states_of(dict.fromkeys(days, "missing"))
    both = display.period(TablesOf(entity + absent))
    assert (both.present, both.missing, both.lacking) == (3, (), ("users",))
    none = display.period(TablesOf(absent))
    assert not none.has_data
    assert "There is no data for this period." in display.banners(none).text


def test_a_team_is_named_in_the_header_and_kept_in_the_marker():
    assert "Organization octo-org · team web · " in display.header(
        period_of(), team="web"
    ).text.replace("Organization 7", "Organization octo-org")
    done = display.finish("adoption", period_of(), headlines=[], tables={"users": pd.DataFrame()},
                          team="web")  # fmt: skip
    assert done.marker["team"] == "web"


def period_of(**changes):
    days = {"2026-10-05": "final", "2026-10-06": "final", "2026-10-07": "provisional"} | changes
    return display.period(TablesOf(states_of(days)))


def test_damaged_and_provisional_days_have_banners_f206_f207():
    shown = display.banners(period_of(**{"2026-10-05": "damaged"}))
    assert 'class="banner danger"' in shown.body
    assert "1 of 3 days is damaged: 5 October 2026" in shown.text
    assert "1 day may still change: 7 October 2026" in shown.text


def test_series_breaks_inside_the_period_have_a_banner():
    assert "Agent sessions booked as CLI" in display.banners(period_of()).text
    later = TablesOf(states_of({"2026-11-01": "final", "2026-11-03": "final"}))
    assert "how GitHub counts" not in display.banners(display.period(later)).text


def test_names_that_are_shown_have_a_banner():
    assert "People are named" in display.banners(period_of(), show_logins=True).text


@pytest.mark.parametrize("minimum", [5, 20])
def test_how_small_a_group_is_hidden_is_said_once_and_as_it_was_asked_for(minimum):
    """Figures, tables and comparisons say "not shown", and the page says what that means."""
    said = f"groups of fewer than {minimum} people are not shown"
    options = {"minimum_group_size": minimum}
    assert said in display.header(period_of(), **options).text
    tables = {"users": pd.DataFrame()}
    assert f"Hidden: {said}" in display.provenance(period_of(), tables, **options).text
    hidden = display.headline("People", 3, is_hidden=True)
    shown = display.tiles([hidden]).text
    assert shown == (
        "People: not shown\nNot shown: too few people, or what would tell how many they are."
    )
    marker = display.finish("adoption", period_of(), headlines=[hidden], tables=tables).marker
    assert marker["headlines"][0]["text"] == "not shown"
    assert "Not shown:" not in display.tiles([display.headline("People", 30)]).text


def test_provenance_names_what_the_figures_depend_on():
    chosen = {"event_date": "2026-10-19", "treated_team": "", "weeks": 4}
    shown = display.provenance(period_of(), {"users": pd.DataFrame()}, parameters=chosen).text
    assert "Parameters: event_date = 2026-10-19, treated_team is not set, weeks = 4" in shown


def test_an_unknown_kind_of_banner_is_refused():
    with pytest.raises(UsageError, match="red"):
        display.banner("red", "text")


@pytest.mark.parametrize("name", HOSTILE)
def test_texts_are_shown_literally_f173(name):
    for shown in (
        display.answer(name),
        display.banner("info", name),
        display.tiles([display.headline(name, 1, unit=name, note=name)]),
        display.header(period_of(), definition=name, team=name),
        display.provenance(period_of(), {"users": pd.DataFrame()}, parameters={"team": name}),
    ):
        reader = Reader(shown.body)
        assert {"script", "style", "a"}.isdisjoint(reader.tags)
        assert not [key for key, _ in reader.attributes if key.startswith("on")]
        assert name in shown.text


def test_definitions_come_from_docstrings():
    def acceptance_rate(frame):
        """Return accepted over ``generated``.

        Question: what is taken?

        Parameters
        ----------
        frame
            Not part of the definition.

        Returns
        -------
        frame
            One row.

            - ``accepted``: the numerator,
              over two lines.
            - ``rate``: missing where nothing was generated.

        Notes
        -----
        Source: GitHub docs.

        Examples
        --------
        >>> 1 + 1
        2
        """

    shown = display.definitions([acceptance_rate])
    assert shown.text == "acceptance_rate: What is taken? Source: GitHub docs."
    assert 'id="definition-acceptance-rate"' in shown.body
    assert "<code>accepted</code>" in shown.body
    assert "the numerator, over two lines.</span>" in shown.body
    assert shown.body.count("<li>") == 2
    assert "Not part" not in shown.body


# --- Headline figures -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "text", "change"),
    [
        (display.headline("a", 1234), "1,234", "no earlier period to compare with"),
        (display.headline("a", 0.2784, unit="%", previous=0.301), "27.8%", "down 2.3 points from"),
        (display.headline("a", 50, previous=40), "50", "up 25% from 40"),
        (display.headline("a", 5, previous=0), "5", "up from 0"),
        (display.headline("a", 5, previous=5), "5", "as before (5)"),
        (display.headline("a", float("nan")), "–", ""),
        (display.headline("a", pd.NA, note="of 0 people"), "–", ""),
        (display.headline("a", 41.256), "41.3", "no earlier"),
        (display.headline("a", 123_456_789), "123 million", "no earlier"),
        (display.headline("a", 3, previous=9, is_hidden=True), "not shown", ""),
        (display.headline("a", 0.5, previous=-0.5), "0.50", "up from −0.50"),
        (display.headline("a", -0.58, previous=0.07), "−0.58", "down from 0.07"),
        (display.headline("a", -1, previous=-2), "−1", "up from −2"),
        (display.headline("a", 0, previous=38), "0", "down from 38"),
        (display.headline("a", float("inf")), "–", ""),
    ],
)
def test_a_headline_is_written_for_people(figure, text, change):
    shown = display.tiles([figure])
    assert re.search(rf'<span class="value( absent)?">{re.escape(text)}</span>', shown.body)
    assert change in shown.text


def test_hidden_headlines_keep_their_figures_to_themselves_f183():
    figure = display.headline("People", 3, previous=4, series=[1, 2, 3], is_hidden=True)
    assert (figure["value"], figure["previous"], figure["series"]) == (None, None, [])


def test_tiles_take_a_frame_as_well():
    frame = pd.DataFrame({"label": ["a", "b"], "value": [1.0, None], "previous": [2.0, None]})
    as_list = [display.headline("a", 1, previous=2), display.headline("b", None)]
    assert display.tiles(frame) == display.tiles(as_list)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1, "people", "1 person"),
        (1, "days", "1 day"),
        (1, "prompts per person", "1 prompt per person"),
        (2, "days", "2 days"),
        (1, "pull requests", "1 pull request"),
        (1, "", "1"),
        (1, "%", "100.0%"),
    ],
)
def test_one_of_a_thing_has_no_plural(value, unit, said):
    figure = display.headline("a", value, unit=unit, note="b")
    assert display.tiles([figure]).text == f"a: {said} (b)"


def test_the_small_line_says_what_it_shows_in_the_unit_of_the_figure():
    figure = display.headline("a", 0.06, unit="%", series=[0.0612, 0.0549, 0.0712])
    assert "Line from 6.1% to 7.1%, between 5.5% and 7.1%" in display.tiles([figure]).body


def test_the_small_line_lifts_the_pen_at_missing_days():
    shown = display.tiles([display.headline("a", 1, series=[1, 2, float("nan"), 3, pd.NA, 4])])
    source = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', shown.body)[1]
    path = re.search(r' d="([^"]+)"', base64.b64decode(source).decode())[1]
    assert path.count("M") == 3
    assert path.count("L") == 1


def test_figures_of_two_reports_stand_side_by_side():
    pair = {
        "then": display.headline("", 0.25, unit="%"),
        "now": display.headline("", 0.28, unit="%"),
    }
    other = {"then": display.headline("", None), "now": display.headline("", 3, is_hidden=True)}
    shown = display.changes(
        [{"label": HOSTILE[0], **pair}, {"label": "People", **other}], then="13 Nov", now="20 Nov"
    )
    assert rows_of(shown) == [
        ["Figure", "13 Nov", "20 Nov", "Change"],
        [HOSTILE[0], "25.0%", "28.0%", "up 3.0 points"],
        ["People", "–", "not shown", "–"],
    ]


# --- Tables ---------------------------------------------------------------------------------------


def example_table():
    return pd.DataFrame(
        {
            "language": ["go", None, "", "c"],
            "people": pd.array([1200, 12, 7, None], dtype="Int64"),
            "acceptance_rate": [0.25, None, 0.5, None],
            "mean_days": [1.5, 20.25, -3.0, None],
            "day": pd.to_datetime(["2026-11-01", "2026-11-02", None, "2026-11-04"]),
            "is_complete_window": pd.array([True, False, None, True], dtype="boolean"),
            "is_hidden": [False, False, False, True],
        }
    )


def test_every_cell_says_something():
    rows = rows_of(display.table(example_table()))
    assert rows == [
        ["Language", "People", "Acceptance rate (%)", "Mean days", "Day", "Is complete window"],
        ["go", "1,200", "25.0", "1.5", "2026-11-01", "yes"],
        ["–", "12", "–", "20.2", "2026-11-02", "no"],
        ["–", "7", "50.0", "−3.0", "–", "–"],
        ["c", "not shown", "not shown", "not shown", "2026-11-04", "yes"],
    ]


def test_hidden_figures_are_explained_also_where_they_only_protect_others():
    """Nine people are not fewer than five: what hides them must not call them so."""
    groups = pd.DataFrame({"team": ["a", "b", "c"], "people": [3, 9, 20]})
    shown = display.table(privacy.hide_small_groups(groups, 5))
    legend = "Not shown: too few people, or what would tell how many they are."
    assert legend in shown.body
    assert shown.text.endswith(legend)
    assert "Not shown" not in display.table(groups).body


def test_headings_carry_units_and_can_be_given():
    frame = pd.DataFrame({"ai_credits_used": [1.5], "loc_added_sum": [3], "user_id": [7]})
    assert rows_of(display.table(frame))[0] == ["AI credits", "Lines added", "Person"]
    shown = display.table(
        frame, labels={"user_id": "Pseudonym"}, formats={"ai_credits_used": ",.3f"}
    )
    assert rows_of(shown) == [["AI credits", "Lines added", "Pseudonym"], ["1.500", "3", "7"]]


def test_numbers_can_be_sorted_by_value_and_stand_right():
    body = display.table(pd.DataFrame({"people": [1200, 7]})).body
    assert '<td class="number" data-value="1200.0">1,200</td>' in body
    assert '<th scope="col" class="number">People</th>' in body


def test_hostile_names_stay_text_in_tables_f173():
    frame = pd.DataFrame({"language": HOSTILE, HOSTILE[0]: 1})
    shown = display.table(frame, caption=HOSTILE[1])
    reader = Reader(shown.body)
    assert [row[0] for row in reader.rows[1:]] == HOSTILE
    assert set(reader.tags) == {"div", "table", "caption", "thead", "tbody", "tr", "th", "td"}


def test_names_with_hyphens_stay_in_one_line():
    frame = pd.DataFrame({"person": ["person-03cac684", "two-part words here", "a-" * 40]})
    body = display.table(frame).body
    assert body.count('class="name"') == 1
    assert '<td class="name">person-03cac684</td>' in body


def test_days_without_a_report_are_nowhere_counted_as_present():
    covered = period_of(**{"2026-10-05": "empty"})
    tables = {"users": pd.DataFrame()}
    done = display.finish("adoption", covered, headlines=[], tables=tables)
    assert "Days: 2 of 3 present, GitHub has no report for 1" in (
        display.provenance(covered, tables).text
    )
    assert "(2 of 3 days)" in display.header(covered).text
    assert "Report complete: 2 of 3 days" in done.text
    assert done.marker["days"]["present"] == 2


def test_where_github_has_no_report_at_all_nothing_else_is_said():
    states = dict.fromkeys(["2026-11-07", "2026-11-08"], "empty")
    covered = display.period(TablesOf(states_of(states)))
    said = display.header(covered).text
    assert not covered.has_data
    assert "GitHub reports nothing for 2 of 2 days" in said
    assert "There is no data" not in said


def test_long_tables_say_what_was_left_out():
    shown = display.table(pd.DataFrame({"people": range(30)}), caption="All", limit=10)
    assert len(rows_of(shown)) == 11
    assert "All (the first 10 of 30 rows)" in shown.body


def test_a_table_without_rows_says_so():
    nothing = example_table().iloc[:0]
    assert rows_of(display.table(nothing))[1] == ["no rows"]
    said = display.table(nothing, caption="Nothing was changed")
    assert (rows_of(said), said.text) == ([], "Nothing was changed")


@given(st.lists(st.text(max_size=8), min_size=1, max_size=5))
@settings(max_examples=60)
def test_csv_gives_back_every_text_and_no_formula_f177(texts):
    frame = pd.DataFrame({"name": texts, "change": range(-1, len(texts) - 1)})
    rows = list(csv.reader(io.StringIO(display.csv_text(frame), newline="")))[1:]
    for (name, change), text, number in zip(rows, texts, frame["change"], strict=True):
        assert not name.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert name.removeprefix("'") == text.removeprefix("'")
        assert int(change) == number


def test_csv_headings_are_no_formulas_either():
    assert display.csv_text(pd.DataFrame({"=1+1": [1]})).startswith("'=1+1")


# --- Charts ---------------------------------------------------------------------------------------


def figure_with(title="Title"):
    figure = Figure(figsize=(5, 3))
    axes = figure.subplots()
    axes.plot([1, 2, 3], [1, 3, 2], marker="o", label=title, clip_on=True)
    axes.fill_between([1, 2], [0, 1], hatch="/")
    axes.set_title(title, parse_math=False)
    axes.legend()
    return figure


def svg_of(shown):
    return base64.b64decode(re.search(r"svg\+xml;base64,([^\"]+)", shown.body)[1]).decode()


def test_a_chart_is_the_same_every_time_f211():
    one, two = (display.chart(figure_with(), "A line.") for _ in range(2))
    assert one.body == two.body
    svg = svg_of(one)
    used, defined = set(re.findall(r"#([\w-]+)", svg)), set(re.findall(r'id="([^"]+)"', svg))
    assert {name for name in used if not re.fullmatch(r"[0-9a-f]{6}", name)} <= defined


@pytest.mark.parametrize("name", [name for name in HOSTILE if "$" not in name])
def test_hostile_names_in_charts_stay_drawn_text_f174(name):
    shown = display.chart(figure_with(name), name, data=pd.DataFrame({"team": [name]}))
    drawn = ElementTree.fromstring(svg_of(shown)).iter()
    elements = [(each.tag.rpartition("}")[2], set(each.attrib), each.text) for each in drawn]
    assert not {"script", "a", "image", "foreignObject"} & {tag for tag, _, _ in elements}
    assert not [at for _, names, _ in elements for at in names if at.startswith("on")]
    assert name in [text for tag, _, text in elements if tag == "text"]
    reader = Reader(shown.body)
    assert set(reader.tags) == {"figure", "p", "div", "img", "figcaption", "a"}
    assert dict(reader.attributes)["alt"] == name


def test_a_chart_is_small_because_its_words_are_text():
    svg = svg_of(display.chart(figure_with("A title that is words"), "A line."))
    assert len(svg) < 15_000
    assert "<text" in svg
    assert not re.search(r"\d\.\d{3}", svg)
    assert "'DejaVu Sans', Verdana, sans-serif" in svg


def test_a_chart_needs_words_for_who_does_not_see_it():
    with pytest.raises(UsageError, match="alternative text"):
        display.chart(figure_with(), " ")


def test_the_data_of_a_chart_can_be_taken_along():
    data = pd.DataFrame({"team": ["=cmd()"], "people": [7]})
    shown = display.chart(figure_with(), "A line.", data=data, name="teams")
    address = re.search(r'download="teams.csv"', shown.body) and re.search(
        r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', shown.body
    )
    assert base64.b64decode(address[1]).decode() == "team,people\r\n'=cmd(),7\r\n"


def test_shares_have_six_decimals_and_days_and_counts_stay_as_they_are():
    data = pd.DataFrame({"day": pd.to_datetime(["2026-11-02"]), "share": [1 / 3], "people": [7]})
    shown = display.chart(figure_with(), "A line.", data=data)
    text = re.search(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', shown.body)[1]
    assert base64.b64decode(text) == b"day,share,people\r\n2026-11-02,0.333333,7\r\n"


def test_axes_are_taken_and_pyplot_forgets_the_figure():
    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    display.chart(axes, "Nothing.")
    assert figure.number not in pyplot.get_fignums()


# --- Completion -----------------------------------------------------------------------------------


def test_the_marker_holds_what_was_found_as_plain_json():
    users = pd.DataFrame({"user_id": [1, 2, 3]})
    headlines = [display.headline("People", pd.Series([3]).sum(), previous=pd.NA)]
    done = display.finish(
        "adoption", period_of(), headlines=headlines, tables={"users": users}, answer="Yes."
    )
    bundle = done._repr_mimebundle_()
    marker = json.loads(json.dumps(bundle[display.MARKER_TYPE], allow_nan=False))
    assert marker["report"] == "adoption"
    assert (marker["start"], marker["end"]) == ("2026-10-05", "2026-10-07")
    assert marker["final_through"] == "2026-10-06"
    assert marker["days"]["provisional"] == ["2026-10-07"]
    assert marker["headlines"][0]["text"] == "3"
    assert marker["tables"]["users"]["rows"] == 3
    assert marker["answer"] == "Yes."


def test_only_the_tables_of_the_period_are_read():
    class Lazy(dict):
        def __getitem__(self, name):
            assert name == "users"
            return super().__getitem__(name)

    tables = Lazy(users=pd.DataFrame({"user_id": [1]}), users_by_ide=pd.DataFrame({"ide": ["a"]}))
    done = display.finish("adoption", period_of(), headlines=[], tables=tables)
    assert list(done.marker["tables"]) == ["users"]


@given(st.permutations(range(6)))
@settings(max_examples=20)
def test_digests_see_values_and_not_the_order_of_rows_f211(order):
    frame = pd.DataFrame({"user_id": range(6), "user_login": list("abcdef")})
    first = display.digests({"users": frame}, ["users"])
    assert display.digests({"users": frame.iloc[list(order)]}, ["users"]) == first
    changed = frame.assign(user_login=frame["user_login"].replace("a", "z"))
    assert display.digests({"users": changed}, ["users"]) != first


def test_every_output_brings_its_style_and_plain_text_for_notebooks():
    bundle = display.answer("Yes.")._repr_mimebundle_()
    assert bundle["text/plain"] == "Yes."
    assert bundle["text/html"].startswith("<style>")
    assert display.stylesheet() in bundle["text/html"]


def test_tiles_draw_the_history_of_a_figure_in_the_order_of_its_days():
    headlines = pd.DataFrame({"figure": ["a", "b"], "label": ["A", "B"], "value": [3.0, 4.0]})
    ends = pd.to_datetime(["2026-11-15", "2026-11-01", "2026-11-08"])
    history = pd.DataFrame({"figure": "a", "end": ends, "value": [3.0, 1.0, 2.0]})
    shown = display.tiles(headlines, history=history)
    drawn = display.tiles([display.headline("A", 3.0, series=[1.0, 2.0, 3.0])])
    pictures = [re.findall(r"<img[^>]*>", one.body) for one in (shown, drawn)]
    assert pictures[0] == pictures[1]
    assert len(pictures[0]) == 1
