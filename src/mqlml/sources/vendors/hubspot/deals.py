"""HubSpot's deals: every stage that one entered is a stage of all its contacts."""

from mqlml.sources.mapping import FileMapping, Join, Named
from mqlml.sources.row_sql import EACH_NAME, EACH_VALUE, each_of, says_yes

_WON, _LOST, OPEN = "(won)", "(lost)", "(open)"
DEAL_STAGES = {
    _WON: "customer",
    _LOST: "disqualified",
    OPEN: "opportunity",
    "closedwon": "customer",
    "closed won": "customer",
    "closedlost": "disqualified",
    "closed lost": "disqualified",
    **dict.fromkeys(("appointmentscheduled", "appointment scheduled"), "opportunity"),
    **dict.fromkeys(("qualifiedtobuy", "qualified to buy"), "opportunity"),
    **dict.fromkeys(("presentationscheduled", "presentation scheduled"), "opportunity"),
    **dict.fromkeys(("decisionmakerboughtin", "decision maker bought-in"), "opportunity"),
    **dict.fromkeys(("contractsent", "contract sent"), "opportunity"),
}
_LABEL = '"deal_pipeline_stage.label"'
_CONTACTS = Join(
    "deal_contact",
    own='"deal_id"',
    key='"deal_id"',
    columns=("contact_id",),
    reads=("_fivetran_deleted",),
    where=f"NOT {says_yes('_fivetran_deleted')}",
    is_many=True,
)
_DEAL = Join("deal", own='"deal_id"', key='"deal_id"', columns=("is_deleted",), is_required=False)


def _pipeline(own: str) -> Join:
    columns = ("label", "closed_won", "is_closed", "stage_id")
    return Join(
        "deal_pipeline_stage", own=own, key='"stage_id"', columns=columns, is_required=False
    )


def _named(own: str) -> Named:
    """Return a stage's name: by its id, by its label, else by whether the pipeline closes it."""
    kind = (
        f"CASE WHEN {says_yes('deal_pipeline_stage.closed_won')} THEN '{_WON}'"
        f" WHEN {says_yes('deal_pipeline_stage.is_closed')} THEN '{_LOST}'"
        f" WHEN \"deal_pipeline_stage.is_closed\" IS NOT NULL THEN '{OPEN}' END"
    )
    return Named((own, _LABEL, kind, f"coalesce({_LABEL}, {own})"), DEAL_STAGES)


_STAGE_TABLE = FileMapping(
    table="stages",
    file="deal_stage",
    ids={"hubspot": "deal_contact.contact_id"},
    required=("deal_id", "value", "date_entered"),
    joins=(_CONTACTS, _DEAL, _pipeline('"value"')),
    times={"entered_at": '"date_entered"'},
    names={"stage": _named('"value"')},
    columns={"stage": "stage", "entered_at": "entered_at"},
    where=f"NOT {says_yes('deal.is_deleted')}",
)

_PROPERTY_HISTORY = FileMapping(
    table="stages",
    file="deal_property_history",
    ids={"hubspot": "deal_contact.contact_id"},
    required=("deal_id", "timestamp", "name", "value"),
    joins=(_CONTACTS, _DEAL, _pipeline('"value"')),
    times={"entered_at": '"timestamp"'},
    names={"stage": _named('"value"')},
    columns={"stage": "stage", "entered_at": "entered_at"},
    where=f"\"name\" = 'dealstage' AND NOT {says_yes('deal.is_deleted')}",
    better={"deal_stage": "true"},
)

# Without a history a deal was open when it was made, and is closed if its stage is a last one.
_DEALS = FileMapping(
    table="stages",
    file="deal",
    ids={"hubspot": "deal_contact.contact_id"},
    required=("deal_id",),
    optional=(
        *("deal_pipeline_stage_id", "property_createdate", "property_closedate"),
        *("is_deleted", "_fivetran_deleted"),
    ),
    joins=(_CONTACTS, _pipeline('"deal_pipeline_stage_id"')),
    each=each_of({OPEN: "property_createdate", "now": "property_closedate"}),
    derived={"is_now": f"CASE WHEN {EACH_NAME} = 'now' THEN 'true' END"},
    times={"entered_at": EACH_VALUE},
    names={
        "stage": Named(
            (
                f"CASE WHEN \"is_now\" IS NULL THEN '{OPEN}' END",
                *_named('"deal_pipeline_stage_id"').texts,
            ),
            DEAL_STAGES,
        )
    },
    columns={"stage": "stage", "entered_at": "entered_at"},
    # An open deal's closing date is a plan.
    where=(
        f"NOT {says_yes('is_deleted')} AND NOT {says_yes('_fivetran_deleted')}"
        " AND NOT (\"is_now\" IS NOT NULL AND coalesce(\"stage\", '') = 'opportunity')"
    ),
    better={"deal_stage": "true", "deal_property_history": "true"},
)

DEALS = (_STAGE_TABLE, _PROPERTY_HISTORY, _DEALS)
