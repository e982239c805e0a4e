"""SparkPost: lists of events, each the one value of the object under `msys`.

Layout: https://developers.sparkpost.com/api/webhooks/
"""

from mqlml.sources.row_sql import json_of, json_text, utc_time
from mqlml.sources.settings import Refusal
from mqlml.sources.vendors.webhooks import Webhook, webhook_system


def _told(key: str) -> str:
    return json_text("body", key)


SPARKPOST = webhook_system(
    Webhook(
        name="sparkpost",
        columns=("msys",),
        # A test of the webhook sends an event without content.
        where="msys IS DISTINCT FROM '{}'",
        body=f"json_extract({json_of('msys')}, '$.*')[1]",
        refused=(
            Refusal(
                column="msys",
                reason="msys holds no event",
                remedy="keep the body as the provider sent it",
                sql="msys IS NOT NULL AND body IS NULL",
            ),
        ),
        told_by=("msys",),
        type=_told("type"),
        types={
            "injection": "email_sent",
            "delivery": "email_delivered",
            # `initial_open` and `amp_initial_open` come beside these for the same opening.
            "open": "email_opened",
            "amp_open": "email_opened",
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
        occurred_at=utc_time(_told("timestamp")),
        email=f"coalesce({_told('rcpt_to')}, {_told('raw_rcpt_to')})",
        message_id=f"coalesce({_told('message_id')}, {_told('transmission_id')})",
        own_id=_told("event_id"),
        url=_told("target_link_url"),
        user_agent=_told("user_agent"),
        ip=_told("ip_address"),
        campaign=_told("campaign_id"),
        subject=_told("subject"),
        tags=_told("rcpt_tags"),
        template=_told("template_id"),
        bounce_type=_told("bounce_class"),
    )
)
