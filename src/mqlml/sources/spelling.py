"""Column names in the spelling of a mapping: what exports call them in other layouts."""

import re
from collections.abc import Iterable, Sequence

_API_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def snake_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of a system's fields as connectors write them: Id, CreatedDate, Own__c.

    A header with any other name in it, as reports for people have, stays as it is.

    >>> snake_names(["Id", "CreatedDate", "Own_Field__c"])
    ('id', 'created_date', 'own_field_c')
    >>> snake_names(["Lead ID", "CreatedDate"])
    ('Lead ID', 'CreatedDate')
    """
    if not all(_API_NAME.fullmatch(name) for name in names):
        return tuple(names)
    return tuple(snake_name(name) for name in names)


def snake_name(name: str) -> str:
    """Return one name in small letters, its words parted by `_`."""
    plain = re.sub(r"__c$", "_c", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain).lower()


def lower_names(names: Iterable[str]) -> frozenset[str]:
    """Return the names in small letters: vendors write Job Title one year, Job title the next."""
    return frozenset(name.lower() for name in names)


def is_bare(first: Sequence[str], header: Sequence[str]) -> bool:
    """Return whether a file's first row is as long as the header that it lacks, and is not it."""
    return bool(header) and len(first) == len(header) and not set(first) & set(header)
