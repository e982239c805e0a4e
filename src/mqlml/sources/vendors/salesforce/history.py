"""Salesforce's histories: changed fields one by one, or whole versions that a connector keeps."""

from mqlml.sources.mapping import FileMapping, Join, Named
from mqlml.sources.row_sql import EACH_NAME, EACH_VALUE, renamed
from mqlml.sources.vendors.salesforce.people import (
    OF_ACCOUNT,
    OF_CONTACT,
    OF_LEAD,
    STATUS_STAGES,
    VERDICTS,
    reason_of,
)
from mqlml.sources.vendors.salesforce.records import DELETED, record

_CHANGES = ("field", "new_value", "created_date")
_VERSIONS = ("id", "_fivetran_start")
_OF_PERSON = {"lead": {name: name for name in OF_LEAD}, "contact": OF_CONTACT}
_NOT_DELETED = f"NOT {DELETED}"


def _contacts_of(account: str) -> Join:
    return Join(
        "contact",
        own=record(account),
        key=record("account_id"),
        columns=("id",),
        reads=("account_id", "is_deleted"),
        where=_NOT_DELETED,
        is_many=True,
    )


def _snake(text: str) -> str:
    """Return SQL for a field's name as the connector writes it: number_of_employees, own_c."""
    custom = f"regexp_replace({text}, '__c$', '_c')"
    return f"lower(regexp_replace({custom}, '([a-z0-9])([A-Z])', '\\1_\\2', 'g'))"


_FIELD = _snake('"field"')


def _field_changes(person: str) -> FileMapping:
    """Return the mapping of the tracked changes of a person's fields."""
    own_names = {column: name for name, column in _OF_PERSON[person].items()}
    return FileMapping(
        table="attributes",
        file=f"{person}_history",
        ids={"salesforce": "record"},
        required=(f"{person}_id", *_CHANGES),
        optional=("is_deleted",),
        derived={
            "record": record(f"{person}_id"),
            "plain": _FIELD,
            "name": renamed('"plain"', own_names),
        },
        columns={"name": "name", "value": "new_value", "known_at": "created_date"},
        attributes=tuple(_OF_PERSON[person]),
        signature=("field", "new_value"),
        is_history=True,
        where=_NOT_DELETED,
    )


_ACCOUNT_CHANGES = FileMapping(
    table="attributes",
    file="account_history",
    ids={"salesforce": "record"},
    required=("account_id", *_CHANGES),
    optional=("is_deleted",),
    joins=(_contacts_of("account_id"),),
    derived={
        "record": record("contact.id"),
        "name": f"'account_' || {_FIELD}",
    },
    columns={"name": "name", "value": "new_value", "known_at": "created_date"},
    attributes=tuple(f"account_{name}" for name in OF_ACCOUNT),
    signature=("field", "new_value"),
    is_history=True,
    where=_NOT_DELETED,
)

# Of the versions of a row only those count in which the value is another one than before.
_ORDER = 'ORDER BY TRY_CAST("_fivetran_start" AS TIMESTAMPTZ), __row'
_IS_CHANGE = (
    '"before" IS DISTINCT FROM coalesce("value", \'\')'
    ' AND NOT ("before" IS NULL AND "value" IS NULL)'
)


def _versions(
    file: str, spread: dict[str, str], person: str, joins: tuple[Join, ...] = ()
) -> FileMapping:
    """Return the mapping of versions of whole rows to the attributes that changed with each."""
    return FileMapping(
        table="attributes",
        file=file,
        ids={"salesforce": "record"},
        required=_VERSIONS,
        optional=("is_deleted",),
        joins=joins,
        spread=spread,
        derived={"record": record(person), "name": EACH_NAME, "value": EACH_VALUE},
        windows={
            "before": (
                f'lag(coalesce("value", \'\')) OVER (PARTITION BY "id", "record", "name" {_ORDER})'
            )
        },
        columns={"name": "name", "value": "value", "known_at": "_fivetran_start"},
        signature=("_fivetran_start",),
        where=f"{_NOT_DELETED} AND {_IS_CHANGE}",
    )


_ACCOUNT_SPREAD = {f"account_{name}": name for name in OF_ACCOUNT}


def _status_changes(table: str) -> FileMapping:
    """Return the mapping of a lead's tracked statuses to stages, or to verdicts."""
    is_stage = table == "stages"
    stage, verdict = Named(('"new_value"',), STATUS_STAGES), Named(('"new_value"',), VERDICTS)
    return FileMapping(
        table="stages" if is_stage else "verdicts",
        file="lead_history",
        ids={"salesforce": "record"},
        required=("lead_id", *_CHANGES),
        optional=("created_by_id", "is_deleted"),
        joins=()
        if is_stage
        else (
            Join(
                "lead",
                own=record("lead_id"),
                key=record("id"),
                columns=("id",),
                is_required=False,
                has_reason=True,
            ),
        ),
        derived={"record": record("lead_id")},
        names={"stage": stage}
        if is_stage
        else {"verdict": verdict, "reason": reason_of('"new_value"')},
        columns={"stage": "stage", "entered_at": "created_date"}
        if is_stage
        else {
            "verdict": "verdict",
            "reason": "reason",
            "given_at": "created_date",
            "who": "created_by_id",
        },
        signature=("field", "new_value"),
        where=f'lower("field") = \'status\' AND "new_value" IS NOT NULL AND {_NOT_DELETED}',
    )


def _status_versions(file: str, table: str) -> FileMapping:
    """Return the mapping of versions of a lead to the stages, or the verdicts, of its statuses."""
    is_stage = table == "stages"
    stage, verdict = Named(('"status"',), STATUS_STAGES), Named(('"status"',), VERDICTS)
    return FileMapping(
        table="stages" if is_stage else "verdicts",
        file=file,
        ids={"salesforce": "record"},
        required=(*_VERSIONS, "status"),
        optional=("last_modified_by_id", "is_deleted"),
        derived={"record": record("id")},
        windows={"before": f'lag("status") OVER (PARTITION BY "record" {_ORDER})'},
        names={"stage": stage}
        if is_stage
        else {"verdict": verdict, "reason": reason_of('"status"')},
        columns={"stage": "stage", "entered_at": "_fivetran_start"}
        if is_stage
        else {
            "verdict": "verdict",
            "reason": "reason",
            "given_at": "_fivetran_start",
            "who": "last_modified_by_id",
        },
        has_reason=not is_stage,
        signature=("_fivetran_start", "status"),
        where=(f'{_NOT_DELETED} AND "status" IS NOT NULL AND "status" IS DISTINCT FROM "before"'),
    )


HISTORY = (
    *map(_field_changes, ("lead", "contact")),
    _ACCOUNT_CHANGES,
    *(
        _versions(file, _OF_PERSON[person], "id")
        for person in ("lead", "contact")
        for file in (person, f"{person}_history")
    ),
    *(
        _versions(file, _ACCOUNT_SPREAD, "contact.id", (_contacts_of("id"),))
        for file in ("account", "account_history")
    ),
    *map(_status_changes, ("stages", "verdicts")),
    *(
        _status_versions(file, table)
        for file in ("lead", "lead_history")
        for table in ("stages", "verdicts")
    ),
)
