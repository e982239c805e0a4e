"""Email providers' webhooks: what a provider's file declares, as the mapping of its events.

The bodies are kept one a line. docs/exports/email-webhooks.md tells how, and what is
read of each provider's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from mqlml.sources.mapping import FileMapping, System
from mqlml.sources.row_sql import address, digest, is_no_address, is_no_word, renamed, without_query
from mqlml.sources.settings import Refusal
from mqlml.tables.sql import literal, quoted

_TOLD = ("own_id", "kind", "occurred_at", "message_id", "url", "ip", "user_agent")
_PROPERTIES = (
    *("message_id", "url", "user_agent", "ip", "subject", "tags", "template", "bounce_type"),
)


@dataclass(frozen=True)
class Webhook:
    """One provider's events: the columns of its bodies, and SQL for what they tell.

    Bodies are taken for the provider's by the `told_by` columns. `types` gives its
    event types their canonical names. `ip` and `user_agent` are the reader's, not the
    mail server's. `is_bot` says where the provider itself takes an opening for a
    machine's. Bodies are `where` they are events at all, `refused` where they cannot be
    read. `body` is SQL for a column `body`, of which the others may speak.
    """

    name: str
    types: Mapping[str, str]
    columns: Sequence[str]
    told_by: tuple[str, ...]
    type: str
    occurred_at: str
    email: str
    message_id: str
    own_id: str = "NULL"
    url: str = "NULL"
    user_agent: str = "NULL"
    ip: str = "NULL"
    campaign: str = "NULL"
    subject: str = "NULL"
    tags: str = "NULL"
    template: str = "NULL"
    bounce_type: str = "NULL"
    is_bot: str = "NULL"
    body: str = "NULL"
    where: str = "true"
    refused: Sequence[Refusal] = ()


def webhook_system(one: Webhook) -> System:
    """Return the provider as a system whose folder holds nothing but bodies.

    Two bodies are one event if all that could tell events apart is equal.
    """
    names = ("type", *_TOLD, *_PROPERTIES, "campaign", "is_bot")
    derived = {"body": one.body}
    derived |= {_own(name): getattr(one, name) for name in names if name != "kind"}
    derived[_own("kind")] = renamed(quoted(_own("type")), one.types)
    derived[_own("page")] = without_query(quoted(_own("url")))
    # The columns of the body were read; from here on `email` is the address alone.
    derived["email"] = address(one.email)
    derived["event_id"] = digest(literal(one.name), '"email"', *(quoted(_own(n)) for n in _TOLD))
    own = ("type", "occurred_at", "campaign", "page", "is_bot", *_PROPERTIES)
    mapping = FileMapping(
        table="events",
        file="",
        format="webhooks",
        ids={"email": "email"},
        required=(),
        told_by=one.told_by,
        optional=("empty_body", *one.columns),
        derived=derived,
        columns={"event_id": "event_id", **{name: _own(name) for name in own}},
        constants={"source": one.name, "channel": "email"},
        values={"type": dict(one.types)},
        properties=MappingProxyType(dict.fromkeys(_PROPERTIES, "text")),
        # A body without content is a test of the webhook.
        where=f"empty_body IS NULL AND ({one.where})",
        refused=(*one.refused, *_REFUSED),
    )
    return System(one.name, (mapping,), lead_id="email", is_any_id=True)


def _own(name: str) -> str:
    """Return a name that no key of a body has: their names do not begin like this."""
    return f"__mail_{name}"


_REFUSED = (
    Refusal(
        column="type",
        reason="type is not a name",
        remedy="keep the body as the provider sent it",
        sql=is_no_word(quoted(_own("type"))),
    ),
    Refusal(
        column="lead_id",
        reason="email is not an address",
        remedy="keep the body as the provider sent it",
        sql=is_no_address('"email"'),
    ),
)
