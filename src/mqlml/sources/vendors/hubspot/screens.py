"""HubSpot's CSV files as its screens export them: contacts and deals, with English headers.

Times are in the zone of the account and say no offset.
"""

from dataclasses import replace

from mqlml.sources.mapping import FileMapping, Named
from mqlml.sources.row_sql import EACH_NAME, EACH_VALUE, address, each_of, split, written
from mqlml.sources.vendors.hubspot.deals import DEAL_STAGES, OPEN
from mqlml.sources.vendors.hubspot.people import LEAD_STAGES, REASONS, VERDICTS

_CONTACT = ("Record ID", "Email", "Create Date")
_IDS = {"hubspot": "Record ID", "email": "address"}
_ADDRESS = {"address": address('"Email"')}
_ATTRIBUTES = {
    "jobtitle": "Job Title",
    "industry": "Industry",
    "numemployees": "Number of Employees",
    "annualrevenue": "Annual Revenue",
    "country": "Country/Region",
    "hs_analytics_source": "Original Traffic Source",
}
_ENTERED = {
    "lead": "Became a Lead Date",
    "marketingqualifiedlead": "Became a Marketing Qualified Lead Date",
    "salesqualifiedlead": "Became a Sales Qualified Lead Date",
    "opportunity": "Became an Opportunity Date",
    "customer": "Became a Customer Date",
}

_CONTACTS = FileMapping(
    table="leads",
    file="",
    signature=_CONTACT,
    ids=_IDS,
    required=_CONTACT,
    optional=("Primary Associated Company ID",),
    derived=_ADDRESS,
    columns={"created_at": "Create Date", "account_id": "Primary Associated Company ID"},
    looked_up=_ATTRIBUTES,
    is_local=True,
)

_STAGES = FileMapping(
    table="stages",
    file="",
    signature=_CONTACT,
    ids=_IDS,
    required=_CONTACT,
    optional=tuple(_ENTERED.values()),
    each=each_of(_ENTERED),
    derived={**_ADDRESS, "entered_at": EACH_VALUE},
    names={"stage": Named((EACH_NAME,), LEAD_STAGES)},
    columns={"stage": "stage", "entered_at": "entered_at"},
    where='"each" IS NOT NULL',
    is_local=True,
)

_STATUS = "replace(\"Lead Status\", ' ', '_')"
_VERDICTS = FileMapping(
    table="verdicts",
    file="",
    signature=(*_CONTACT, "Lead Status", "Last Modified Date"),
    ids=_IDS,
    required=(*_CONTACT, "Lead Status", "Last Modified Date"),
    derived=_ADDRESS,
    names={
        "verdict": Named((_STATUS,), VERDICTS),
        "reason": Named(
            (f'CASE WHEN "verdict" = \'rejected\' THEN coalesce("own_reason", {_STATUS}) END',),
            REASONS,
        ),
    },
    columns={"verdict": "verdict", "reason": "reason", "given_at": "Last Modified Date"},
    where='"Lead Status" IS NOT NULL',
    has_reason=True,
    is_local=True,
)

_ADDRESSES = FileMapping(
    table="aliases",
    file="",
    signature=_CONTACT,
    ids=_IDS,
    required=_CONTACT,
    derived={**_ADDRESS, "alias": written("email", '"address"')},
    columns={"alias": "alias", "known_at": "Create Date"},
    constants={"source": "hubspot"},
    where='"alias" IS NOT NULL AND "alias" <> "lead_id"',
    is_masters=True,
    is_local=True,
)
_FOREIGN_IDS = replace(
    _ADDRESSES,
    ids={"email": "address"},
    derived={**_ADDRESS, "alias": written("hubspot", '"Record ID"')},
    where='"address" IS NOT NULL',
    is_masters=False,
    foreign_kind="hubspot",
)

_DEAL = ("Record ID", "Deal Stage", "Create Date", "Associated Contact IDs")


def _deals(when: str) -> FileMapping:
    """Return the mapping of the stage that a deal began with, or of the one it has now."""
    is_now = when == "Close Date"
    return FileMapping(
        table="stages",
        file="",
        signature=_DEAL,
        ids={"hubspot": "contact"},
        required=_DEAL,
        optional=("Close Date",),
        each=split("Associated Contact IDs"),
        derived={"contact": 'trim("each")'},
        names={
            "stage": Named(('"Deal Stage"',) if is_now else (f"'{OPEN}'",), DEAL_STAGES),
        },
        columns={"stage": "stage", "entered_at": when},
        # Of an open deal the closing date is a plan.
        where="\"stage\" <> 'opportunity'" if is_now else None,
        is_local=True,
    )


SCREENS = (
    _CONTACTS,
    _STAGES,
    _VERDICTS,
    _ADDRESSES,
    _FOREIGN_IDS,
    _deals("Create Date"),
    _deals("Close Date"),
)
