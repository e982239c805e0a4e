"""The systems whose exports mqlml reads, by the name a config gives."""

from mqlml.sources.mapping import System
from mqlml.sources.vendors.brevo import BREVO
from mqlml.sources.vendors.ga4 import GA4
from mqlml.sources.vendors.hubspot.system import HUBSPOT
from mqlml.sources.vendors.mailchimp import MAILCHIMP
from mqlml.sources.vendors.mailersend import MAILERSEND
from mqlml.sources.vendors.mailjet import MAILJET
from mqlml.sources.vendors.mandrill import MANDRILL
from mqlml.sources.vendors.marketo import MARKETO
from mqlml.sources.vendors.pardot import PARDOT
from mqlml.sources.vendors.postmark import POSTMARK
from mqlml.sources.vendors.resend import RESEND
from mqlml.sources.vendors.salesforce.system import SALESFORCE
from mqlml.sources.vendors.segment import RUDDERSTACK, SEGMENT
from mqlml.sources.vendors.sendgrid import SENDGRID
from mqlml.sources.vendors.snowplow import SNOWPLOW
from mqlml.sources.vendors.sparkpost import SPARKPOST

_KNOWN = (
    *(GA4, HUBSPOT, SALESFORCE, SEGMENT, RUDDERSTACK, SNOWPLOW),
    *(MAILCHIMP, MARKETO, PARDOT),
    *(BREVO, MAILERSEND, MAILJET, MANDRILL, POSTMARK, RESEND, SENDGRID, SPARKPOST),
)
SYSTEMS: dict[str, System] = {one.name: one for one in _KNOWN}
