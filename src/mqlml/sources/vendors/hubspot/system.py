"""HubSpot: the tables of a Fivetran connector, and files exported from its screens.

Layout: https://fivetran.com/docs/connectors/applications/hubspot, read in
docs/exports/hubspot.md. Times of the tables are UTC without an offset.
"""

from mqlml.sources.mapping import System
from mqlml.sources.vendors.hubspot.activity import ACTIVITY
from mqlml.sources.vendors.hubspot.deals import DEALS
from mqlml.sources.vendors.hubspot.email import EMAIL
from mqlml.sources.vendors.hubspot.people import PEOPLE
from mqlml.sources.vendors.hubspot.screens import SCREENS

HUBSPOT = System("hubspot", (*PEOPLE, *EMAIL, *ACTIVITY, *DEALS, *SCREENS), lead_id="hubspot")
