"""Reports on their way: asked for in turn, received side by side, stored in turn."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import CancelledError, Future, wait
from datetime import date

from copilot_analytics import fetching
from copilot_analytics.archive import UNKNOWN_FIELDS, Archive
from copilot_analytics.catalogue import Scope
from copilot_analytics.client import Client, Envelope
from copilot_analytics.client.messages import API_VERSION
from copilot_analytics.download import Background, Connections
from copilot_analytics.errors import (
    ContractError,
    CopilotAnalyticsError,
    DownloadError,
    NetworkError,
    NoReportError,
    UsageError,
)
from copilot_analytics.syncing.incoming import Incoming

# While GitHub is asked for one report, those before it are downloaded, read and stored.
THREADS = 3
IN_FLIGHT = 12
FAILURES_IN_A_ROW = 3  # then the other side is down, and asking on only makes it worse
# What concerns one report; after anything else, going on makes no sense.
_OF_ONE_REPORT = (NoReportError, DownloadError, NetworkError, ContractError)


class Pipeline:
    """Brings reports into an archive, in the order in which they are asked for.

    GitHub is asked by the thread that uses the pipeline, one call after the other. Downloading,
    checking and reading happen in a few other threads, and one thread writes the ledger, so that
    failures are counted and errors come out in the order of asking. Leaving the pipeline gives up
    what is unfinished; the archive knows nothing of it.

    Attributes
    ----------
    rows, codes : list
        What became of each report, and the exit code that it deserves.
    unknown_fields : set
        Fields of stored reports that the catalogue does not describe, as ``"table: path"``.
    received_bytes : int
        Size of the reports that were stored.
    """

    def __init__(
        self,
        archive: Archive,
        scope: Scope,
        client: Client,
        incoming: Incoming,
        *,
        accept_shrink: bool = False,
    ):
        self._archive, self._scope = archive, scope
        self._client, self._incoming = client, incoming
        self._accept_shrink = accept_shrink
        self._connections = Connections(client.settings)
        self._receiving, self._storing = Background(THREADS), Background(1)
        self._asking = threading.Lock()
        self._open: deque[Future] = deque()
        self._failures = 0
        self._is_broken = False
        self.rows: list[tuple] = []
        self.codes: list[int] = []
        self.unknown_fields: set[str] = set()
        self.received_bytes = 0

    def __enter__(self) -> Pipeline:
        self._receiving.__enter__()
        self._storing.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._receiving.__exit__(*error)
        self._storing.__exit__(*error)
        self._connections.__exit__(*error)

    def ask_for(self, report: str, day: date | None) -> bool:
        """Ask GitHub for a report; the rest happens while the next one is asked for.

        Returns
        -------
        bool
            Whether asking on makes sense; if not, `finish` says why.
        """
        problem = None
        try:
            self._archive.check_space()
            received = self._receiving.submit(self._receive, report, day, self._ask(report, day))
        except CopilotAnalyticsError as error:
            problem = error
            received = Future()
            received.set_exception(error)
        self._open.append(self._storing.submit(self._store, report, day, received))
        if isinstance(problem, NetworkError):
            self.finish()  # nothing is gained by asking on before this has been counted
        while self._open and (self._open[0].done() or len(self._open) > IN_FLIGHT):
            self._open.popleft().result()
        return problem is None or isinstance(problem, _OF_ONE_REPORT)

    def finish(self) -> None:
        """Wait for all reports that were asked for."""
        while self._open:
            self._open.popleft().result()

    def _ask(self, report: str, day: date | None) -> Envelope:
        # A download whose links have expired asks as well, but never at the same time.
        with self._asking:
            if self._receiving.is_stopped():
                raise CancelledError
            try:
                return fetching.ask(self._client, report, self._scope, day)
            except UsageError as problem:  # midnight has passed: a year back is a day less
                raise NoReportError(problem.what, advice=problem.advice) from None

    def _receive(self, report: str, day: date | None, envelope: Envelope):
        """Download and read one report, and write its files; the ledger does not know them yet."""
        folder = self._incoming.make(report, day)
        received = fetching.receive(
            envelope,
            folder,
            settings=self._client.settings,
            ask_again=lambda: self._ask(report, day),
            connections=self._connections,
            quarantine=folder / "quarantine",
            keep=True,
            is_stopped=self._receiving.is_stopped,
        )
        paths = [file.path for file in received.files]
        last_day = day or envelope.report_end_day
        prepared = self._archive.prepare(
            self._scope,
            report,
            last_day,
            paths,
            facts=_facts(received),
            is_stopped=self._receiving.is_stopped,
        )
        return received, prepared

    def _store(self, report: str, day: date | None, receiving: Future) -> None:
        """Write into the ledger what became of a report: the next in turn."""
        while not receiving.done():
            if self._storing.is_stopped():
                raise CancelledError
            wait([receiving], timeout=0.1)
        if self._is_broken:
            raise CancelledError
        try:
            self._enter(report, day, receiving)
        except BaseException:
            self._is_broken = True
            raise

    def _enter(self, report: str, day: date | None, receiving: Future) -> None:
        with self._archive.ledger() as ledger:
            try:
                received, prepared = receiving.result()
                stored = self._archive.commit(ledger, prepared, accept_shrink=self._accept_shrink)
            except _OF_ONE_REPORT as problem:
                self._note_absence(ledger, report, day, problem)
                self._failures = self._failures + 1 if isinstance(problem, NetworkError) else 0
                if self._failures == FAILURES_IN_A_ROW:
                    raise
                return
        self._failures = 0
        self.unknown_fields.update(prepared.facts.get(UNKNOWN_FIELDS, ()))
        self.received_bytes += sum(file.size for file in received.files)
        self._incoming.forget(report, day)
        last_day = day or received.envelope.report_end_day
        notes = [*received.notes, f"held back: {stored.held_back}" if stored.held_back else ""]
        note = "; ".join(filter(None, notes))
        self.rows.append((report, last_day, stored.state, stored.is_new, stored.records, note))
        self.codes.append(3 if received.envelope.is_partial or stored.held_back else 0)

    def _note_absence(self, ledger, report, day: date | None, problem) -> None:
        """Record why a report is not there; a 28-day report has no day of its own to record."""
        state = problem.state if isinstance(problem, NoReportError) else "failed"
        if day is not None:
            self._archive.note_state(ledger, self._scope, report, day, state, problem.what)
        is_content = isinstance(problem, ContractError)
        code = problem.exit_code if is_content else 3 if state in ("missing", "failed") else 0
        self.rows.append((report, day, state, False, 0, problem.what))
        self.codes.append(code)


def _facts(received: fetching.Received) -> dict[str, object]:
    """Return what is known of a report beside its rows; nothing of it tells of a person."""
    envelope = received.envelope
    days = ("report_day", "report_start_day", "report_end_day")
    return {
        **{name: str(day) for name in days if (day := getattr(envelope, name))},
        "api_version": API_VERSION,
        "notes": received.notes,
        "files": [{"bytes": file.size, **file.facts} for file in received.files],
    }
