"""What is left of erased people: salted hashes of their ids, so that they do not come back."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb

from mqlml.tables.sql import literal, quoted

_TOKEN = re.compile(r"[^\s\"'\\,;|<>{}\[\]()]+")


@dataclass(frozen=True)
class Tombstones:
    """SHA-256 of salt and id for every id of the erased; equal ids have equal hashes."""

    salt: str = ""
    hashes: frozenset[str] = field(default_factory=frozenset)

    def of(self, one: str) -> str:
        """Return the hash of an id."""
        return hashlib.sha256((self.salt + one).encode()).hexdigest()

    def with_ids(self, ids: Iterable[str]) -> "Tombstones":
        """Return the tombstones with further ids."""
        return Tombstones(self.salt, self.hashes | {self.of(one) for one in ids})

    def mentions(self, text: str) -> bool:
        """Return whether a text holds an id of the erased, as a whole word or value."""
        words = {text.strip(), *_TOKEN.findall(text)}
        kinds = {word.partition(":")[2] for word in words}
        return any(self.of(form) in self.hashes for w in words | kinds for form in (w, w.lower()))


NO_TOMBSTONES = Tombstones()


def make_erased(connection: duckdb.DuckDBPyConnection, tombstones: Tombstones) -> None:
    """Make the table `erased` of the hashes."""
    connection.execute("CREATE OR REPLACE TABLE erased (hash VARCHAR)")
    if tombstones.hashes:
        values = ", ".join(f"({literal(one)})" for one in sorted(tombstones.hashes))
        connection.execute(f"INSERT INTO erased VALUES {values}")


def erased_sql(tombstones: Tombstones, column: str) -> str:
    """Return SQL for whether the id in a column is one of the erased, however it is written."""
    name, salt = quoted(column), literal(tombstones.salt)
    plain = f"lower(regexp_replace({name}, '\\s', '', 'g'))"
    forms = (name, f"trim({name})", plain)
    tests = (f"sha256({salt} || {form}) IN (SELECT hash FROM erased)" for form in forms)
    return f"coalesce({' OR '.join(tests)}, false)"
