"""How a time is written into a file name, and read back."""

import re
from datetime import UTC, datetime, timedelta

from mqlml.timeline import MICROS_PER_SECOND

STAMP_PATTERN = r"\d{8}T\d{6}(?:\.\d{6})?Z"
_STAMP = re.compile(rf"^{STAMP_PATTERN}$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(as_of: int) -> str:
    """Return `as_of` (microseconds UTC) as a sortable word that any file system takes.

    >>> stamp(1_772_409_600_000_000)
    '20260302T000000Z'
    """
    moment = _EPOCH + timedelta(microseconds=as_of)
    fraction = f".{moment.microsecond:06d}" if moment.microsecond else ""
    return f"{moment:%Y%m%dT%H%M%S}{fraction}Z"


def unstamp(text: str) -> int:
    """Return the microseconds UTC that `stamp` wrote; ValueError for anything else.

    >>> unstamp('20260302T000000Z')
    1772409600000000
    """
    if not _STAMP.match(text):
        raise ValueError(f"not a stamp: {text!r}")
    whole, _, fraction = text.removesuffix("Z").partition(".")
    moment = datetime.strptime(whole, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return int((moment - _EPOCH).total_seconds()) * MICROS_PER_SECOND + int(fraction or 0)
