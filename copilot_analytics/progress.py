"""Progress of long work: shown to a person who waits, and to nobody else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

SECONDS_UNTIL_SHOWN = 1.0


def bar(
    iterable: Iterable | None = None,
    *,
    description: str,
    total: int | None = None,
    unit: str = "step",
    scaled: bool = False,
    hidden: bool = False,
):
    """Return a progress bar that appears after a second and leaves nothing behind.

    It is shown where stderr is a terminal, and in a notebook; never in pipes, logs and cron. Set
    tqdm's own variable ``TQDM_DISABLE=1`` where notebooks run without anybody who looks on.

    Parameters
    ----------
    iterable
        What to go through; or None, to call ``update`` after each step.
    description
        What is done, before the bar.
    total
        How many steps there are, where the iterable does not say.
    unit
        What a step is, in the singular.
    scaled
        True to show millions as M, such as for bytes.
    hidden
        True to show nothing in any case.

    Returns
    -------
    tqdm
        To iterate over, or to use in a ``with`` statement.

    Examples
    --------
    >>> [2 * number for number in bar([1, 2], description="Doubling", unit="number")]
    [2, 4]
    """
    # The notebook's bar does not heed tqdm's variable by itself.
    switched_off = os.environ.get("TQDM_DISABLE", "") not in ("", "0")
    in_notebook = _in_notebook()
    if in_notebook:
        from tqdm.auto import tqdm
    else:  # tqdm.auto may choose the notebook's bar as soon as somebody has imported ipykernel
        from tqdm import tqdm
    return tqdm(
        iterable,
        desc=description,
        total=total,
        unit=unit if scaled else f" {unit}",
        unit_scale=scaled,
        file=sys.stderr,
        delay=SECONDS_UNTIL_SHOWN,
        leave=False,
        disable=hidden or switched_off or not (in_notebook or _is_terminal()),
    )


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None
