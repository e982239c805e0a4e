"""Brevo: transactional and marketing webhooks, one event a body.

Layout: https://developers.brevo.com/docs/transactional-webhooks
"""

from mqlml.sources.row_sql import utc_time
from mqlml.sources.vendors.webhooks import Webhook, webhook_system

BREVO = webhook_system(
    Webhook(
        name="brevo",
        columns=(
            *("event", "email", "message-id", "ts_epoch", "s_epoch", "ts_event", "ts_sent"),
            *("link", "URL", "user_agent", "ip", "subject", "tag", "tags", "template_id"),
            *("camp_id", "campaign name"),
        ),
        told_by=("event", "email", "message-id"),
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
        # Milliseconds, seconds; `ts` and `date` are in the account's zone, which no body tells.
        occurred_at="coalesce("
        + utc_time("coalesce(ts_epoch, s_epoch)", per_second=1_000)
        + f", {utc_time('ts_event')})",
        email="email",
        message_id='"message-id"',
        url="coalesce(link, URL)",
        user_agent="user_agent",
        ip="ip",
        campaign='coalesce("campaign name", camp_id)',
        subject="subject",
        tags="coalesce(tags, tag)",
        template="template_id",
        bounce_type="CASE WHEN event IN ('hard_bounce', 'soft_bounce') THEN event END",
        is_bot="CASE WHEN event IN ('proxy_open', 'unique_proxy_open') THEN 'true' END",
    )
)
