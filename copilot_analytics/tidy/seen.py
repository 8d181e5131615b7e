"""Which records have been read already, for input that is larger than memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from copilot_analytics import catalogue
from copilot_analytics.tidy.collect import BASE, Collection, conflict, record_key
from copilot_analytics.tidy.digests import record_digests
from copilot_analytics.tidy.flatten import RECORD
from copilot_analytics.tidy.slices import without_records


class SeenRecords:
    """Remembers 16 bytes of each record of a family: what it is about, and what it says."""

    def __init__(self, family: str):
        self.family = family
        self._runs: list[tuple[np.ndarray, np.ndarray]] = []
        self._first: tuple[dict[str, pa.Table], Collection] | None = None

    def without_repeated(self, tables: dict[str, pa.Table], collection: Collection):
        """Return the tables without the records that were read before.

        Raises
        ------
        ContentError
            A record that says something else than an earlier one about the same.
        """
        if BASE[self.family] not in tables:
            return tables
        if self._first is None and not self._runs:
            self._first = tables, collection  # most reports come in one piece: nothing to compare
            return tables
        if self._first is not None:
            first, self._first = self._first, None
            self._remember(*(series.to_numpy() for series in self._digests(*first)))
        keys, said = self._digests(tables, collection)
        repeated = pd.Series(False, index=keys.index)
        for known, digests in self._runs:
            places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
            is_known = known[places] == keys.to_numpy()
            is_other = is_known & (digests[places] != said.to_numpy())
            if is_other.any():
                raise self._conflict(int(keys.index[is_other.argmax()]), collection)
            repeated |= is_known
        self._remember(keys[~repeated].to_numpy(), said[~repeated].to_numpy())
        if not repeated.any():
            return tables
        collection.duplicates += int(repeated.sum())
        gone = keys.index[repeated].to_numpy()
        kept = {name: without_records(table, gone) for name, table in tables.items()}
        return {name: table for name, table in kept.items() if table.num_rows}

    def _digests(self, tables: dict[str, pa.Table], collection: Collection):
        """Return what each record is about, and what it says, as numbers."""
        keys = collection.keys(self.family, tables)
        said = record_digests(tables, RECORD, set(catalogue.HOUSEKEEPING))
        return keys, said.reindex(keys.index)

    def _conflict(self, number: int, collection: Collection):
        key = ", ".join(record_key(self.family))
        return conflict("with one read before", key, [collection.origin(number)])

    def _remember(self, keys: np.ndarray, digests: np.ndarray) -> None:
        """Add a sorted run; runs of like length are merged, so that there are few of them."""
        if not len(keys):
            return
        run = (keys, digests)
        while self._runs and len(self._runs[-1][0]) <= 2 * len(run[0]):
            run = tuple(np.concatenate(both) for both in zip(self._runs.pop(), run, strict=True))
        order = np.argsort(run[0], kind="stable")
        self._runs.append((run[0][order], run[1][order]))
