"""Salesforce's leads and contacts: leads, stages, verdicts, and who is who.

A contact that was a lead stays that lead: only contacts into whom no lead was
converted are leads of their own.
"""

from dataclasses import replace

from mqlml.sources.mapping import FileMapping, Join, Named
from mqlml.sources.row_sql import EACH_NAME, EACH_VALUE, address, each_of, says_yes, written
from mqlml.sources.vendors.salesforce.records import DELETED, GONE, GONE_COLUMNS, record

OF_LEAD = (
    *("title", "industry", "number_of_employees", "annual_revenue", "country", "state"),
    *("lead_source", "rating"),
)
OF_CONTACT = {
    **{name: name for name in ("title", "department", "lead_source")},
    "country": "mailing_country",
    "state": "mailing_state",
}
OF_ACCOUNT = ("industry", "number_of_employees", "annual_revenue", "billing_country", "type")

STATUS_STAGES = {
    **dict.fromkeys(("mql", "marketing qualified"), "mql"),
    **dict.fromkeys(("sal", "sales accepted", "accepted"), "sal"),
    **dict.fromkeys(("working", "contacted", "working - contacted"), "sal"),
    **dict.fromkeys(("sql", "sales qualified", "qualified"), "sql"),
    **dict.fromkeys(("unqualified", "disqualified", "closed - not converted"), "disqualified"),
    **dict.fromkeys(("nurture", "nurturing", "recycled"), "recycled"),
    **dict.fromkeys(("new", "open", "open - not contacted"), "ignore"),
    # The day of a conversion tells this.
    **dict.fromkeys(("converted", "closed - converted"), "ignore"),
    "(lead)": "lead",
    "(converted)": "sql",
    "(with opportunity)": "opportunity",
}
VERDICTS = {
    **dict.fromkeys(("sal", "sales accepted", "accepted"), "accepted"),
    **dict.fromkeys(("working", "contacted", "working - contacted"), "accepted"),
    **dict.fromkeys(("sql", "sales qualified", "qualified"), "accepted"),
    **dict.fromkeys(("converted", "closed - converted"), "accepted"),
    **dict.fromkeys(("unqualified", "disqualified", "closed - not converted"), "rejected"),
    **dict.fromkeys(("nurture", "nurturing", "recycled"), "rejected"),
    **dict.fromkeys(("new", "open", "open - not contacted", "mql"), "ignore"),
    "marketing qualified": "ignore",
}
REASONS = {
    **dict.fromkeys(("unqualified", "disqualified", "closed - not converted"), ""),
    **dict.fromkeys(("nurture", "nurturing", "recycled"), "not_now"),
}


def reason_of(status: str) -> Named:
    """Return a rejection's reason: the column that the config names, else the status's own."""
    given = f'coalesce("own_reason", {status})'
    return Named((f"CASE WHEN \"verdict\" = 'rejected' THEN {given} END",), REASONS)


_IDS = {"salesforce": "record", "email": "address"}
_KNOWN = {"record": record("id"), "address": address('"email"')}

_LEADS = FileMapping(
    table="leads",
    file="lead",
    ids=_IDS,
    required=("id", "created_date"),
    optional=("email", *GONE_COLUMNS),
    derived=_KNOWN,
    columns={"created_at": "created_date"},
    attributes=OF_LEAD,
    where=f"NOT {GONE}",
)

_CONTACTS = FileMapping(
    table="leads",
    file="contact",
    ids=_IDS,
    required=("id", "created_date"),
    optional=("email", "account_id", *GONE_COLUMNS),
    joins=(
        Join(
            "lead",
            own=record("id"),
            key=record("converted_contact_id"),
            columns=("converted_contact_id",),
            is_required=False,
        ),
        Join(
            "account",
            own=record("account_id"),
            key=record("id"),
            columns=OF_ACCOUNT,
            reads=("id", *GONE_COLUMNS),
            where=f"NOT {GONE}",
            is_required=False,
        ),
    ),
    derived={**_KNOWN, "account": record("account_id")},
    columns={"created_at": "created_date", "account_id": "account"},
    looked_up={**OF_CONTACT, **{f"account_{name}": f"account.{name}" for name in OF_ACCOUNT}},
    where=f'NOT {GONE} AND "lead.converted_contact_id" IS NULL',
)

_CONVERTED = (
    f"CASE WHEN {EACH_NAME} = '(lead)' THEN '(lead)'"
    " WHEN \"converted_opportunity_id\" IS NULL THEN '(converted)' ELSE '(with opportunity)' END"
)
_LEAD_STAGES = FileMapping(
    table="stages",
    file="lead",
    ids=_IDS,
    required=("id", "created_date"),
    optional=(
        *("email", "is_converted", "converted_date", "converted_opportunity_id", *GONE_COLUMNS),
    ),
    each=each_of({"(lead)": "created_date", "(converted)": "converted_date"}),
    derived=_KNOWN,
    times={"entered_at": EACH_VALUE},
    names={"stage": Named((_CONVERTED,), STATUS_STAGES)},
    columns={"stage": "stage", "entered_at": "entered_at"},
    where=f"NOT {GONE}",
)

_CONTACT_STAGES = FileMapping(
    table="stages",
    file="contact",
    ids=_IDS,
    required=("id", "created_date"),
    optional=("email", *GONE_COLUMNS),
    joins=_CONTACTS.joins[:1],
    derived=_KNOWN,
    columns={"entered_at": "created_date"},
    constants={"stage": "lead"},
    where=_CONTACTS.where,
)

# A lead's status has no date of its own: without a history it is known since the last change.
_CHANGED = (
    f'CASE WHEN {says_yes("is_converted")} THEN coalesce("converted_date", "last_modified_date")'
    ' ELSE "last_modified_date" END'
)
# Versions of the row are such a history.
_HAS_STATUS = f'NOT {GONE} AND "status" IS NOT NULL AND "_fivetran_start" IS NULL'
_STATUS_STAGES = FileMapping(
    table="stages",
    file="lead",
    ids=_IDS,
    required=("id",),
    optional=(
        *(
            "email",
            "status",
            "is_converted",
            "converted_date",
            "last_modified_date",
            "_fivetran_start",
        ),
        *GONE_COLUMNS,
    ),
    derived={**_KNOWN, "changed_at": _CHANGED},
    names={"stage": Named(('"status"',), STATUS_STAGES)},
    columns={"stage": "stage", "entered_at": "changed_at"},
    where=_HAS_STATUS,
    better={"lead_history": "true"},
)

_STATUS_VERDICTS = FileMapping(
    table="verdicts",
    file="lead",
    ids=_IDS,
    required=("id",),
    optional=(*_STATUS_STAGES.optional, "owner_id"),
    derived={**_KNOWN, "changed_at": _CHANGED},
    names={"verdict": Named(('"status"',), VERDICTS), "reason": reason_of('"status"')},
    columns={"verdict": "verdict", "reason": "reason", "given_at": "changed_at", "who": "owner_id"},
    has_reason=True,
    where=_HAS_STATUS,
    better={"lead_history": "true"},
)


def _aliases(file: str, alias: str) -> FileMapping:
    """Return the mapping of one kind of alias, in SQL, that people have since their creation."""
    return FileMapping(
        table="aliases",
        file=file,
        ids=_IDS,
        required=("id", "created_date"),
        optional=("email", *GONE_COLUMNS),
        derived={**_KNOWN, "alias": alias},
        columns={"alias": "alias", "known_at": "created_date"},
        constants={"source": "salesforce"},
        where=f'"alias" IS NOT NULL AND "alias" <> "lead_id" AND NOT {GONE}',
        is_masters=True,
    )


def _foreign_ids(file: str) -> FileMapping:
    """Return the mapping of ids to addresses, which lead to the leads of another system."""
    own = _aliases(file, _OWN)
    where = f'"address" IS NOT NULL AND NOT {GONE}'
    ids = {"email": "address"}
    return replace(own, ids=ids, where=where, is_masters=False, foreign_kind="salesforce")


def _merged(file: str, alias: str, own_kind: str = "") -> FileMapping:
    """Return the mapping of records that another took in, under one of their names."""
    return FileMapping(
        table="aliases",
        file=file,
        ids={"salesforce": "survivor"},
        required=("id",),
        optional=("master_record_id", "last_modified_date", "system_modstamp", "is_deleted"),
        derived={
            "survivor": record("master_record_id"),
            "alias": alias.format(record("id")),
            "known_at": 'coalesce("last_modified_date", "system_modstamp")',
        },
        columns={"alias": "alias", "known_at": "known_at"},
        constants={"source": "salesforce"},
        where=f'"survivor" IS NOT NULL AND {DELETED}',
        own_kind=own_kind,
    )


def _converted(alias: str, own_kind: str = "") -> FileMapping:
    """Return the mapping of the contacts that leads became, under one of their names."""
    return FileMapping(
        table="aliases",
        file="lead",
        ids=_IDS,
        required=("id",),
        optional=("email", "converted_contact_id", "converted_date", *GONE_COLUMNS),
        derived={**_KNOWN, "alias": alias.format(record("converted_contact_id"))},
        columns={"alias": "alias", "known_at": "converted_date"},
        constants={"source": "salesforce"},
        where=f'"alias" IS NOT NULL AND NOT {GONE}',
        own_kind=own_kind,
    )


_WRITTEN = written("salesforce", "({})")
_EMAIL, _OWN = written("email", '"address"'), written("salesforce", '"record"')

PEOPLE = (
    *(_LEADS, _CONTACTS, _LEAD_STAGES, _CONTACT_STAGES, _STATUS_STAGES, _STATUS_VERDICTS),
    *(_aliases(file, _EMAIL) for file in ("lead", "contact")),
    *(_aliases(file, _OWN) for file in ("lead", "contact")),
    *(_foreign_ids(file) for file in ("lead", "contact")),
    *(_merged(file, _WRITTEN) for file in ("lead", "contact")),
    *(_merged(file, "{}", "salesforce") for file in ("lead", "contact")),
    *(_converted(_WRITTEN), _converted("{}", "salesforce")),
)
