"""Salesforce: its objects as a Fivetran connector or Data Loader writes them, and reports as CSV.

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
    is_snake=True,
)
