"""Marketo: leads and the activities' tables, in the layout of a Fivetran connector.

Layout: https://fivetran.com/docs/connectors/applications/marketo, read in
docs/exports/marketo.md. Times are UTC.
"""

from collections.abc import Mapping
from types import MappingProxyType

from mqlml.sources.mapping import FileMapping, System
from mqlml.sources.row_sql import address, without_query
from mqlml.tables.sql import literal

_MAIL: Mapping[str, str] = MappingProxyType(
    {
        "campaign": "campaign_id",
        "message_id": "email_template_id",
        "subject": "primary_attribute_value",
        "user_agent": "user_agent",
        "device": "device",
    }
)
