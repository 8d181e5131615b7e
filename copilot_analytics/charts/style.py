"""How every chart looks: colours, type and headings. Nothing here knows what is drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from functools import cache, wraps
from typing import NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path
from matplotlib.transforms import offset_copy

from copilot_analytics.charts.words import plain

INK, MUTED, GRID, SHADE, FAINT = "#1f2328", "#57606a", "#d8dee4", "#f3f4f6", "#d5dae0"

# Okabe and Ito's palette, which people with any colour vision can tell apart. The lightness differs
# as well, and every line has a marker of its own, so that a grey print can be read.
BLUE, SKY, GREEN, ORANGE = "#0072B2", "#56B4E9", "#009E73", "#E69F00"
VERMILLION, PURPLE, NIGHT, STONE = "#D55E00", "#CC79A7", "#1b2a3a", "#9aa5b1"

WIDTH, HEIGHT = 7.2, 4.05  # inches: as wide as a page's column at 96 points per inch
SIZE, TITLE_SIZE, SMALL_SIZE = 9.5, 12.5, 8.5

RC = {
    "font.family": ["DejaVu Sans"],
    "font.size": SIZE,
    "text.color": INK,
    "text.parse_math": False,  # a name such as $x^2$ is a name
    "axes.edgecolor": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "axes.facecolor": "white",
    "figure.facecolor": "white",
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": SIZE,
    "ytick.labelsize": SIZE,
    "ytick.major.size": 0,
    "hatch.linewidth": 0.7,
    "hatch.color": "white",
    "lines.solid_capstyle": "round",
    # A loop over teams opens many figures; `display.chart` and the caller close them.
    "figure.max_open_warning": 0,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
}


class Look(NamedTuple):
    """How one series is drawn, the same in every chart of a report."""

    color: str
    marker: str = ""
    width: float = 2.0


def styled(function):
    """Run a chart function with the house style, without touching the caller's settings."""

    @wraps(function)
    def inner(*args, **kwargs):
        _load_backend()
        with mpl.rc_context(RC):
            return function(*args, **kwargs)

    return inner


@cache
def _load_backend() -> None:
    """Load Matplotlib's backend outside of any context.

    Jupyter's switches interactive drawing on when it is loaded, which by itself happens with the
    first figure; the end of a context would switch it off, and later charts would not be shown.
    """
    plt.switch_backend(mpl.get_backend())


def use_style() -> None:
    """Draw one's own plots in this session as reports look: type, colours, light grid.

    Colours are Okabe and Ito's, which people with any colour vision can tell apart. Matplotlib's
    own look comes back with ``matplotlib.rcdefaults()``.

    Examples
    --------
    >>> from copilot_analytics import charts
    >>> with mpl.rc_context():
    ...     charts.use_style()
    ...     mpl.rcParams["axes.prop_cycle"].by_key()["color"][0]
    '#0072B2'
    """
    colors = mpl.cycler(color=[BLUE, ORANGE, GREEN, PURPLE, VERMILLION, SKY, STONE])
    size = {"figure.figsize": (WIDTH, HEIGHT), "figure.constrained_layout.use": True}
    mpl.rcParams.update({**RC, **size, "axes.prop_cycle": colors})


def new_axes(ax: Axes | None, height: float = HEIGHT) -> Axes:
    """Return the axes given, or those of a figure of its own."""
    if ax is None:
        _, ax = plt.subplots(figsize=(WIDTH, height), layout="constrained")
    return ax


def width_of(text: str, size: float = SIZE, weight: str = "normal") -> float:
    """Return the width of a line of text in points."""
    font = font_manager.FontProperties(family="DejaVu Sans", weight=weight, size=size)
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]


def fold(text: str, width: float, size: float = SIZE, weight: str = "normal") -> list[str]:
    """Return text in lines of at most ``width`` points, broken between words where possible."""
    if not text:
        return []
    characters = max(12, int(len(text) * width / max(width_of(text, size, weight), 1.0)))
    lines = textwrap.wrap(text, characters)
    while characters > 12 and max(width_of(line, size, weight) for line in lines) > width:
        characters -= 1
        lines = textwrap.wrap(text, characters)
    return lines


def readable(color: str) -> str:
    """Return a colour as dark as text on white has to be (a contrast of 4.5 or more).

    >>> readable("#0072B2"), readable("#E69F00")
    ('#0072b2', '#9d6c00')
    """
    channels = mpl.colors.to_rgb(color)
    while _luminance(channels) > 0.18:
        channels = tuple(channel * 0.98 for channel in channels)
    return mpl.colors.to_hex(channels)


def _luminance(channels: Sequence[float]) -> float:
    """Return the relative luminance of a colour, as the web's contrast rule defines it."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def heading(
    ax: Axes,
    title: str,
    subtitle: str = "",
    *,
    kind: str,
    left: float = 0.0,
    note: str = "",
    below: float = 36.0,
) -> None:
    """Write title, subtitle and note, starting ``left`` points to the left of the axes.

    ``below`` is how many points under the axes the note starts. ``kind`` says what kind of chart it
    is; together with the texts it is what `alt_text` returns.
    """
    ax.set_label(
        " ".join(f"{plain(text).rstrip('.')}." for text in (kind, title, subtitle) if text)
    )
    figure = ax.figure
    share = ax.get_position().width if len(figure.axes) > 1 else 1.0
    room = figure.get_size_inches()[0] * 72 * share - 24
    above = 9.0
    for text, size, weight, color in (
        (subtitle, SIZE, "normal", MUTED),
        (title, TITLE_SIZE, "bold", INK),
    ):
        lines = fold(plain(text), room, size, weight)
        if lines:
            _beside(ax, (0, 1), (-left, above), lines, size=size, weight=weight, color=color)
            above += len(lines) * size * 1.3 + 4
    lines = fold(plain(note), room, SMALL_SIZE)
    if lines:
        _beside(ax, (0, 0), (-left, -below), lines, size=SMALL_SIZE, color=MUTED, va="top")


def _beside(ax: Axes, corner, offset, lines: Sequence[str], **look) -> None:
    """Write lines at an offset in points from a corner of the axes."""
    look = {"va": "bottom", "ha": "left", "linespacing": 1.3, **look}
    ax.annotate(
        "\n".join(lines),
        corner,
        xycoords="axes fraction",
        xytext=offset,
        textcoords="offset points",
        annotation_clip=False,
        **look,
    )


def legend_below(ax: Axes, looks: Mapping[str, Mapping], below: float) -> None:
    """Name the looks of surfaces in a row, as many points below the axes."""
    ax.legend(
        [Rectangle((0, 0), 1, 1, **{"linewidth": 0, **look}) for look in looks.values()],
        list(looks),
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=offset_copy(ax.transAxes, ax.figure, y=-below, units="points"),
        ncols=len(looks),
        frameon=False,
        handlelength=1.0,
        borderaxespad=0,
        borderpad=0,
        columnspacing=1.4,
    )


def nothing(ax: Axes | None, title: str, reason: str) -> Axes:
    """Say calmly that there is nothing to draw, and why, on these axes or those of a figure."""
    ax = new_axes(ax)
    if len(ax.figure.axes) == 1:
        ax.figure.set_size_inches(WIDTH, 1.4)
    ax.set_axis_off()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    heading(ax, title, kind="No chart")
    ax.set_label(f"{ax.get_label()} {reason}")
    lines = fold(plain(reason), WIDTH * 72 * 0.8)
    ax.text(0, 0.95, "\n".join(lines), color=MUTED, va="top", linespacing=1.4)
    return ax


def alt_text(ax: Axes) -> str:
    """Return what a chart says in words: its kind, its finding, and what is drawn.

    Parameters
    ----------
    ax
        What one of the chart functions returned.

    Returns
    -------
    str
        For people who do not see the chart, made from the same frame.

    Examples
    --------
    >>> import pandas as pd
    >>> from copilot_analytics import charts
    >>> frame = pd.DataFrame({"window": 1, "day": pd.to_datetime(["2026-11-03"]),
    ...     "active_users": [43], "is_complete_window": True})
    >>> charts.alt_text(charts.active_people(frame))
    'Line chart. 43 people were active on 3 Nov 2026. Active people, 3 Nov 2026.'
    """
    return ax.get_label()
