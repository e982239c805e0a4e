"""Roles and what each may do; light, since the command line needs them for its help."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is to the page."""

    REP = "rep"
    MARKETING = "marketing"
    SALES_LEAD = "sales-lead"
    ADMIN = "admin"


JUDGES = frozenset({Role.REP, Role.SALES_LEAD})
READERS = frozenset({Role.MARKETING, Role.SALES_LEAD, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
EVERYONE = frozenset(Role)
