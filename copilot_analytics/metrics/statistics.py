"""Shares with their uncertainty."""

from __future__ import annotations

import narwhals.stable.v2 as nw

# Two-sided 95 % of the normal distribution.
Z = 1.959963984540054


def ratio(numerator: str, denominator: str) -> nw.Expr:
    """Return a sum over a sum, missing where the denominator is zero."""
    whole = nw.when(nw.col(denominator) > 0).then(nw.col(denominator).cast(nw.Float64))
    return nw.col(numerator).cast(nw.Float64) / whole


def with_share(frame: nw.LazyFrame, numerator: str, denominator: str, name: str) -> nw.LazyFrame:
    """Add a share and the ends of its 95 % Wilson score interval, as `name`, `low` and `high`.

    The share is missing where the denominator is zero. Where the numerator is larger than the
    denominator the share stands as it is, and the interval is missing.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22 (1927).
    """
    frame = frame.with_columns(
        ratio(numerator, denominator).alias(name), _total=nw.col(denominator).cast(nw.Float64)
    )
    # Kept apart from the share, because engines refuse the root of a negative number. Without a
    # share there is no total either: engines refuse to divide by zero.
    is_possible = nw.col(name) <= 1
    frame = frame.with_columns(
        _possible=nw.when(is_possible).then(nw.col(name)),
        _total=nw.when(is_possible).then(nw.col("_total")),
    )
    share, total = nw.col("_possible"), nw.col("_total")
    centre = (share + Z**2 / (2 * total)) / (1 + Z**2 / total)
    spread = share * (1 - share) / total + Z**2 / (4 * total * total)
    # What pandas keeps behind a missing value may be negative; such rows have no interval below.
    half = spread.fill_null(0.0).sqrt() * Z / (1 + Z**2 / total)
    return frame.with_columns(
        # Rounding may leave the exact ends 0 and 1 by one part in 10^17.
        low=nw.when(share > 0).then(centre - half).otherwise(share),
        high=nw.when(share < 1).then(centre + half).otherwise(share),
    ).drop("_total", "_possible")
