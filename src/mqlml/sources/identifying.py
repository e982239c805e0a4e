"""Ids of every system become leads: in the kept rows, each from when its link was known.

What lies under an id that is no lead's counts for the lead it means, from the moment the
link was known: an event's `arrived_at` and the time of any other row move there if it was
later. Of a merged lead, what came before the merge stays its own; its events count for the
survivor too from then on.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mqlml.errors import ConfigError, Fault, nearest
from mqlml.sources.carrying import carried_attributes
from mqlml.sources.settings import IdentitySettings, SourceSettings
from mqlml.tables.contracts import SPELL_COLUMNS, Column
from mqlml.tables.identity import Spells, resolve
from mqlml.tables.ingested import Note
from mqlml.tables.robots import mark_robots
from mqlml.tables.spells import ALWAYS, Links
from mqlml.tables.sql import literal, only_row, quoted
from mqlml.timeline import NEVER

_TIMES = {"stages": "entered_at", "verdicts": "given_at", "handovers": "at"}
_TIME = pa.timestamp("us", tz="UTC")
_NOBODY = "leads to no known lead"
Hash = Callable[[str], str]


@dataclass(frozen=True)
class Identified:
    """Notes on links that were not followed, and the columns that the events got."""

    notes: tuple[Note, ...]
    event_columns: tuple[Column, ...] = ()


def identify(
    connection: duckdb.DuckDBPyConnection, sources: SourceSettings, secrets: Mapping[str, str]
) -> Identified:
    """Give the kept rows of all tables the leads that their ids mean; make the merges.

    Robots are marked on the way: afterwards ids may be hashed, and nobody's address is left.
    Makes the tables `merges_kept` and `conflicts_kept` beside those of the contract. Raises
    ConfigError for a column of e-mails that the leads do not have, or a key that is not set.
    """
    settings = sources.identity
    if settings.account_email is not None:
        _place_accounts(connection, settings.account_email, settings.free_mail)
    mark_robots(connection, sources.robots, email=settings.account_email)
    found = _identify(connection, settings)
    if settings.hash_key_env is not None:
        _hash_ids(connection, hasher(secrets.get(settings.hash_key_env), settings.hash_key_env))
    return found


def hasher(key: str | None, name: str) -> Hash:
    """Return what ids are replaced by; ConfigError if the variable with the key is not set."""
    if not key:
        mend = f"set it before the command: export {name}=…"
        where = "sources.identity.hash_key_env"
        raise ConfigError(Fault("the environment variable is not set", where, name, mend))

    def hashed(one: str) -> str:
        return hmac.new(key.encode(), one.encode(), hashlib.sha256).hexdigest()[:32]

    return hashed


def _identify(connection: duckdb.DuckDBPyConnection, settings: IdentitySettings) -> Identified:
    _spell_ids(connection, settings)
    notes = _resolve(connection, settings)
    is_bounded = bool(only_row(connection, "SELECT bool_or(until IS NOT NULL) FROM meant")[0])
    columns = SPELL_COLUMNS if is_bounded else ()
    if only_row(connection, "SELECT count(*) FROM meant") != (0,):
        if is_bounded:
            carried_attributes(connection)
        _move_events(connection, is_bounded=is_bounded)
        for table, time in {**_TIMES, "attributes": "known_at"}.items():
            _move(connection, table, time)
    return Identified(notes, columns)


def plain_id(text: str, *, plus_tags: str) -> str:
    """Return SQL for an id as it is compared: addresses in small letters, without blanks.

    >>> import duckdb
    >>> sql = plain_id("'Email: Ann+News@Example.com '", plus_tags="together")
    >>> duckdb.sql(f"SELECT {sql}").fetchall()
    [('email:ann@example.com',)]
    """
    bare = f"lower(regexp_replace({text}, '\\s', '', 'g'))"
    if plus_tags == "together":
        bare = f"regexp_replace({bare}, '\\+[^@]*@', '@')"
    return f"CASE WHEN {text} ILIKE '%email:%' THEN {bare} ELSE {text} END"


def _spell_ids(connection: duckdb.DuckDBPyConnection, settings: IdentitySettings) -> None:
    """Write addresses alike wherever they stand for a lead; a lead's own id stays as it is."""
    columns = [(table, "lead_id") for table in ("events", "attributes", *_TIMES, "aliases")]
    for table, column in [*columns, ("aliases", "alias")]:
        name = quoted(column)
        plain = plain_id(name, plus_tags=settings.plus_tags)
        connection.execute(
            f"UPDATE {table}_kept SET {name} = {plain} WHERE {name} ILIKE '%email:%'"
            f" AND {name} <> {plain} AND {name} NOT IN (SELECT lead_id FROM leads_kept)"
        )


def _resolve(connection: duckdb.DuckDBPyConnection, settings: IdentitySettings) -> tuple[Note, ...]:
    """Make `meant` (id, lead_id, since, until), `merges_kept` and `conflicts_kept`."""
    rows = connection.sql(
        f"SELECT alias, lead_id, epoch_us(known_at) AS known,"
        f" coalesce(epoch_us(ended_at), {NEVER}) AS ended FROM aliases_kept"
    ).to_arrow_table()
    count = rows.num_rows
    ends = [*rows["alias"].chunks, *rows["lead_id"].chunks]
    coded = pa.chunked_array(ends, pa.string()).combine_chunks().dictionary_encode()
    names, codes = coded.dictionary, coded.indices.to_numpy().astype(np.int64)
    leads = connection.sql("SELECT lead_id FROM leads_kept").to_arrow_table()["lead_id"]
    is_lead = pc.is_in(names, value_set=leads).to_numpy(zero_copy_only=False)
    links = Links(codes[:count], codes[count:], rows["known"].to_numpy(), rows["ended"].to_numpy())
    spells, conflicts = resolve(
        links,
        is_lead,
        name_of=lambda one: names[one].as_py(),
        max_leads=settings.max_leads_per_alias,
    )
    listed = [(c.id, c.reason, c.since) for c in conflicts]
    named = {c.id for c in conflicts}
    lost = np.setdiff1d(codes[:count], spells.id)
    listed += [(int(one), _NOBODY, ALWAYS) for one in lost if int(one) not in named]
    _register(connection, "meant", _spell_table(spells, names))
    _register(connection, "conflicts_kept", _conflict_table(listed, names))
    connection.execute(
        "CREATE TABLE merges_kept AS SELECT id AS lead_id, lead_id AS survivor,"
        " since AS known_at, until AS ended_at FROM meant"
        " WHERE id IN (SELECT lead_id FROM leads_kept) AND id <> lead_id"
    )
    counted = connection.execute(
        "SELECT reason, count(*) FROM conflicts_kept GROUP BY reason ORDER BY reason"
    ).fetchall()
    return tuple(Note("aliases", "", "", f"not followed: {what}", n) for what, n in counted)


def _register(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    connection.register("given", table)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
    connection.unregister("given")


def _spell_table(spells: Spells, names: pa.Array) -> pa.Table:
    return pa.table(
        {
            "id": names.take(pa.array(spells.id)),
            "lead_id": names.take(pa.array(spells.lead)),
            "since": pa.array(spells.since, mask=spells.since == ALWAYS).cast(_TIME),
            "until": pa.array(spells.until, mask=spells.until == NEVER).cast(_TIME),
        }
    )


def _conflict_table(rows: list[tuple[int, str, int]], names: pa.Array) -> pa.Table:
    ids, reasons, times = zip(*rows, strict=True) if rows else ((), (), ())
    known = np.array(times, np.int64)
    return pa.table(
        {
            "alias": names.take(pa.array(ids, pa.int64())),
            "reason": pa.array(reasons, pa.string()),
            "known_at": pa.array(known, mask=known == ALWAYS).cast(_TIME),
        }
    )


def _move_events(connection: duckdb.DuckDBPyConnection, *, is_bounded: bool) -> None:
    """Give each event to every lead that its id ever means while it counts, else leave it."""
    link = "CASE WHEN m.id <> m.lead_id THEN greatest(e.arrived_at, m.since) ELSE e.arrived_at END"
    bounds = ", m.since AS counts_after, m.until AS counts_until" if is_bounded else ""
    connection.execute(
        f"""
        CREATE TABLE events_meant AS
        SELECT e.* REPLACE (m.lead_id AS lead_id, coalesce({link}, e.arrived_at) AS arrived_at)
            {bounds}
        FROM events_kept AS e JOIN meant AS m ON m.id = e.lead_id
        WHERE m.until IS NULL OR greatest(e.occurred_at, {link}) < m.until
        """
    )
    connection.execute(
        "INSERT INTO events_meant BY NAME SELECT * FROM events_kept AS e"
        " ANTI JOIN events_meant AS m ON e.__file = m.__file AND e.__row = m.__row"
    )
    connection.execute("DROP TABLE events_kept")
    connection.execute("ALTER TABLE events_meant RENAME TO events_kept")


def _move(connection: duckdb.DuckDBPyConnection, table: str, time: str) -> None:
    """Give each row to the lead that its id means at the row's time, or means next."""
    at = quoted(time)
    connection.execute(
        f"""
        CREATE TABLE moved AS
        SELECT t.__file, t.__row, m.lead_id,
            CASE WHEN m.id <> m.lead_id THEN greatest(t.{at}, m.since) ELSE t.{at} END AS at
        FROM {table}_kept AS t JOIN meant AS m ON m.id = t.lead_id
        WHERE m.until IS NULL OR t.{at} < m.until
        QUALIFY row_number() OVER (PARTITION BY t.__file, t.__row ORDER BY m.since NULLS FIRST) = 1
        """
    )
    connection.execute(
        f"UPDATE {table}_kept AS t SET lead_id = moved.lead_id, {at} = moved.at FROM moved"
        " WHERE t.__file = moved.__file AND t.__row = moved.__row AND t.__file >= 0"
    )
    connection.execute("DROP TABLE moved")


def _hash_ids(connection: duckdb.DuckDBPyConnection, hashed: Hash) -> None:
    """Replace every id of the kept rows by what `hashed` makes of it."""
    columns = [(t, "lead_id") for t in ("leads", "events", "attributes", *_TIMES)]
    columns += [("aliases", "alias"), ("aliases", "lead_id"), ("conflicts", "alias")]
    columns += [("merges", "lead_id"), ("merges", "survivor")]
    every = " UNION ".join(f"SELECT {quoted(c)} AS id FROM {t}_kept" for t, c in columns)
    ids = connection.sql(f"SELECT DISTINCT id FROM ({every})").to_arrow_table()["id"]
    _register(
        connection, "hashed", pa.table({"id": ids, "hash": [hashed(i) for i in ids.to_pylist()]})
    )
    for table, column in columns:
        name = quoted(column)
        connection.execute(
            f"UPDATE {table}_kept SET {name} = hash FROM hashed WHERE {name} = hashed.id"
        )


def free_mail_domains() -> tuple[str, ...]:
    """Return the domains at which anybody may have an address."""
    text = (files("mqlml.tables") / "free_mail_domains.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


def _place_accounts(
    connection: duckdb.DuckDBPyConnection, email: str, free_mail: Sequence[str]
) -> None:
    """Give leads without an account the one of their e-mail's domain, unless it is free mail."""
    names = connection.table("leads_kept").columns
    if email not in names:
        where, mend = "sources.identity.account_email", nearest(email, names)
        raise ConfigError(Fault("leads have no such column", where, repr(email), mend))
    domain = f"regexp_extract(lower(trim({quoted(email)})), '^[^@\\s]+@([^@\\s]+\\.[^@\\s]+)$', 1)"
    free = ", ".join(map(literal, (*free_mail_domains(), *map(str.lower, free_mail))))
    connection.execute(
        f"UPDATE leads_kept SET account_id = 'domain:' || {domain}"
        f" WHERE account_id IS NULL AND {domain} <> '' AND {domain} NOT IN ({free})"
    )
