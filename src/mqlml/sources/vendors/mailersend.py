"""MailerSend: one activity a body, under `data`.

Layout: https://developers.mailersend.com/api/v1/webhooks.html
"""

from mqlml.sources.row_sql import json_text
from mqlml.sources.vendors.webhooks import Webhook, webhook_system


def _told(*keys: str) -> str:
    return json_text("data", *keys)


MAILERSEND = webhook_system(
    Webhook(
        name="mailersend",
        columns=("type", "data", "webhook_id", "domain_id"),
        told_by=("type", "data", "webhook_id"),
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
        # `morph` is the opening or click itself: told twice, as any and as the first, it is one.
        occurred_at=f"coalesce({_told('morph', 'created_at')}, {_told('created_at')})",
        own_id=f"coalesce({_told('morph', 'id')}, {_told('id')})",
        email=_told("email", "recipient", "email"),
        message_id=_told("email", "message", "id"),
        url=_told("morph", "url"),
        user_agent=_told("morph", "user_agent"),
        ip=_told("morph", "ip"),
        subject=_told("email", "subject"),
        tags=_told("email", "tags"),
        template=f"nullif({_told('template_id')}, '')",
        bounce_type="CASE \"type\" WHEN 'activity.hard_bounced' THEN 'hard'"
        " WHEN 'activity.soft_bounced' THEN 'soft' END",
    )
)
