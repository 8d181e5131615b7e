"""Versions of IDEs, extensions and the CLI, compared by their numbers."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"v?([0-9]{1,18}(?:[.\-_]v?[0-9]{1,18})*)")
# Eclipse builds end in the minute of the build (202507240902), which not every place writes.
_DATE_DIGITS = 12


def is_below(version: object, minimum: object) -> bool | None:
    """Return whether a version is older than a minimum, None where that cannot be told.

    Question: is a client too old to be counted?

    Parameters
    ----------
    version
        Version as a report has it, such as ``"1.107.1"`` or ``"0.9.3.202507240902"``; ``unknown``,
        an empty text and a missing value are no version.
    minimum
        Version to compare with, see `client_versions`.

    Returns
    -------
    bool or None
        True where the version is older than the minimum, False where it is not, None where either
        of them is no version.

    Notes
    -----
    Versions are compared number by number, a number that is not there counts as 0, and text after
    the numbers (``-insider``) is not looked at. The date at the end of an Eclipse build counts
    only where both versions have one.

    Examples
    --------
    >>> is_below("1.99.3", "1.107.1"), is_below("1.108.0-insider", "1.107.1")
    (True, False)
    >>> is_below("unknown", "1.0.57") is None
    True
    """
    numbers, least = _numbers(version), _numbers(minimum)
    if not numbers or not least:
        return None
    if _has_date(numbers) != _has_date(least):
        numbers, least = _without_date(numbers), _without_date(least)
    length = max(len(numbers), len(least))
    return _padded(numbers, length) < _padded(least, length)


def _numbers(version: object) -> tuple[int, ...]:
    found = _NUMBERS.match(version.strip()) if isinstance(version, str) else None
    return tuple(int(number) for number in re.findall(r"[0-9]+", found[1])) if found else ()


def _has_date(numbers: tuple[int, ...]) -> bool:
    return len(str(numbers[-1])) >= _DATE_DIGITS


def _without_date(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return numbers[:-1] if _has_date(numbers) else numbers


def _padded(numbers: tuple[int, ...], length: int) -> tuple[int, ...]:
    return numbers + (0,) * (length - len(numbers))
