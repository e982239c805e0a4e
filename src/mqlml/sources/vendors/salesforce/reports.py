"""Salesforce's reports saved as CSV: leads, contacts, and opportunities with contact roles.

Headers are English, times are in the zone of the user and say no offset.
"""

from dataclasses import replace

from mqlml.sources.mapping import FileMapping, Named
from mqlml.sources.row_sql import EACH_NAME, EACH_VALUE, address, each_of, written
from mqlml.sources.vendors.salesforce.opportunities import OPEN, OPPORTUNITY_STAGES
from mqlml.sources.vendors.salesforce.people import STATUS_STAGES, VERDICTS, reason_of
from mqlml.sources.vendors.salesforce.records import record

_LEAD = ("Lead ID", "Create Date")
_IDS = {"salesforce": "record", "email": "address"}
_KNOWN = {"record": record("Lead ID"), "address": address('"Email"')}
_ATTRIBUTES = {
    "title": "Title",
    "industry": "Industry",
    "number_of_employees": "No. of Employees",
    "annual_revenue": "Annual Revenue",
    "country": "Country",
    "lead_source": "Lead Source",
    "rating": "Rating",
}

_LEADS = FileMapping(
    table="leads",
    file="",
    signature=_LEAD,
    ids=_IDS,
    required=_LEAD,
    optional=("Email",),
    derived=_KNOWN,
    columns={"created_at": "Create Date"},
    looked_up=_ATTRIBUTES,
    is_local=True,
)

_STAGES = FileMapping(
    table="stages",
    file="",
    signature=_LEAD,
    ids=_IDS,
    required=_LEAD,
    optional=("Email", "Converted Date"),
    each=each_of({"(lead)": "Create Date", "(converted)": "Converted Date"}),
    derived={**_KNOWN, "entered_at": EACH_VALUE},
    names={"stage": Named((EACH_NAME,), STATUS_STAGES)},
    columns={"stage": "stage", "entered_at": "entered_at"},
    is_local=True,
)

_STATUS = (*_LEAD, "Lead Status", "Last Modified")
_STATUS_STAGES = FileMapping(
    table="stages",
    file="",
    signature=_STATUS,
    ids=_IDS,
    required=_STATUS,
    optional=("Email",),
    derived=_KNOWN,
    names={"stage": Named(('"Lead Status"',), STATUS_STAGES)},
    columns={"stage": "stage", "entered_at": "Last Modified"},
    where='"Lead Status" IS NOT NULL',
    is_local=True,
)

_VERDICTS = FileMapping(
    table="verdicts",
    file="",
    signature=_STATUS,
    ids=_IDS,
    required=_STATUS,
    optional=("Email",),
    derived=_KNOWN,
    names={"verdict": Named(('"Lead Status"',), VERDICTS), "reason": reason_of('"Lead Status"')},
    columns={"verdict": "verdict", "reason": "reason", "given_at": "Last Modified"},
    where='"Lead Status" IS NOT NULL',
    has_reason=True,
    is_local=True,
)

_ADDRESSES = FileMapping(
    table="aliases",
    file="",
    signature=(*_LEAD, "Email"),
    ids=_IDS,
    required=(*_LEAD, "Email"),
    derived={**_KNOWN, "alias": written("email", '"address"')},
    columns={"alias": "alias", "known_at": "Create Date"},
    constants={"source": "salesforce"},
    where='"alias" IS NOT NULL AND "alias" <> "lead_id"',
    is_masters=True,
    is_local=True,
)
_FOREIGN_IDS = replace(
    _ADDRESSES,
    ids={"email": "address"},
    derived={**_KNOWN, "alias": written("salesforce", '"record"')},
    where='"address" IS NOT NULL',
    is_masters=False,
    foreign_kind="salesforce",
)

_CONTACT = ("Contact ID", "Created Date", "Email")
_KNOWN_CONTACT = {"record": record("Contact ID"), "address": address('"Email"')}
# Reports of opportunities may have these columns too, where the day is the opportunity's.
_IS_CONTACT = '"Opportunity ID" IS NULL'
_CONTACTS = FileMapping(
    table="leads",
    file="",
    signature=_CONTACT,
    ids=_IDS,
    required=_CONTACT,
    optional=("Opportunity ID",),
    derived=_KNOWN_CONTACT,
    columns={"created_at": "Created Date"},
    looked_up={
        "title": "Title",
        "department": "Department",
        "country": "Mailing Country",
        "lead_source": "Lead Source",
    },
    where=_IS_CONTACT,
    is_local=True,
)
_CONTACT_ADDRESSES = replace(
    _ADDRESSES,
    signature=_CONTACT,
    required=_CONTACT,
    optional=("Opportunity ID",),
    derived={**_KNOWN_CONTACT, "alias": written("email", '"address"')},
    columns={"alias": "alias", "known_at": "Created Date"},
    where=f'"alias" IS NOT NULL AND "alias" <> "lead_id" AND {_IS_CONTACT}',
)

_OPPORTUNITY = ("Opportunity ID", "Contact ID", "Stage", "Created Date", "Close Date")


def _opportunities(when: str) -> FileMapping:
    """Return the mapping of the stage that an opportunity began with, or of the one it has now."""
    is_now = when == "Close Date"
    return FileMapping(
        table="stages",
        file="",
        signature=_OPPORTUNITY,
        ids={"salesforce": "record"},
        required=_OPPORTUNITY,
        derived={"record": record("Contact ID")},
        names={
            "stage": Named(('"Stage"',) if is_now else (f"'{OPEN}'",), OPPORTUNITY_STAGES),
        },
        columns={"stage": "stage", "entered_at": when},
        # Of an open opportunity the closing date is a plan.
        where="\"stage\" <> 'opportunity'" if is_now else None,
        is_local=True,
    )


REPORTS = (
    *(_LEADS, _STAGES, _STATUS_STAGES, _VERDICTS, _ADDRESSES, _FOREIGN_IDS),
    *(_CONTACTS, _CONTACT_ADDRESSES),
    *map(_opportunities, ("Created Date", "Close Date")),
)
