"""Sessions without credentials for downloads, each used by one download at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from copilot_analytics.sessions import Session


class Connections:
    """Open connections to the hosts of files, kept for the next file; a context manager.

    They carry nothing but ``User-Agent``, ``Accept`` and ``Accept-Encoding``: the token would be
    given away there, and a password from elsewhere would make a signed link fail.
    """

    def __init__(self, settings):
        self._settings = settings
        self._idle: list[Session] = []
        self._is_closed = False
        self._lock = threading.Lock()

    @contextmanager
    def lend(self) -> Iterator[Session]:
        """Give a session to one download."""
        with self._lock:
            session = self._idle.pop() if self._idle else self._new()
        try:
            yield session
        finally:
            with self._lock:
                if not self._is_closed:
                    self._idle.append(session)
                    session = None
            if session:
                session.close()

    def _new(self) -> Session:
        agent = self._settings.user_agent
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": agent}
        return Session(self._settings, headers)

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, *_) -> None:
        """Close what is idle; what is lent is closed when it comes back."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()
