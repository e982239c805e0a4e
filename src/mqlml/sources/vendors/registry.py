"""The systems whose exports mqlml reads, by the name a config gives."""

from mqlml.sources.mapping import System
from mqlml.sources.vendors.ga4 import GA4
from mqlml.sources.vendors.hubspot.system import HUBSPOT

SYSTEMS: dict[str, System] = {one.name: one for one in (GA4, HUBSPOT)}
