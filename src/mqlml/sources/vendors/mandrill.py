"""Mandrill (Mailchimp Transactional): lists of events, posted as a form's `mandrill_events`.

Layout: https://mailchimp.com/developer/transactional/docs/webhooks/
"""

from mqlml.sources.row_sql import json_text, utc_time
from mqlml.sources.vendors.webhooks import Webhook, webhook_system

MANDRILL = webhook_system(
    Webhook(
        name="mandrill",
        columns=("event", "msg", "ts", "_id", "url", "ip", "user_agent", "type"),
        # A change of the lists of refused and allowed addresses is no event of a message.
        where="\"type\" IS NULL OR \"type\" NOT IN ('blacklist', 'whitelist')",
        told_by=("event", "msg", "ts"),
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
            "inbound": "email_replied",
        },
        occurred_at=utc_time("ts"),
        # Of what came in the sender is the lead, and `email` the address it came to.
        email=f"CASE event WHEN 'inbound' THEN {json_text('msg', 'from_email')}"
        f" ELSE {json_text('msg', 'email')} END",
        message_id=f"coalesce(_id, {json_text('msg', '_id')})",
        url="url",
        user_agent="user_agent",
        ip="ip",
        subject=f"CASE WHEN event <> 'inbound' THEN {json_text('msg', 'subject')} END",
        tags=json_text("msg", "tags"),
        template=json_text("msg", "template"),
        bounce_type=json_text("msg", "bounce_description"),
    )
)
