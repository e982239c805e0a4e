"""Email providers: the bodies of their event webhooks, one a line.

docs/exports/email-webhooks.md tells how to keep the bodies, and what is read of
each provider's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mqlml.sources.mapping import FileMapping, System
from mqlml.sources.row_sql import address, digest, json_of, json_text, renamed, utc_time
from mqlml.tables.sql import quoted

_SAME = ("own_id", "email", "message", "canonical_type", "occurred_at", "page")


@dataclass(frozen=True)
class _Provider:
    """One provider's events: its columns, and SQL for what they tell.

    `is_bot` says where the provider itself takes an opening for a machine's.
    Two events are one if all that could tell them apart is equal.
    """

    name: str
    types: Mapping[str, str]
    type: str
    occurred_at: str
    email: str
    message: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    own_id: str | None = None
    page: str = "NULL"
    campaign: str = "NULL"
    is_bot: str = "NULL"
    body: str | None = None
    where: str | None = None


def _system(provider: _Provider) -> System:
    derived = {
        **({} if provider.body is None else {"body": provider.body}),
        "is_bot": provider.is_bot,
        "occurred_at": provider.occurred_at,
        "message": provider.message,
        "page": provider.page,
        "campaign": provider.campaign,
        "own_id": provider.own_id or "NULL",
        # The columns of the file that are called so are read before they are replaced.
        "canonical_type": renamed(f"({provider.type})", provider.types),
        "email": address(provider.email),
    }
    derived["event_id"] = digest(*map(quoted, _SAME))
    names = ("event_id", "occurred_at", "page", "campaign", "is_bot", "message")
    mapping = FileMapping(
        table="events",
        file="",
        format="webhooks",
        ids={},
        required=provider.required,
        optional=provider.optional,
        derived=derived,
        columns={**{n: n for n in names}, "type": "canonical_type"},
        constants={"source": provider.name, "channel": "email"},
        properties={"message": "text"},
        where=provider.where,
    )
    return System(provider.name, (mapping,), lead_id="email", is_any_id=True)


# https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
_SENDGRID = _Provider(
    name="sendgrid",
    required=("event", "email", "timestamp"),
    optional=("sg_event_id", "sg_message_id", "url", "sg_machine_open", "singlesend_name"),
    type="event",
    types={
        "processed": "email_sent",
        "delivered": "email_delivered",
        "open": "email_opened",
        "click": "email_clicked",
        "bounce": "email_bounced",
        "blocked": "email_bounced",
        "dropped": "email_dropped",
        "deferred": "email_deferred",
        "spamreport": "email_complained",
        "unsubscribe": "email_unsubscribed",
        "group_unsubscribe": "email_unsubscribed",
        "group_resubscribe": "email_resubscribed",
    },
    occurred_at=utc_time('"timestamp"'),
    email="email",
    message="sg_message_id",
    own_id="sg_event_id",
    page="url",
    campaign="singlesend_name",
    is_bot="sg_machine_open",
)

# https://developers.brevo.com/docs/transactional-webhooks
_BREVO = _Provider(
    name="brevo",
    required=("event", "email"),
    optional=("message-id", "ts_epoch", "ts_event", "s_epoch", "link", "camp_id"),
    type="event",
    types={
        "request": "email_sent",
        "sent": "email_sent",
        "delivered": "email_delivered",
        "opened": "email_opened",
        "unique_opened": "email_opened",
        "proxy_open": "email_opened",
        "unique_proxy_open": "email_opened",
        "click": "email_clicked",
        "hard_bounce": "email_bounced",
        "soft_bounce": "email_bounced",
        "invalid_email": "email_bounced",
        "deferred": "email_deferred",
        "blocked": "email_dropped",
        "error": "email_dropped",
        "spam": "email_complained",
        "complaint": "email_complained",
        "unsubscribe": "email_unsubscribed",
        "unsubscribed": "email_unsubscribed",
    },
    # `ts` and `date` are in the zone of the account, which the body does not tell.
    occurred_at="coalesce("
    + utc_time("coalesce(ts_epoch, s_epoch)", per_second=1_000)
    + f", {utc_time('ts_event')})",
    email="email",
    message='"message-id"',
    page="link",
    campaign="camp_id",
    is_bot="CASE WHEN event IN ('proxy_open', 'unique_proxy_open') THEN 'true' END",
)

# https://developers.sparkpost.com/api/webhooks/
_SPARKPOST = _Provider(
    name="sparkpost",
    required=("msys",),
    # A test of the webhook sends an event without content.
    where="msys <> '{}'",
    body=f"json_extract({json_of('msys')}, '$.*')[1]",
    type=json_text("body", "type"),
    types={
        "injection": "email_sent",
        "delivery": "email_delivered",
        "open": "email_opened",
        "initial_open": "email_opened",
        "amp_open": "email_opened",
        "amp_initial_open": "email_opened",
        "click": "email_clicked",
        "amp_click": "email_clicked",
        "bounce": "email_bounced",
        "out_of_band": "email_bounced",
        "delay": "email_deferred",
        "policy_rejection": "email_dropped",
        "generation_rejection": "email_dropped",
        "generation_failure": "email_dropped",
        "spam_complaint": "email_complained",
        "list_unsubscribe": "email_unsubscribed",
        "link_unsubscribe": "email_unsubscribed",
    },
    occurred_at=utc_time(json_text("body", "timestamp")),
    email=f"coalesce({json_text('body', 'rcpt_to')}, {json_text('body', 'raw_rcpt_to')})",
    message=f"coalesce({json_text('body', 'message_id')}, {json_text('body', 'transmission_id')})",
    own_id=json_text("body", "event_id"),
    page=json_text("body", "target_link_url"),
    campaign=json_text("body", "campaign_id"),
)

# https://postmarkapp.com/developer/webhooks/webhooks-overview
_POSTMARK = _Provider(
    name="postmark",
    required=("RecordType",),
    optional=(
        *("MessageID", "Type", "SuppressSending", "SuppressionReason", "Email", "Recipient"),
        *("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt", "OriginalLink", "Tag"),
    ),
    type="""CASE
        WHEN RecordType = 'Bounce' AND Type IN ('Unsubscribe', 'SpamComplaint', 'Subscribe',
            'AutoResponder', 'ChallengeVerification') THEN Type
        WHEN RecordType = 'SubscriptionChange' AND SuppressSending = 'false' THEN 'Subscribe'
        WHEN RecordType = 'SubscriptionChange' AND SuppressionReason = 'ManualSuppression'
            THEN 'Unsubscribe'
        WHEN RecordType = 'SubscriptionChange' THEN coalesce(SuppressionReason, RecordType)
        ELSE RecordType END""",
    types={
        "Delivery": "email_delivered",
        "Open": "email_opened",
        "Click": "email_clicked",
        "Bounce": "email_bounced",
        "HardBounce": "email_bounced",
        "SpamComplaint": "email_complained",
        "Unsubscribe": "email_unsubscribed",
        "Subscribe": "email_resubscribed",
    },
    occurred_at="coalesce(DeliveredAt, BouncedAt, ReceivedAt, ChangedAt)",
    email="coalesce(Recipient, Email)",
    message="MessageID",
    page="OriginalLink",
    campaign="Tag",
)

# https://dev.mailjet.com/email/guides/webhooks/
_MAILJET = _Provider(
    name="mailjet",
    required=("event", "email", "time"),
    optional=("MessageID", "url", "customcampaign"),
    type="event",
    types={
        # Mailjet calls sent what the other side has taken.
        "sent": "email_delivered",
        "open": "email_opened",
        "click": "email_clicked",
        "bounce": "email_bounced",
        "blocked": "email_dropped",
        "spam": "email_complained",
        "unsub": "email_unsubscribed",
    },
    occurred_at=utc_time('"time"'),
    email="email",
    message="MessageID",
    page="url",
    campaign="customcampaign",
)

# https://resend.com/docs/dashboard/webhooks/event-types
_RESEND = _Provider(
    name="resend",
    required=("type", "created_at", "data"),
    type='"type"',
    types={
        "email.sent": "email_sent",
        "email.delivered": "email_delivered",
        "email.opened": "email_opened",
        "email.clicked": "email_clicked",
        "email.bounced": "email_bounced",
        "email.delivery_delayed": "email_deferred",
        "email.failed": "email_dropped",
        "email.suppressed": "email_dropped",
        "email.complained": "email_complained",
    },
    occurred_at="created_at",
    email=json_text("data", "to", 0),
    message=json_text("data", "email_id"),
    page=json_text("data", "click", "link"),
)

# https://developers.mailersend.com/api/v1/webhooks.html
_MAILERSEND = _Provider(
    name="mailersend",
    required=("type", "data"),
    type='"type"',
    types={
        "activity.sent": "email_sent",
        "activity.delivered": "email_delivered",
        "activity.opened": "email_opened",
        "activity.opened_unique": "email_opened",
        "activity.clicked": "email_clicked",
        "activity.clicked_unique": "email_clicked",
        "activity.soft_bounced": "email_bounced",
        "activity.hard_bounced": "email_bounced",
        "activity.deferred": "email_deferred",
        "activity.spam_complaint": "email_complained",
        "activity.unsubscribed": "email_unsubscribed",
    },
    occurred_at=json_text("data", "created_at"),
    email=json_text("data", "email", "recipient", "email"),
    message=json_text("data", "email", "message", "id"),
    page=json_text("data", "morph", "url"),
)

# https://mailchimp.com/developer/transactional/docs/webhooks/
_MANDRILL = _Provider(
    name="mandrill",
    required=("event", "msg", "ts"),
    optional=("_id", "url"),
    # A change of the deny list is no event of a message.
    where="event IS NOT NULL",
    type="event",
    types={
        "send": "email_sent",
        "delivered": "email_delivered",
        "open": "email_opened",
        "click": "email_clicked",
        "hard_bounce": "email_bounced",
        "soft_bounce": "email_bounced",
        "deferral": "email_deferred",
        "reject": "email_dropped",
        "spam": "email_complained",
        "unsub": "email_unsubscribed",
    },
    occurred_at=utc_time("ts"),
    email=json_text("msg", "email"),
    message=f"coalesce(_id, {json_text('msg', '_id')})",
    page="url",
)

_PROVIDERS = (
    *(_SENDGRID, _BREVO, _SPARKPOST, _POSTMARK),
    *(_MAILJET, _RESEND, _MAILERSEND, _MANDRILL),
)
WEBHOOKS = tuple(map(_system, _PROVIDERS))
