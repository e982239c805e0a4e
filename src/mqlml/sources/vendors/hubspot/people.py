"""HubSpot's contacts and companies: leads, dated attributes, stages, verdicts, aliases."""

from dataclasses import replace

from mqlml.sources.mapping import FileMapping, Join, Named
from mqlml.sources.row_sql import (
    EACH_NAME,
    EACH_VALUE,
    address,
    digest,
    each_of,
    says_yes,
    split,
    written,
)
from mqlml.tables.sql import quoted

_LIVE = f"NOT {says_yes('_fivetran_deleted')} AND NOT {says_yes('is_deleted')}"
_FLAGS = ("_fivetran_deleted", "is_deleted")
_OF_CONTACT = (
    *("jobtitle", "industry", "numemployees", "annualrevenue", "country", "state"),
    *("hs_analytics_source", "hs_persona", "hs_buying_role", "hs_seniority"),
)
_OF_COMPANY = ("industry", "numberofemployees", "annualrevenue", "country", "type")

# What HubSpot's lifecycle stages and lead statuses are to us.
LEAD_STAGES = {
    "lead": "lead",
    "marketingqualifiedlead": "mql",
    "salesqualifiedlead": "sql",
    "opportunity": "opportunity",
    "customer": "customer",
    "subscriber": "ignore",
    "evangelist": "ignore",
    "other": "ignore",
    "unqualified": "disqualified",
    "bad_timing": "recycled",
    **dict.fromkeys(("new", "open", "in_progress", "open_deal"), "ignore"),
    **dict.fromkeys(("attempted_to_contact", "connected"), "ignore"),
}
VERDICTS = {
    "unqualified": "rejected",
    "bad_timing": "rejected",
    **dict.fromkeys(("in_progress", "open_deal", "connected"), "accepted"),
    **dict.fromkeys(("new", "open", "attempted_to_contact"), "ignore"),
}
REASONS = {"unqualified": "", "bad_timing": "not_now"}
_ENTERED = {
    stage: f"property_hs_lifecyclestage_{stage}_date"
    for stage in ("lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")
}

_CONTACTS = FileMapping(
    table="leads",
    file="contact",
    ids={"hubspot": "id", "email": "email"},
    required=("id", "property_createdate"),
    optional=("property_email", "property_associatedcompanyid", *_FLAGS),
    derived={"email": address('"property_email"')},
    times={"created_at": '"property_createdate"'},
    columns={"created_at": "created_at", "account_id": "property_associatedcompanyid"},
    joins=(
        Join(
            "company",
            own='"property_associatedcompanyid"',
            key='"id"',
            columns=tuple(f"property_{name}" for name in _OF_COMPANY),
            reads=("id", *_FLAGS),
            where=_LIVE,
            is_required=False,
        ),
    ),
    attributes=_OF_CONTACT,
    looked_up={f"company_{name}": f"company.property_{name}" for name in _OF_COMPANY},
    prefix="property_",
    where=_LIVE,
)

_ENTERED_STAGES = FileMapping(
    table="stages",
    file="contact",
    ids={"hubspot": "id", "email": "email"},
    required=("id",),
    optional=("property_email", *_FLAGS, *_ENTERED.values()),
    each=each_of(_ENTERED),
    derived={"email": address('"property_email"')},
    times={"entered_at": EACH_VALUE},
    names={"stage": Named((EACH_NAME,), LEAD_STAGES)},
    columns={"stage": "stage", "entered_at": "entered_at"},
    where=f'"each" IS NOT NULL AND {_LIVE}',
)

# The history of a contact's properties tells attributes, stages, verdicts and addresses.
_HISTORY = ("contact_id", "timestamp", "name", "value")

_CONTACT_HISTORY = FileMapping(
    table="attributes",
    file="contact_property_history",
    ids={"hubspot": "contact_id"},
    required=_HISTORY,
    times={"known_at": '"timestamp"'},
    columns={"name": "name", "value": "value", "known_at": "known_at"},
    attributes=_OF_CONTACT,
    prefix="property_",
    is_history=True,
)

_STAGE_HISTORY = FileMapping(
    table="stages",
    file="contact_property_history",
    ids={"hubspot": "contact_id"},
    required=_HISTORY,
    times={"entered_at": '"timestamp"'},
    names={"stage": Named(('"value"',), LEAD_STAGES)},
    columns={"stage": "stage", "entered_at": "entered_at"},
    where="\"name\" IN ('lifecyclestage', 'hs_lead_status') AND \"value\" IS NOT NULL",
)

_SETTER = '"source_id"'
_VERDICT_HISTORY = FileMapping(
    table="verdicts",
    file="contact_property_history",
    ids={"hubspot": "contact_id"},
    required=_HISTORY,
    optional=("source_id",),
    joins=(
        Join(
            "contact",
            own='"contact_id"',
            key='"id"',
            columns=("id",),
            is_required=False,
            has_reason=True,
        ),
    ),
    # Who set it may be an address of the staff's.
    derived={"who": f"CASE WHEN {_SETTER} IS NOT NULL THEN {digest(_SETTER)} END"},
    times={"given_at": '"timestamp"'},
    names={
        "verdict": Named(('"value"',), VERDICTS),
        "reason": Named(
            ('CASE WHEN "verdict" = \'rejected\' THEN coalesce("own_reason", "value") END',),
            REASONS,
        ),
    },
    columns={"verdict": "verdict", "given_at": "given_at", "reason": "reason", "who": "who"},
    prefix="property_",
    where='"name" = \'hs_lead_status\' AND "value" IS NOT NULL',
)

_ADDRESS_HISTORY = FileMapping(
    table="aliases",
    file="contact_property_history",
    ids={"hubspot": "contact_id"},
    required=_HISTORY,
    derived={"alias": written("email", address('"value"'))},
    times={"known_at": '"timestamp"'},
    columns={"alias": "alias", "known_at": "known_at"},
    constants={"source": "hubspot"},
    where='"name" = \'email\' AND "value" IS NOT NULL',
    is_masters=True,
)
# Where leads are another system's, the contact's id leads to the address, which leads to them.
_ID_HISTORY = replace(
    _ADDRESS_HISTORY,
    ids={"email": "address"},
    derived={"address": address('"value"'), "alias": written("hubspot", '"contact_id"')},
    is_masters=False,
    foreign_kind="hubspot",
)

_COMPANY_HISTORY = FileMapping(
    table="attributes",
    file="company_property_history",
    ids={"hubspot": "contact.id"},
    required=("company_id", "timestamp", "name", "value"),
    joins=(
        Join(
            "contact",
            own='"company_id"',
            key='"property_associatedcompanyid"',
            columns=("id",),
            reads=("property_associatedcompanyid", *_FLAGS),
            where=_LIVE,
            is_many=True,
        ),
    ),
    derived={"name": "'company_' || \"name\""},
    times={"known_at": '"timestamp"'},
    columns={"name": "name", "value": "value", "known_at": "known_at"},
    attributes=tuple(f"company_{name}" for name in _OF_COMPANY),
    is_history=True,
)

# --- Who is who ---

_ADDRESSES = FileMapping(
    table="aliases",
    file="contact",
    ids={"hubspot": "id", "email": "email"},
    required=("id", "property_createdate"),
    optional=("property_email", *_FLAGS),
    joins=(
        Join(
            "contact_property_history",
            own='"id"',
            key='"contact_id"',
            columns=("name",),
            where="\"name\" = 'email'",
            is_required=False,
        ),
    ),
    derived={"email": address('"property_email"'), "alias": written("email", '"email"')},
    times={"known_at": '"property_createdate"'},
    columns={"alias": "alias", "known_at": "known_at"},
    constants={"source": "hubspot"},
    # Where the history has the addresses it also knows since when they are theirs.
    where=(
        '"alias" IS NOT NULL AND "alias" <> "lead_id"'
        f' AND "contact_property_history.name" IS NULL AND {_LIVE}'
    ),
    is_masters=True,
)

_FURTHER_ADDRESSES = FileMapping(
    table="aliases",
    file="contact",
    ids={"hubspot": "id", "email": "email"},
    required=("id",),
    optional=("property_email", "property_hs_additional_emails", "_fivetran_synced", *_FLAGS),
    each=split("property_hs_additional_emails"),
    derived={
        "email": address('"property_email"'),
        "further": address('"each"'),
        "alias": written("email", '"further"'),
    },
    times={"known_at": '"_fivetran_synced"'},
    columns={"alias": "alias", "known_at": "known_at"},
    constants={"source": "hubspot"},
    where=f'"alias" IS NOT NULL AND {_LIVE}',
    is_masters=True,
)

_OWN_IDS = FileMapping(
    table="aliases",
    file="contact",
    ids={"hubspot": "id", "email": "email"},
    required=("id", "property_createdate"),
    optional=("property_email", *_FLAGS),
    derived={"email": address('"property_email"'), "alias": written("hubspot", '"id"')},
    times={"known_at": '"property_createdate"'},
    columns={"alias": "alias", "known_at": "known_at"},
    constants={"source": "hubspot"},
    where=f'"alias" <> "lead_id" AND {_LIVE}',
    own_kind="hubspot",
)
_FOREIGN_IDS = replace(
    _OWN_IDS,
    ids={"email": "email"},
    where=f'"email" IS NOT NULL AND {_LIVE}',
    own_kind="",
    foreign_kind="hubspot",
)

# What forms hand over from Google's cookie, under the names that people give such a property.
_CLIENT_IDS = (
    *("property_ga_client_id", "property_ga_clientid", "property_google_client_id"),
    *("property_google_analytics_client_id", "property_ga4_client_id", "property_client_id"),
)


def _browsers(column: str) -> FileMapping:
    """Return the mapping of Google's client ids, which a contact's form handed over."""
    bare = f"nullif(regexp_extract({quoted(column)}, '\\d+\\.\\d+$'), '')"
    return FileMapping(
        table="aliases",
        file="contact",
        ids={"hubspot": "id", "email": "email"},
        required=("id", "property_createdate", column),
        optional=("property_email", *_FLAGS),
        derived={"email": address('"property_email"'), "alias": written("ga4", bare)},
        times={"known_at": '"property_createdate"'},
        columns={"alias": "alias", "known_at": "known_at"},
        constants={"source": "hubspot"},
        where=f'"alias" IS NOT NULL AND {_LIVE}',
        signature=(column,),
    )


def _merged_contacts(alias: str, own_kind: str = "") -> FileMapping:
    """Return the mapping of the contacts that a contact has taken in, under one of their names."""
    return FileMapping(
        table="aliases",
        file="contact",
        ids={"hubspot": "id", "email": "email"},
        required=("id",),
        optional=(
            *("property_email", "property_hs_calculated_merged_vids", "_fivetran_synced"),
            *("property_hs_merged_object_ids", *_FLAGS),
        ),
        each=(
            "string_split(coalesce(nullif(property_hs_calculated_merged_vids, ''),"
            " property_hs_merged_object_ids), ';')"
        ),
        derived={
            "email": address('"property_email"'),
            "merged": "nullif(trim(split_part(\"each\", ':', 1)), '')",
            "merged_at": "nullif(trim(split_part(\"each\", ':', 2)), '')",
            "alias": alias.format('"merged"'),
        },
        # The list of ids says not when; then it is known since it was first seen.
        times={"known_at": 'coalesce("merged_at", "_fivetran_synced")'},
        columns={"alias": "alias", "known_at": "known_at"},
        constants={"source": "hubspot"},
        where=f'"merged" IS NOT NULL AND {_LIVE}',
        own_kind=own_kind,
    )


def _merges(alias: str, own_kind: str = "") -> FileMapping:
    """Return the mapping of the record of merges, under one name of the contact that is gone."""
    return FileMapping(
        table="aliases",
        file="contact_merge_audit",
        ids={"hubspot": "canonical_vid"},
        required=("canonical_vid", "vid_to_merge", "timestamp"),
        derived={"alias": alias.format('"vid_to_merge"')},
        times={"known_at": '"timestamp"'},
        columns={"alias": "alias", "known_at": "known_at"},
        constants={"source": "hubspot"},
        own_kind=own_kind,
    )


_WRITTEN = written("hubspot", "{}")

PEOPLE = (
    *(_CONTACTS, _ENTERED_STAGES, _CONTACT_HISTORY, _STAGE_HISTORY, _VERDICT_HISTORY),
    *(_ADDRESS_HISTORY, _ID_HISTORY, _COMPANY_HISTORY, _ADDRESSES, _FURTHER_ADDRESSES),
    *(_OWN_IDS, _FOREIGN_IDS, *map(_browsers, _CLIENT_IDS)),
    *(_merged_contacts(_WRITTEN), _merged_contacts("{}", "hubspot")),
    *(_merges(_WRITTEN), _merges("{}", "hubspot")),
)
