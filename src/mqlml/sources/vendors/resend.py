"""Resend: one event a body, what it is about under `data`.

Layout: https://resend.com/docs/dashboard/webhooks/event-types
"""

from mqlml.sources.row_sql import json_of, json_text
from mqlml.sources.settings import Refusal
from mqlml.sources.vendors.webhooks import Webhook, webhook_system

_RECIPIENTS = f"TRY(CAST(json_array_length({json_of('data')}, '$.to') AS BIGINT))"

RESEND = webhook_system(
    Webhook(
        name="resend",
        columns=("type", "created_at", "data"),
        refused=(
            Refusal(
                column="lead_id",
                reason="several recipients, and no word on which of them it was",
                remedy="send one message to each recipient",
                sql=f"\"type\" <> 'email.received' AND {_RECIPIENTS} > 1",
            ),
        ),
        told_by=("type", "created_at", "data"),
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
            "email.received": "email_replied",
        },
        occurred_at="created_at",
        # Of what came in the sender is the lead.
        email=f"CASE WHEN \"type\" = 'email.received' THEN {json_text('data', 'from')}"
        f" ELSE {json_text('data', 'to', 0)} END",
        message_id=json_text("data", "email_id"),
        url=json_text("data", "click", "link"),
        user_agent=json_text("data", "click", "userAgent"),
        ip=json_text("data", "click", "ipAddress"),
        campaign=json_text("data", "broadcast_id"),
        subject=f"CASE WHEN \"type\" <> 'email.received' THEN {json_text('data', 'subject')} END",
        tags=json_text("data", "tags"),
        bounce_type=json_text("data", "bounce", "type"),
    )
)
