"""A few threads beside the one that waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue

# Seconds to wait for work that is told to stop: reading looks four times a second, and what cannot
# look, such as a host that does not accept a connection, is left behind.
_PATIENCE = 0.75


class Background:
    """Does what it is given in a few threads, in the order given; a context manager.

    Leaving it cancels what has not begun, tells the rest to stop, and does not wait for what does
    not listen: the threads are daemons, so that a person who interrupts does not wait for a server
    that is silent.

    Examples
    --------
    >>> with Background(2) as background:
    ...     future = background.submit(pow, 2, 10)
    ...     future.result()
    1024
    """

    def __init__(self, threads: int):
        self._waiting: SimpleQueue = SimpleQueue()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def submit(self, work: Callable, *arguments) -> Future:
        """Do ``work(*arguments)`` as soon as a thread is free; the future tells what came of it."""
        future: Future = Future()
        self._waiting.put((future, work, arguments))
        return future

    def is_stopped(self) -> bool:
        """Return whether nobody waits for the work any more; long work asks now and then."""
        return self._stopping.is_set()

    def _run(self) -> None:
        for future, work, arguments in iter(self._waiting.get, None):
            if self.is_stopped():
                future.cancel()
                continue
            try:
                result = work(*arguments)
            except BaseException as error:  # noqa: BLE001 - raised where the result is taken
                future.set_exception(error)
            else:
                future.set_result(result)

    def __enter__(self) -> Background:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stopping.set()
        for _ in self._threads:
            self._waiting.put(None)
        end = time.monotonic() + _PATIENCE
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0))
