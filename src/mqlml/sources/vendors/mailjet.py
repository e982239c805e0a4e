"""Mailjet: the Event API, with one event a body or, grouped, a list of them.

Layout: https://dev.mailjet.com/email/guides/webhooks/
"""

from mqlml.sources.row_sql import utc_time
from mqlml.sources.vendors.webhooks import Webhook, webhook_system

MAILJET = webhook_system(
    Webhook(
        name="mailjet",
        columns=(
            *("event", "email", "time", "MessageID", "mj_message_id", "url", "agent", "ip"),
            *("customcampaign", "mj_campaign_id", "hard_bounce"),
        ),
        told_by=("event", "time", "MessageID"),
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
        message_id="coalesce(MessageID, mj_message_id)",
        url="url",
        user_agent="agent",
        ip="ip",
        campaign="coalesce(customcampaign, nullif(mj_campaign_id, '0'))",
        bounce_type="CASE hard_bounce WHEN 'true' THEN 'hard' WHEN 'false' THEN 'soft' END",
    )
)
