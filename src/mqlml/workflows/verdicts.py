"""`mqlml review invite`, `export` and `import`: people and files beside the page for sales."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mqlml.errors import DataError, Fault, UsageError
from mqlml.serving.cases import named
from mqlml.serving.csv_files import (
    Import,
    Imported,
    history_csv,
    import_rows,
    list_csv,
    read_rows,
    refused_csv,
)
from mqlml.serving.people import Person, everyone, invite
from mqlml.serving.roles import Role
from mqlml.serving.schema import secret_key
from mqlml.serving.sessions import AuditEntry, audit
from mqlml.storage.atomic import replace_file
from mqlml.storage.snapshot import read_tables
from mqlml.storage.tombstones import read_tombstones
from mqlml.workflows.project import Project
from mqlml.workflows.verdict_store import prepared_store
from mqlml.workflows.worklist import load_worklist

if TYPE_CHECKING:
    from mqlml.serving.outside import Outside

_COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Invitation:
    """Who was invited, and the address at which they choose a password, once."""

    person: Person
    address: str

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        who = {"name": self.person.name, "role": self.person.role.value, "id": self.person.id}
        return {**who, "address": self.address}

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        name, role = self.person.name, self.person.role.value
        yield f"{name} is invited as {role}; in verdicts: {self.person.id}"
        yield "send this address, which works once and for a week:"
        yield self.address


@dataclass(frozen=True)
class ExportResult:
    """Where verdicts or leads were written, and how many."""

    path: Path
    rows: int
    what: str

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {"path": str(self.path), "rows": self.rows, "what": self.what}

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        yield f"{self.rows:,} {self.what} written to {self.path}"


@dataclass(frozen=True)
class ImportResult:
    """Where the rows of a file went; `refused_file` holds those that were not taken."""

    found: Imported
    refused_file: Path | None

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        refused = [{"line": one.line, "reason": one.reason} for one in self.found.refused]
        return {
            "added": self.found.added,
            "known": self.found.known,
            "without_verdict": self.found.empty,
            "refused": refused,
            "refused_file": None if self.refused_file is None else str(self.refused_file),
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        found = self.found
        yield (
            f"{found.added:,} verdicts added, {found.known:,} known already,"
            f" {found.empty:,} rows without a verdict, {len(found.refused):,} refused"
        )
        yield from (f"line {one.line}: {one.reason}" for one in found.refused[:20])
        if self.refused_file is not None:
            yield f"refused rows, to be mended and read again: {self.refused_file}"


def invite_person(
    project: Project, name: str, role: Role, *, who: str | None, address: str, outside: "Outside"
) -> Invitation:
    """Return the invitation of somebody new, or of somebody who forgot the password."""
    with closing(prepared_store(project, outside)) as database:
        token, now = outside.token(), outside.clock()
        fresh = Person(who or f"rep-{outside.token()[:10].lower()}", name, role)
        with database.write() as cursor:
            person = invite(cursor, fresh, token=token, now=now)
            audit(cursor, AuditEntry(now, _COMMAND_LINE, f"invited as {role.value}", person.id))
        return Invitation(person, f"{address.rstrip('/')}/welcome/{token}")


def export_verdicts(
    project: Project, path: Path, *, is_list: bool, outside: "Outside"
) -> ExportResult:
    """Write the history of verdicts, or today's list with columns to fill in."""
    with closing(prepared_store(project, outside)) as database:
        if is_list:
            with database.read() as cursor:
                listed = named(load_worklist(project), secret_key(cursor)).listed
            replace_file(path, list_csv(case for _, case in listed))
            return ExportResult(path, len(listed), "leads to judge")
        with database.write() as cursor:
            audit(cursor, AuditEntry(outside.clock(), _COMMAND_LINE, "export", ""))
            data = history_csv(cursor)
            rows = cursor.rows("SELECT count(*) FROM review_verdicts")[0][0]
    replace_file(path, data)
    return ExportResult(path, int(rows), "rows of verdicts' history")


def import_verdicts(
    project: Project, path: Path, *, who: str | None, outside: "Outside"
) -> ImportResult:
    """Add the verdicts of a CSV file, those that are known already left out.

    Rows that cannot be taken are written beside the file with the reason. Raises DataError
    if the file cannot be read, UsageError if `who` was not invited.
    """
    if not path.is_file():
        raise DataError(Fault("no such file", str(path), mend="check the path"))
    rows = read_rows(path.read_bytes(), str(path))
    worklist, gone = load_worklist(project), read_tombstones(project.workspace.root)
    leads = _lead_ids(project)
    with closing(prepared_store(project, outside)) as database:
        now = outside.clock()
        with database.write() as cursor:
            asked = Import(
                cases={case.lead_id: case for case in worklist.cases},
                has_lead=lambda lead: lead in leads and gone.of(lead) not in gone.hashes,
                who=_person(everyone(cursor), who),
                now=now,
            )
            found = import_rows(cursor, rows, asked)
            what = f"import of {found.added} verdicts"
            audit(cursor, AuditEntry(now, _COMMAND_LINE, what, ""))
    refused_file = path.with_suffix(".refused.csv") if found.refused else None
    if refused_file is not None:
        replace_file(refused_file, refused_csv(found.refused))
    return ImportResult(found, refused_file)


def _lead_ids(project: Project) -> frozenset[str]:
    try:
        return frozenset(read_tables(project.workspace.root).leads["lead_id"])
    except DataError:
        return frozenset()  # nothing was ingested yet


def _person(people: Sequence[Person], who: str | None) -> Person | None:
    if who is None:
        return None
    found = next((p for p in people if who in {p.id, p.name}), None)
    if found is None:
        mend = "invite them first, or give the name or id of somebody invited"
        raise UsageError(Fault("nobody of this name or id was invited", "--who", who, mend))
    return found
