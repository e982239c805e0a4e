"""The canonical event types: one name per thing a lead does, whatever system saw it.

An event of another type is kept under its own name. docs/events.md says what each means.
"""

EVENT_TYPES = (
    "page_view",
    "form_submit",
    "content_download",
    "webinar_registered",
    "webinar_attended",
    "demo_request",
    "trial_start",
    "email_sent",
    "email_delivered",
    "email_opened",
    "email_clicked",
    "email_replied",
    "email_bounced",
    "email_complained",
    "email_unsubscribed",
    "email_resubscribed",
    "email_deferred",
    "email_dropped",
    "ad_click",
    "social_follow",
    "social_like",
    "social_comment",
    "social_share",
    "social_message",
    "meeting",
    "call",
    "product_signup",
    "product_login",
    "product_use",
    "product_purchase",
)
