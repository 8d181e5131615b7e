"""Shares with their uncertainty."""

from __future__ import annotations

import narwhals.stable.v2 as nw

# Two-sided 95 % of the normal distribution.
Z = 1.959963984540054


def with_share(frame: nw.LazyFrame, numerator: str, denominator: str, name: str) -> nw.LazyFrame:
    """Add a share and the ends of its 95 % Wilson score interval, as `name`, `low` and `high`.

    The share is missing where the denominator is zero. Where the numerator is larger than the
    denominator the share stands as it is, and the interval is missing.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22 (1927).
    """
    total = nw.when(nw.col(denominator) > 0).then(nw.col(denominator).cast(nw.Float64))
    frame = frame.with_columns(_total=total)
    frame = frame.with_columns((nw.col(numerator).cast(nw.Float64) / nw.col("_total")).alias(name))
    # Kept apart from the share, because engines refuse the root of a negative number.
    frame = frame.with_columns(_possible=nw.when(nw.col(name) <= 1).then(nw.col(name)))
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
