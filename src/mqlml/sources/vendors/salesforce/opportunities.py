"""Salesforce's opportunities: the stages of the people that have a role in one, or became one."""

from mqlml.sources.mapping import FileMapping, Join, Named
from mqlml.sources.row_sql import EACH_NAME, EACH_VALUE, each_of, says_yes
from mqlml.sources.vendors.salesforce.records import DELETED, GONE, GONE_COLUMNS, record

_WON, _LOST, OPEN = "(won)", "(lost)", "(open)"
OPPORTUNITY_STAGES = {
    _WON: "customer",
    _LOST: "disqualified",
    OPEN: "opportunity",
    "closed won": "customer",
    "closed lost": "disqualified",
    **dict.fromkeys(("prospecting", "qualification", "needs analysis"), "opportunity"),
    **dict.fromkeys(("value proposition", "id. decision makers"), "opportunity"),
    **dict.fromkeys(("perception analysis", "proposal/price quote"), "opportunity"),
    "negotiation/review": "opportunity",
}
_NOBODY = (
    "export opportunity_contact_role and lead too: they say which contacts have a role in"
    " an opportunity and which leads became one"
)


def _people(opportunity: str) -> tuple[Join, ...]:
    return (
        Join(
            "lead",
            own=record(opportunity),
            key=record("converted_opportunity_id"),
            columns=("id",),
            reads=("converted_opportunity_id", *GONE_COLUMNS),
            where=f"NOT {GONE}",
            is_required=False,
            is_many=True,
        ),
        Join(
            "opportunity_contact_role",
            own=record(opportunity),
            key=record("opportunity_id"),
            columns=("contact_id",),
            reads=("is_deleted",),
            where=f"NOT {DELETED}",
            is_required=False,
            is_many=True,
        ),
    )


# The lead that became the opportunity; its contact, which most often has a role too, is an alias.
_PERSON = {
    "lead_record": record("lead.id"),
    "person": f'coalesce("lead_record", {record("opportunity_contact_role.contact_id")})',
}
_CLOSED = ("is_won", "is_closed")


def _named(first: str, own: str = '"stage_name"') -> Named:
    """Return a stage's name: by its own, else by whether the opportunity is closed and won."""
    kind = (
        f"CASE WHEN {says_yes('is_won')} THEN '{_WON}'"
        f" WHEN {says_yes('is_closed')} THEN '{_LOST}'"
        f" WHEN \"is_closed\" IS NOT NULL THEN '{OPEN}' END"
    )
    return Named((*([first] if first else []), own, kind, own), OPPORTUNITY_STAGES)


_OPPORTUNITIES = FileMapping(
    table="stages",
    file="opportunity",
    ids={"salesforce": "person"},
    required=("id", "created_date"),
    optional=("stage_name", "close_date", *_CLOSED, *GONE_COLUMNS),
    joins=_people("id"),
    each=each_of({OPEN: "created_date", "now": "close_date"}),
    derived={**_PERSON, "is_now": f"CASE WHEN {EACH_NAME} = 'now' THEN 'true' END"},
    times={"entered_at": EACH_VALUE},
    names={"stage": _named(f"CASE WHEN \"is_now\" IS NULL THEN '{OPEN}' END")},
    columns={"stage": "stage", "entered_at": "entered_at"},
    # An open opportunity's closing date is a plan.
    where=f'NOT {GONE} AND ("is_now" IS NULL OR {says_yes("is_closed")})',
    better={"opportunity_history": '"is_now" IS NOT NULL'},
    remedies={"lead_id": _NOBODY},
)


def _versions(file: str) -> FileMapping:
    """Return the mapping of versions of an opportunity to the stages that changed with them."""
    return FileMapping(
        table="stages",
        file=file,
        ids={"salesforce": "person"},
        required=("id", "stage_name", "_fivetran_start"),
        optional=(*_CLOSED, "is_deleted"),
        joins=_people("id"),
        derived=_PERSON,
        windows={
            "before": (
                'lag("stage_name") OVER (PARTITION BY "id", "person"'
                ' ORDER BY TRY_CAST("_fivetran_start" AS TIMESTAMPTZ), __row)'
            )
        },
        names={"stage": _named("")},
        columns={"stage": "stage", "entered_at": "_fivetran_start"},
        signature=("_fivetran_start", "stage_name"),
        where=f'NOT {DELETED} AND "stage_name" IS DISTINCT FROM "before"',
        remedies={"lead_id": _NOBODY},
    )


_TRACKED = FileMapping(
    table="stages",
    file="opportunity_history",
    ids={"salesforce": "person"},
    required=("opportunity_id", "stage_name", "created_date"),
    optional=("is_deleted",),
    joins=(
        *_people("opportunity_id"),
        Join(
            "opportunity",
            own=record("opportunity_id"),
            key=record("id"),
            columns=("is_deleted",),
            is_required=False,
        ),
    ),
    derived=_PERSON,
    windows={
        "before": (
            'lag("stage_name") OVER (PARTITION BY "opportunity_id", "person"'
            ' ORDER BY TRY_CAST("created_date" AS TIMESTAMPTZ), __row)'
        )
    },
    names={"stage": Named(('"stage_name"',), OPPORTUNITY_STAGES)},
    columns={"stage": "stage", "entered_at": "created_date"},
    signature=("opportunity_id", "stage_name"),
    # Amounts and dates are tracked in the same rows.
    where=(
        f"NOT {DELETED} AND NOT {says_yes('opportunity.is_deleted')}"
        ' AND "stage_name" IS DISTINCT FROM "before"'
    ),
    remedies={"lead_id": _NOBODY},
)

OPPORTUNITIES = (
    *(_OPPORTUNITIES, _versions("opportunity"), _versions("opportunity_history"), _TRACKED),
)
