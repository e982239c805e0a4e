"""SendGrid: the Event Webhook, whose bodies are lists of events.

Layout: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from mqlml.sources.row_sql import utc_time
from mqlml.sources.vendors.webhooks import Webhook, webhook_system

# Of other events `ip` is that of a mail server.
_IS_READER = "event IN ('open', 'click')"

SENDGRID = webhook_system(
    Webhook(
        name="sendgrid",
        columns=(
            *("event", "email", "timestamp", "sg_event_id", "sg_message_id", "smtp-id", "url"),
            *("useragent", "ip", "sg_machine_open", "singlesend_name", "singlesend_id"),
            *("category", "template_id", "sg_template_id", "type", "subject"),
        ),
        told_by=("event", "email", "sg_event_id"),
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
        message_id='coalesce(sg_message_id, "smtp-id")',
        own_id="sg_event_id",
        url="url",
        user_agent="useragent",
        ip=f"CASE WHEN {_IS_READER} THEN ip END",
        campaign="coalesce(singlesend_name, singlesend_id)",
        subject="subject",
        tags="category",
        template="coalesce(sg_template_id, template_id)",
        bounce_type="CASE WHEN event = 'bounce' THEN \"type\" END",
        is_bot="sg_machine_open",
    )
)
