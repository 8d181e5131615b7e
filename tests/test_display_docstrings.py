"""Docstrings in the form of this package are read part by part."""

from copilot_analytics.display.docstrings import described


def acceptance_rate(by_feature, *, feature=None, by=None):
    """Return accepted over ``generated``,
    over two lines.

    Question: what is taken,
    and what is not?

    More on it.

    Parameters
    ----------
    by_feature
        A breakdown.

        ``"kept"``: with a paragraph of its own.
    feature, by
        What to look at.

    Returns
    -------
    frame
        One row,
        at least.

        - ``accepted``: taken, the numerator,
          over two lines.
        - ``generated``: made. The denominator. Missing before 1.5 GB.
        - ``value``: the numerator or something else.

    Raises
    ------
    UsageError
        Not a part.

    Notes
    -----
    First. Left out: people of github.com and the like, e.g. v1.2. People count once.

    Second remark.

    Source: GitHub docs,
    two lines.

    Examples
    --------
    >>> 1 + 1
    2

    >>> 2 + 2
    4
    """


def test_every_part_is_found_in_one_line():
    parts = described(acceptance_rate)
    assert parts.summary == "Return accepted over ``generated``, over two lines. More on it."
    assert parts.question == "what is taken, and what is not?"
    assert parts.parameters == (
        ("by_feature", 'A breakdown. ``"kept"``: with a paragraph of its own.'),
        ("feature, by", "What to look at."),
    )
    assert (parts.returned, parts.returns) == ("frame", "One row, at least.")
    assert len(parts.columns) == 3
    assert parts.column("numerator") == "``accepted``: taken, the numerator, over two lines."
    assert parts.column("denominator").startswith("``generated``: made.")
    assert parts.source == "GitHub docs, two lines."
    assert parts.example == ">>> 1 + 1\n2\n\n>>> 2 + 2\n4"


def test_who_is_left_out_is_one_sentence_and_the_rest_are_remarks():
    parts = described(acceptance_rate)
    assert parts.left_out == "people of github.com and the like, e.g. v1.2."
    assert parts.remarks == "First. People count once. Second remark."
    assert parts.notes == (
        "First. Left out: people of github.com and the like, e.g. v1.2. People count once. "
        "Second remark. Source: GitHub docs, two lines."
    )


def test_what_is_not_there_is_empty():
    def short():
        """Do something."""

    def silent():
        pass

    parts = described(short)
    assert parts.summary == "Do something."
    assert (parts.question, parts.columns, parts.parameters, parts.notes) == ("", (), (), "")
    assert parts.column("numerator") == ""
    assert described(silent).summary == ""
