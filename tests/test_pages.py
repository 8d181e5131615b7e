"""The pages in a real browser: nothing from outside, nothing cut, nothing hostile, usable."""

import base64
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from browser import open_browser
from matplotlib.figure import Figure

from copilot_analytics import display
from copilot_analytics.reporting import rendering
from copilot_analytics.reporting.summaries import merged_period

HOSTILE = [
    "<script>document.title = 'taken'</script>",
    "<img src=x onerror=\"document.title = 'taken'\">",
    "[x](javascript:alert(1))",
    "</script></style></main>",
    "{{7*7}}",
    "$x^2$",
    "<a href=https://evil.example>x</a>",
    "a-name-without-any-place-to-break-" * 8,
]


def active_people(users):
    """Count the people with activity on each day."""


DAYS = pd.date_range("2026-10-01", "2026-11-20").delete([7, 20])
STATES = pd.DataFrame({"scope": "organization:7", "family": "users", "day": DAYS, "rows": 5})
STATES["state"] = ["final"] * (len(DAYS) - 3) + ["provisional"] * 3


class Tables(dict):
    """Tables whose days have two gaps and end with provisional ones."""

    day_states = STATES


def outputs():
    """What the cells of an example notebook show, hostile names everywhere."""
    tables = Tables(users=pd.DataFrame({"user_id": range(40)}))
    period = display.period(tables)
    names = [*HOSTILE, *(f"language {n}" for n in range(30))]
    frame = pd.DataFrame({"language": names, "people": range(len(names))})
    figure = Figure(figsize=(9, 4))
    axes = figure.subplots()
    axes.barh(range(3), [3, 2, 1])
    axes.set_yticks(range(3), HOSTILE[:3], parse_math=False)
    headlines = [
        display.headline("People active per working day", 243, unit="people", previous=229,
                         series=range(20), note="mean over 34 working days"),
        display.headline(HOSTILE[0], 0.278, unit="%", previous=0.3),
        display.headline("People using the CLI", 3, is_hidden=True),
    ]  # fmt: skip
    answer = f"Yes, also with {HOSTILE[1]}."
    return period, [
        ("# Is Copilot being adopted?\n", None),
        ("", display.header(period, team=HOSTILE[3], definition=HOSTILE[4])),
        ("", display.answer(answer)),
        ("", display.tiles(headlines)),
        ("## How many?\n\nText with <b>tags</b>, see the [definition](#definition-active-people).",
         display.chart(figure, f"Bars of {HOSTILE[0]}.", data=frame, name="languages")),
        ("## Which languages?", display.table(frame, caption=HOSTILE[0])),
        ("", frame.head(3)),
        ("## How is this counted?", display.definitions([active_people])),
        ("", display.provenance(period, tables, parameters={"team": HOSTILE[0]})),
        ("", display.finish("adoption", period, headlines=headlines, tables=tables,
                            answer=answer)),
    ]  # fmt: skip


def as_notebook(cells):
    """The cells as an executed notebook, without running a kernel."""
    notebook = nbformat.v4.new_notebook()
    for words, shown in cells:
        if words:
            notebook.cells.append(nbformat.v4.new_markdown_cell(words))
        if shown is not None:
            data = (
                shown._repr_mimebundle_()
                if hasattr(shown, "_repr_mimebundle_")
                else {"text/html": shown._repr_html_(), "text/plain": repr(shown)}
            )
            result = nbformat.v4.new_output("execute_result", data, execution_count=1)
            code = nbformat.v4.new_code_cell(f"x = {HOSTILE[0]!r}", outputs=[result])
            notebook.cells.append(code)
    notebook.cells[2].outputs.append(
        nbformat.v4.new_output("stream", name="stderr", text=f"Warning: {HOSTILE[0]}")
    )
    return notebook


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The folder of a report of two notebooks."""
    folder = tmp_path_factory.mktemp("pages")
    period, cells = outputs()
    marker = cells[-1][1].marker
    context = rendering.Context(
        period=merged_period({"adoption": marker}, "organization:octo-org"),
        markers={
            "adoption": marker | {"parameters": {"minimum_group_size": 20}},
            "teams": marker | {"report": "teams", "start": "2026-11-19"},
        },
        moment=datetime(2026, 11, 22, 9, tzinfo=UTC),
        banners=[display.banner("danger", "The data is 10 days old.")],
        earlier=[
            {
                "day": "2026-11-13",
                "folder": "2026-11-13",
                "summary": {"start": HOSTILE[0], "end": "2026-11-13"},
            }
        ],
        changes={
            "since": "2026-11-13",
            "figures": [],
            "not_compared": {"teams": ["definition of active", "measure"]},
            "settled": ["2026-11-12"],
        },
    )
    book = as_notebook(cells)
    for name, text in rendering.pages({"adoption": book, "teams": book}, context).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


# --- What a parser sees ---------------------------------------------------------------------------


class Elements(HTMLParser):
    """All elements of a page with their attributes."""

    def __init__(self, markup):
        super().__init__()
        self.elements = []
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(params=["index.html", "adoption.html"])
def elements(request, pages):
    return Elements((pages / request.param).read_text(encoding="utf-8"))


def test_the_first_page_says_what_its_parts_do_not_have_in_common(pages):
    """How small a group is hidden, which page has fewer days, and what is not compared."""
    text = " ".join(re.sub(r"<[^>]+>", " ", (pages / "index.html").read_text()).split())
    assert "groups of fewer than 20 people are not shown" in text
    assert text.count("Its data covers") == 1
    assert "Its data covers 19–20 November 2026 only." in text
    assert "What changed since the report through 13 November 2026" in text
    assert "is not compared. Not the same then and now: definition of active, measure." in text


def test_a_page_loads_nothing_from_outside_f176(elements):
    assert elements.all("link") == []
    assert all("src" not in script for script in elements.all("script"))
    assert all(image["src"].startswith("data:image/") for image in elements.all("img"))
    assert "default-src 'none'" in elements.all("meta")[1]["content"]
    assert "unsafe" not in elements.all("meta")[1]["content"]


def test_a_page_has_one_script_and_one_style_of_its_own_f173(elements):
    assert len(elements.all("script")) == 1
    assert len(elements.all("style")) == 1
    for _, attributes in elements.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert not attributes.get("href", "").startswith(("javascript:", "https://evil"))


def test_every_picture_has_words_and_every_anchor_its_place(elements):
    assert all(image["alt"].strip() for image in elements.all("img"))
    places = {attributes.get("id") for _, attributes in elements.elements}
    targets = [a["href"][1:] for a in elements.all("a") if a.get("href", "").startswith("#")]
    assert targets
    assert set(targets) <= places


def test_tables_keep_their_parts_f213(pages):
    elements = Elements((pages / "adoption.html").read_text(encoding="utf-8"))
    assert len(elements.all("thead")) == 2
    assert {"scope": "col"} in elements.all("th")


def test_pages_are_the_same_every_time_f211(pages):
    again = as_notebook(outputs()[1])
    exporter = rendering.ReportExporter()
    one, _ = exporter.from_notebook_node(again, {"name": "adoption"})
    two, _ = rendering.ReportExporter().from_notebook_node(again, {"name": "adoption"})
    assert one == two


# --- What a browser sees --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.mark.parametrize("name", ["index.html", "adoption.html"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_opens_without_complaint_and_fits(browser, pages, name, width):
    browser.open(pages / name, width=width)
    assert browser.complaints == []
    assert browser.requested == [(pages / name).as_uri()]
    assert "taken" not in browser.run("document.title")
    assert browser.run("document.documentElement.scrollWidth - innerWidth") <= 0
    assert browser.run("[...document.images].every((image) => image.naturalWidth > 0)")


@pytest.mark.parametrize("addition", ["<script>document.title = 'taken'</script>",
                                      "<img src=x onerror=\"document.title = 'taken'\">",
                                      "<style>main {display: none}</style>",
                                      '<img src="http://127.0.0.1:9/x.png">'])  # fmt: skip
def test_the_policy_holds_even_if_something_got_into_a_page_f173(
    browser, pages, tmp_path, addition
):
    """The control: with hostile markup in the file itself, the browser refuses and says so."""
    text = (pages / "adoption.html").read_text(encoding="utf-8")
    page = tmp_path / "page.html"
    page.write_text(text.replace("<h1>", f"{addition}<h1>", 1), encoding="utf-8")
    browser.open(page)
    assert "Content Security Policy" in " ".join(browser.complaints)
    assert browser.run("document.title") != "taken"
    assert browser.run("getComputedStyle(document.querySelector('main')).display") != "none"
    assert set(browser.requested) - set(browser.stopped) == {page.as_uri()}


def test_hostile_names_are_text_and_nothing_else_f173(browser, pages):
    browser.open(pages / "adoption.html")
    cells = "[...document.querySelectorAll('table.data td:first-child')].map((c) => c.textContent)"
    assert browser.run(cells)[: len(HOSTILE)] == HOSTILE
    assert browser.run("document.querySelectorAll('main script, main style').length") == 0
    assert HOSTILE[1] in browser.run("document.querySelector('.answer').textContent")
    assert "<b>tags</b>" in browser.run("document.querySelector('#section-1 .words').textContent")


def test_code_and_messages_are_one_click_away(browser, pages):
    browser.open(pages / "adoption.html")
    assert browser.run("[...document.querySelectorAll('details.code')].every((d) => !d.open)")
    assert not browser.run("document.querySelector('details.code pre').checkVisibility()")
    browser.run("document.querySelector('details.code summary').click()")
    assert browser.run("document.querySelector('details.code pre').checkVisibility()")
    assert HOSTILE[0] in browser.run("document.querySelector('pre.stderr').textContent")


def test_tables_can_be_sorted_searched_and_opened(browser, pages):
    browser.open(pages / "adoption.html")
    shown = "[...document.querySelectorAll('table.data tbody tr')].filter((r) => !r.hidden)"
    people = f"{shown}.map((row) => row.cells[1].textContent)"
    assert len(browser.run(people)) == 20
    browser.run("document.querySelectorAll('table.data th button')[1].click()")
    assert browser.run(people)[:3] == ["37", "36", "35"]
    assert browser.run("document.querySelectorAll('th')[1].ariaSort") == "descending"
    browser.run("document.querySelectorAll('table.data th button')[1].click()")
    assert browser.run(people)[:3] == ["0", "1", "2"]
    browser.run("document.querySelector('.table-tools button').click()")
    assert len(browser.run(people)) == 38
    browser.run(
        "{const box = document.querySelector('.table-tools input');"
        "box.value = 'LANGUAGE 2'; box.dispatchEvent(new Event('input'))}"
    )
    assert len(browser.run(people)) == 11
    assert browser.run("document.querySelector('.table-tools output').textContent") == (
        "11 of 38 rows"
    )


def test_tables_can_be_sorted_with_the_keyboard_alone(browser, pages):
    browser.open(pages / "adoption.html")
    browser.run("document.querySelectorAll('table.data th button')[0].focus()")
    browser.page.keyboard.press("Tab")
    browser.page.keyboard.press("Enter")
    assert browser.run("document.activeElement.closest('th').ariaSort") == "descending"
    browser.page.keyboard.press("Space")
    assert browser.run("document.activeElement.closest('th').ariaSort") == "ascending"


def test_wide_things_scroll_in_their_own_box_on_a_phone(browser, pages):
    browser.open(pages / "adoption.html", width=390)
    box = "document.querySelector('figure .chart-box')"
    assert browser.run(f"getComputedStyle({box}).overflowX") == "auto"
    assert browser.run(f"{box}.scrollWidth > {box}.clientWidth")
    assert browser.run(f"{box}.getBoundingClientRect().right <= innerWidth")


@pytest.mark.parametrize(("width", "shown"), [(1280, False), (390, True)])
def test_on_a_phone_a_chart_that_is_wider_than_the_screen_has_its_words_above(
    browser, pages, width, shown
):
    browser.open(pages / "adoption.html", width=width)
    assert browser.run("document.querySelector('.in-words').offsetHeight > 0") is shown


@pytest.mark.parametrize("name", ["index.html", "adoption.html"])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_everybody_can_use_a_page(browser, pages, name, dark, width):
    """axe-core: contrast, alternative text, names of controls, order of headings, landmarks."""
    browser.open(pages / name, width=width, dark=dark)
    browser.run("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    # A frame that is shown without display.table has pandas' own corner above its index.
    assert [found for found in browser.violations() if found[0] != "empty-table-header"] == []


def test_the_rules_find_what_they_are_for(browser, pages, tmp_path):
    """The control: pale text and a picture without words."""
    text = (pages / "adoption.html").read_text(encoding="utf-8")
    policy = text.index('<meta http-equiv="Content-Security-Policy"')
    text = text[:policy] + text[text.index(">", policy) + 1 :]
    page = tmp_path / "page.html"
    page.write_text(text.replace("<h1>", '<p style="color: #bbb">pale</p><img src=x><h1>', 1))
    browser.open(page)
    assert {"color-contrast", "image-alt"} <= {rule for rule, _ in browser.violations()}


def test_charts_lie_on_white_in_the_dark(browser, pages):
    browser.open(pages / "adoption.html", dark=True)
    card = "getComputedStyle(document.querySelector('figure .chart-box')).backgroundColor"
    assert browser.run(card) == "rgb(255, 255, 255)"


def test_print_is_light_whole_and_without_buttons(browser, pages):
    browser.open(pages / "adoption.html", width=680, dark=True, media="print")
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for part in ("nav.pages", "details.code", ".table-tools button", "figcaption"):
        assert browser.run(f"getComputedStyle(document.querySelector('{part}')).display") == "none"
    box = "document.querySelector('figure .chart-box')"
    assert browser.run(f"{box}.scrollWidth <= {box}.clientWidth")
    assert browser.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_the_data_of_a_chart_is_in_the_page(browser, pages):
    browser.open(pages / "adoption.html")
    address = browser.run("document.querySelector('a[download$=csv]').href")
    text = base64.b64decode(address.split("base64,")[1]).decode()
    assert text.startswith("language,people\r\n")
    assert "language 29,37" in text


def test_outputs_look_right_in_a_notebook_that_has_no_style_of_ours(browser, tmp_path):
    """Jupyter shows each output alone: the style comes with it and stays inside it."""
    shown = [cell[1] for cell in outputs()[1] if isinstance(cell[1], display.Html)]
    page: Path = tmp_path / "notebook.html"
    body = "".join(output._repr_html_() for output in shown)
    page.write_text(f"<!DOCTYPE html><meta charset=utf-8><p>Own text</p>{body}", encoding="utf-8")
    browser.open(page, width=900)
    assert browser.complaints == []
    assert browser.run("getComputedStyle(document.querySelector('.tiles')).display") == "grid"
    assert browser.run("getComputedStyle(document.querySelector('p')).fontSize") == "16px"
    assert browser.run("document.documentElement.scrollWidth - innerWidth") <= 0
