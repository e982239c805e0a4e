"""The worklist as it is now: loaded again whenever scores, tables or erasures changed."""

import threading
from collections.abc import Callable, Hashable

from mqlml.serving.cases import Named, Worklist, named


class Desk:
    """Gives the current worklist. `stamp` tells cheaply whether `load` would give another."""

    def __init__(
        self, load: Callable[[], Worklist], stamp: Callable[[], Hashable], *, key: bytes
    ) -> None:
        self._load, self._stamp, self._key = load, stamp, key
        self._lock = threading.Lock()
        self._loaded: tuple[Hashable, Named] | None = None

    def worklist(self) -> Named:
        """Return the worklist; whoever asks while it is loaded waits for it.

        Nobody is shown the one before: it may hold a lead that was erased meanwhile.
        """
        stamp = self._stamp()
        loaded = self._loaded
        if loaded is not None and loaded[0] == stamp:
            return loaded[1]
        with self._lock:
            if self._loaded is None or self._loaded[0] != stamp:
                self._loaded = (stamp, named(self._load(), self._key))
            return self._loaded[1]
