"""The store's tables, alike in SQLite and PostgreSQL.

Verdicts are only ever added: a change of mind is a further row, an undo a row that names
the one it undoes. A trigger keeps it so; only an erasure may pass.
"""

from mqlml.errors import DataError, Fault
from mqlml.serving.database import Cursor, Database

VERSION = "1"
STANDING = "review_standing"

_NUMBER = {
    "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "postgres": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
}
_ISO = {
    "sqlite": "strftime('%Y-%m-%dT%H:%M:%S', given_at / 1000000, 'unixepoch')"
    " || printf('.%06dZ', given_at % 1000000)",
    "postgres": "to_char(to_timestamp(given_at / 1000000) AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS') || '.' || lpad((given_at % 1000000)::text, 6, '0') || 'Z'",
}
_TABLES = (
    "CREATE TABLE IF NOT EXISTS review_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS review_people (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL, password TEXT, invite TEXT UNIQUE, invite_until BIGINT,
        is_active INTEGER NOT NULL, created_at BIGINT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS review_sessions (
        token TEXT PRIMARY KEY, person TEXT NOT NULL, begun_at BIGINT NOT NULL,
        until BIGINT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS review_verdicts (
        number {number}, form TEXT NOT NULL, lead_id TEXT NOT NULL,
        handed_over_at BIGINT NOT NULL, given_at BIGINT NOT NULL, who TEXT NOT NULL,
        verdict TEXT NOT NULL, reason TEXT, note TEXT, undoes BIGINT,
        UNIQUE (who, form))""",
    "CREATE INDEX IF NOT EXISTS review_verdicts_lead ON review_verdicts (lead_id)",
    """CREATE TABLE IF NOT EXISTS review_tries (
        key TEXT PRIMARY KEY, since BIGINT NOT NULL, tries INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS review_audit (
        number {number}, at BIGINT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
        about TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS review_erased (
        salt TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (salt, hash))""",
)
# Of each lead and rep the last verdict since one handover that was not taken back.
_VIEW = f"""CREATE VIEW {STANDING} AS
    SELECT lead_id, {{iso}} AS given_at, verdict, reason, who, note, number
    FROM review_verdicts WHERE number IN (
        SELECT max(number) FROM review_verdicts
        WHERE verdict <> 'undone' AND number NOT IN (
            SELECT undoes FROM review_verdicts WHERE undoes IS NOT NULL)
        GROUP BY lead_id, who, handed_over_at)"""
_GUARDS = {
    "sqlite": tuple(
        f"""CREATE TRIGGER review_no_{action.lower()} BEFORE {action} ON review_verdicts
        WHEN NOT EXISTS (SELECT 1 FROM review_meta WHERE name = 'erasing')
        BEGIN SELECT RAISE(ABORT, 'verdicts are only added'); END"""
        for action in ("UPDATE", "DELETE")
    ),
    "postgres": (
        """CREATE OR REPLACE FUNCTION review_guard() RETURNS trigger AS $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM review_meta WHERE name = 'erasing') THEN
                RAISE EXCEPTION 'verdicts are only added';
            END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER review_only_added BEFORE UPDATE OR DELETE ON review_verdicts
        FOR EACH ROW EXECUTE FUNCTION review_guard()""",
    ),
}
_HAS_TABLES = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE name = 'review_meta'",
    "postgres": "SELECT count(*) FROM pg_class WHERE oid = to_regclass('review_meta')",
}


def is_prepared(database: Database) -> bool:
    """Return whether the database holds a store; DataError for one of a newer mqlml."""
    with database.read() as cursor:
        return _has_tables(cursor, database)


def prepare(database: Database, *, key: str) -> None:
    """Make the tables where they are missing; `key` becomes the secret of a new store."""
    if is_prepared(database):
        return
    with database.write() as cursor:
        if _has_tables(cursor, database):
            return  # another process was faster
        dialect = database.dialect
        for statement in _TABLES:
            cursor.run(statement.replace("{number}", _NUMBER[dialect]))
        cursor.run(_VIEW.replace("{iso}", _ISO[dialect]))
        for statement in _GUARDS[dialect]:
            cursor.run(statement)
        cursor.run("INSERT INTO review_meta VALUES ('version', ?)", VERSION)
        cursor.run("INSERT INTO review_meta VALUES ('key', ?)", key)


def secret_key(cursor: Cursor) -> bytes:
    """Return the store's secret, by which leads are named in addresses."""
    return str(cursor.rows("SELECT value FROM review_meta WHERE name = 'key'")[0][0]).encode()


def _has_tables(cursor: Cursor, database: Database) -> bool:
    if not cursor.rows(_HAS_TABLES[database.dialect])[0][0]:
        return False
    rows = cursor.rows("SELECT value FROM review_meta WHERE name = 'version'")
    if [tuple(row) for row in rows] != [(VERSION,)]:
        what, mend = "the store of verdicts is of another version", "update mqlml"
        raise DataError(Fault(what, database.shown, f"version {rows}", mend))
    return True
