"""The history of a figure is the figure itself at the end of earlier weeks."""

from datetime import timedelta
from functools import partial

import pandas as pd
import pytest
from metrics_input import ENGINES, company, load, to_pandas

from copilot_analytics import metrics
from copilot_analytics.errors import UsageError

TABLES = load(company())


@pytest.mark.parametrize(
    ("engine", "function"),
    [*((engine, metrics.headline) for engine in ENGINES), ("pandas", metrics.engagement_headline)],
)
def test_each_value_is_what_the_figure_was_on_that_day(engine, function):
    figures = partial(function, ENGINES[engine](TABLES.users), days=7)
    history = to_pandas(metrics.figure_history(figures, figures(), weeks=3))
    last = TABLES.users["day"].max()
    assert history["end"].drop_duplicates().tolist() == [
        last - timedelta(days=7 * back) for back in (2, 1, 0)
    ]
    ends = history["end"].drop_duplicates()
    figures_then = {end: to_pandas(figures(end=end)).set_index("figure") for end in ends}
    for row in history.itertuples():
        then = figures_then[row.end].loc[row.figure]
        expected = then["value"] if then["is_complete"] else None
        assert (pd.isna(row.value) and pd.isna(expected)) or row.value == expected
    assert history["value"].notna().any()


def test_without_data_there_is_no_history():
    figures = partial(metrics.headline, TABLES.users.head(0))
    assert metrics.figure_history(figures, figures()).empty


def test_the_number_of_weeks_is_checked():
    figures = partial(metrics.headline, TABLES.users)
    with pytest.raises(UsageError, match="weeks"):
        metrics.figure_history(figures, figures(), weeks=0)
