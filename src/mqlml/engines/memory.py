"""How much memory the work may take, and giving back to the machine what is let go."""

import ctypes
import re
from dataclasses import dataclass
from functools import cache

import pyarrow as pa

from mqlml.errors import ConfigError, Fault

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
# glibc's numbers of its settings. A block of so many bytes or more goes back as soon as it is
# free; a small size costs time, so it is taken where memory is short, as is one common pool.
_MMAP_THRESHOLD, _POOLS = -3, -8
_LARGE_BLOCK, _SMALL_BLOCK = 2**20, 2**18
_SHORT = 10**9

# Measured: the libraries; a piece of a bucket and a slab with what is made of them; a point.
_LIBRARIES = 330_000_000
_WORKER = 40_000_000
_POINT = 80


@dataclass(frozen=True)
class Budget:
    """How a limit of `limit` bytes is spent on work for so many points."""

    limit: int
    points: int

    @property
    def least(self) -> int:
        """Return the limit below which the work cannot begin."""
        return _LIBRARIES + self.points * _POINT + _WORKER

    def refuse_too_little(self) -> None:
        """Raise ConfigError if the work could not begin within the limit."""
        if self.limit < self.least:
            found = f"{self.limit / 1e6:.0f} MB for {self.points:,} points"
            mend = f"give at least {-(-self.least // 10**6)}MB, or fewer points at a time"
            raise ConfigError(Fault("too little memory to begin", "memory", found, mend))

    def workers(self, largest: int, threads: int) -> int:
        """Return how many buckets may be in memory at once, where the largest takes so much."""
        one = _WORKER + largest
        return max(1, min(threads, (self.limit - self.least + _WORKER) // one))

    def is_on_disk(self, bucket: int) -> bool:
        """Return whether the arrays of a bucket that takes so much must lie in files."""
        return bucket > max(0, self.limit - self.least)


def bytes_of(text: str) -> int:
    """Return the bytes of an amount such as "512MB" or "2GB"; ConfigError if it is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    unit = match[2].upper() if match else None
    if match is None or unit not in _UNITS:
        mend = "write a number and a unit, such as 512MB or 2GB"
        raise ConfigError(Fault("not an amount of memory", "memory", repr(text), mend))
    return int(float(match[1]) * _UNITS[unit])


@cache
def give_back_memory(limit: int) -> None:
    """Have this process give large blocks of memory back as soon as they are free.

    What allocators keep for later came to a third of all memory: Arrow's is left for the
    system's, and glibc's is told from which size on to keep no block. Other systems' libraries
    have no such setting and stay as they are.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    if limit < _SHORT:
        set_option(_POOLS, 1)
    set_option(_MMAP_THRESHOLD, _SMALL_BLOCK if limit < _SHORT else _LARGE_BLOCK)
