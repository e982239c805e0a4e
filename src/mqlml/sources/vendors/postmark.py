"""Postmark: webhooks for deliveries, bounces, openings, clicks, subscriptions and replies.

Layout: https://postmarkapp.com/developer/webhooks/webhooks-overview
"""

from mqlml.sources.row_sql import json_text
from mqlml.sources.vendors.webhooks import Webhook, webhook_system
from mqlml.tables.sql import literal

# A bounce may be a complaint or a wish. A change of subscription because of a bounce or a
# complaint keeps its own name: the bounce or complaint comes as an event of its own.
_TYPE = """CASE
    WHEN RecordType = 'Bounce' AND "Type" IN ('Unsubscribe', 'SpamComplaint', 'Subscribe',
        'AutoResponder', 'ChallengeVerification') THEN "Type"
    WHEN RecordType = 'SubscriptionChange' AND SuppressSending = 'false' THEN 'Subscribe'
    WHEN RecordType = 'SubscriptionChange' AND SuppressionReason = 'ManualSuppression'
        THEN 'Unsubscribe'
    ELSE RecordType END"""
_MAIL_DATE = literal("%a, %d %b %Y %H:%M:%S %z")
_REPLIED_AT = (
    f"CAST(try_strptime(regexp_replace(\"Date\", ' \\(.*$', ''), {_MAIL_DATE}) AS VARCHAR)"
)

POSTMARK = webhook_system(
    Webhook(
        name="postmark",
        columns=(
            *("RecordType", "MessageID", "Type", "SuppressSending", "SuppressionReason", "Email"),
            *("Recipient", "DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt", "OriginalLink"),
            *("Tag", "Subject", "UserAgent", "Geo", "FromFull", "From", "Date", "ID"),
        ),
        told_by=("RecordType", "MessageID"),
        type=_TYPE,
        types={
            "Delivery": "email_delivered",
            "Open": "email_opened",
            "Click": "email_clicked",
            "Bounce": "email_bounced",
            "SpamComplaint": "email_complained",
            "Unsubscribe": "email_unsubscribed",
            "Subscribe": "email_resubscribed",
            "Inbound": "email_replied",
        },
        occurred_at="coalesce(DeliveredAt, BouncedAt, ReceivedAt, ChangedAt,"
        f" CASE WHEN RecordType = 'Inbound' THEN coalesce({_REPLIED_AT}, \"Date\") END)",
        # Of what came in the sender is the lead; elsewhere `From` is one of ours.
        email="CASE WHEN RecordType = 'Inbound' THEN coalesce("
        + json_text("FromFull", "Email")
        + ', "From") ELSE coalesce(Recipient, Email) END',
        message_id="MessageID",
        own_id="ID",
        url="OriginalLink",
        user_agent="UserAgent",
        ip=json_text("Geo", "IP"),
        campaign="Tag",
        # What people write in a reply is theirs.
        subject="CASE WHEN RecordType <> 'Inbound' THEN Subject END",
        bounce_type="CASE WHEN RecordType = 'Bounce' THEN \"Type\" END",
    )
)
