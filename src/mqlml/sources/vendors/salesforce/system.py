"""Salesforce: the objects in the layout of a Fivetran connector, and reports saved as CSV.

Layout: https://fivetran.com/docs/connectors/applications/salesforce, read in
docs/exports/salesforce.md. Times of the objects are UTC without an offset.
"""

from mqlml.sources.mapping import System
from mqlml.sources.vendors.salesforce.activity import ACTIVITY
from mqlml.sources.vendors.salesforce.history import HISTORY
from mqlml.sources.vendors.salesforce.opportunities import OPPORTUNITIES
from mqlml.sources.vendors.salesforce.people import PEOPLE
from mqlml.sources.vendors.salesforce.reports import REPORTS

SALESFORCE = System(
    "salesforce",
    (*PEOPLE, *HISTORY, *OPPORTUNITIES, *ACTIVITY, *REPORTS),
    lead_id="salesforce",
    prefixes=("sf_",),
)
