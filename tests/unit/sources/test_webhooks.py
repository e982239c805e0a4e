"""Bodies of email providers' webhooks, written by hand, through their doors."""

import json
from urllib.parse import quote_plus

import pytest

from mqlml.errors import SchemaError
from mqlml.sources.found_exports import found_exports

NOON = 1_714_564_800  # 2024-05-01T12:00:00Z
ISO = "2024-05-01T12:00:00Z"
AGENT = "Mozilla/5.0 (X11)"
LINK = "https://x.io/demo?utm_source=mail#top"


def sendgrid(event="click", at=NOON, **more):
    told = {"event": event, "email": "Ann@Example.com", "timestamp": at, "sg_message_id": "m1"}
    told |= {"useragent": AGENT, "ip": "1.2.3.4", "url": LINK, "sg_event_id": f"{event}-{at}"}
    return [told | {"singlesend_name": "spring", "subject": "Hello"} | more]


def brevo(event="click", at=NOON * 1000, **more):
    told = {"event": event, "email": "Ann@Example.com", "ts_epoch": at, "message-id": "m1"}
    told |= {"user_agent": AGENT, "ip": "1.2.3.4", "link": LINK}
    return told | {"campaign name": "spring", "subject": "Hello"} | more


def sparkpost(event="click", at=str(NOON), group="track_event", **more):
    told = {"type": event, "rcpt_to": "Ann@Example.com", "timestamp": at, "message_id": "m1"}
    told |= {"user_agent": AGENT, "ip_address": "1.2.3.4", "target_link_url": LINK}
    return [{"msys": {group: told | {"campaign_id": "spring", "subject": "Hello"} | more}}]


def postmark(event="Click", at=ISO, **more):
    told = {"RecordType": event, "Recipient": "Ann@Example.com", "ReceivedAt": at}
    told |= {"MessageID": "m1", "UserAgent": AGENT, "Geo": {"IP": "1.2.3.4"}}
    return told | {"OriginalLink": LINK, "Tag": "spring", "Subject": "Hello"} | more


def mailjet(event="click", at=NOON, **more):
    told = {"event": event, "email": "Ann@Example.com", "time": at, "MessageID": "m1"}
    return told | {"agent": AGENT, "ip": "1.2.3.4", "url": LINK, "customcampaign": "spring"} | more


def resend(event="email.clicked", at=ISO, **more):
    click = {"link": LINK, "userAgent": AGENT, "ipAddress": "1.2.3.4", "timestamp": at}
    data = {"email_id": "m1", "to": ["Ann <Ann@Example.com>"], "subject": "Hello", "click": click}
    return {"type": event, "created_at": at, "data": data | {"broadcast_id": "spring"} | more}


def mailersend(event="activity.clicked", at=ISO, morph=None, **more):
    person = {"message": {"id": "m1"}, "recipient": {"email": "Ann@Example.com"}}
    clicked = {"ip": "1.2.3.4", "url": LINK, "user_agent": AGENT} if morph is None else morph
    data = {"id": "1", "created_at": at, "email": person | {"subject": "Hello"}, "morph": clicked}
    return {"type": event, "webhook_id": "w1", "data": data | more}


def mandrill(event="click", at=NOON, **more):
    msg = {"email": "Ann@Example.com", "subject": "Hello", "_id": "m1"}
    told = {"event": event, "ts": at, "_id": "m1", "url": LINK, "ip": "1.2.3.4"}
    return [told | {"user_agent": AGENT, "msg": msg} | more]


PROVIDERS = {
    "sendgrid": sendgrid,
    "brevo": brevo,
    "sparkpost": sparkpost,
    "postmark": postmark,
    "mailjet": mailjet,
    "resend": resend,
    "mailersend": mailersend,
    "mandrill": mandrill,
}


@pytest.fixture
def through(read):
    def bodies_of(system, *bodies, **export):
        lines = (one if isinstance(one, str) else json.dumps(one) for one in bodies)
        files = {f"{system}/bodies.json": "\n".join(lines) + "\n"}
        return read(files, exports=[{"system": system, "folder": system, **export}])

    return bodies_of


@pytest.mark.parametrize("system", PROVIDERS)
def test_a_click_keeps_its_person_time_message_link_browser_and_address(through, system):
    (row,) = through(system, PROVIDERS[system]()).rows("events")
    assert (row["type"], row["source"], row["channel"]) == ("email_clicked", system, "email")
    assert row["lead_id"] == "ann@example.com"
    assert row["occurred_at"].isoformat() == "2024-05-01T12:00:00+00:00"
    assert (row["message_id"], row["user_agent"], row["ip"]) == ("m1", AGENT, "1.2.3.4")
    assert (row["url"], row["page"]) == (LINK, "https://x.io/demo")
    has_campaign = system not in {"mailersend", "mandrill"}
    assert row["campaign"] == ("spring" if has_campaign else None)
    assert row["subject"] == (None if system == "mailjet" else "Hello")


TYPES = {
    "sendgrid": {
        "processed": "email_sent",
        "delivered": "email_delivered",
        "open": "email_opened",
        "bounce": "email_bounced",
        "dropped": "email_dropped",
        "deferred": "email_deferred",
        "spamreport": "email_complained",
        "group_unsubscribe": "email_unsubscribed",
        "group_resubscribe": "email_resubscribed",
        "account_status_change": "account_status_change",
    },
    "brevo": {
        "request": "email_sent",
        "delivered": "email_delivered",
        "unique_opened": "email_opened",
        "soft_bounce": "email_bounced",
        "blocked": "email_dropped",
        "deferred": "email_deferred",
        "spam": "email_complained",
        "unsubscribed": "email_unsubscribed",
        "list_addition": "list_addition",
    },
    "sparkpost": {
        "injection": "email_sent",
        "delivery": "email_delivered",
        "open": "email_opened",
        "initial_open": "initial_open",
        "out_of_band": "email_bounced",
        "policy_rejection": "email_dropped",
        "delay": "email_deferred",
        "spam_complaint": "email_complained",
        "link_unsubscribe": "email_unsubscribed",
    },
    "postmark": {
        "Delivery": "email_delivered",
        "Open": "email_opened",
        "Bounce": "email_bounced",
        "SpamComplaint": "email_complained",
    },
    "mailjet": {
        "sent": "email_delivered",
        "open": "email_opened",
        "bounce": "email_bounced",
        "blocked": "email_dropped",
        "spam": "email_complained",
        "unsub": "email_unsubscribed",
    },
    "resend": {
        "email.sent": "email_sent",
        "email.delivered": "email_delivered",
        "email.opened": "email_opened",
        "email.bounced": "email_bounced",
        "email.suppressed": "email_dropped",
        "email.delivery_delayed": "email_deferred",
        "email.complained": "email_complained",
        "contact.created": "contact.created",
    },
    "mailersend": {
        "activity.sent": "email_sent",
        "activity.delivered": "email_delivered",
        "activity.opened_unique": "email_opened",
        "activity.hard_bounced": "email_bounced",
        "activity.deferred": "email_deferred",
        "activity.spam_complaint": "email_complained",
        "activity.unsubscribed": "email_unsubscribed",
        "activity.survey_opened": "activity.survey_opened",
    },
    "mandrill": {
        "send": "email_sent",
        "delivered": "email_delivered",
        "open": "email_opened",
        "soft_bounce": "email_bounced",
        "reject": "email_dropped",
        "deferral": "email_deferred",
        "spam": "email_complained",
        "unsub": "email_unsubscribed",
    },
}


@pytest.mark.parametrize("system", PROVIDERS)
def test_each_type_gets_its_canonical_name_and_others_keep_theirs(through, system):
    own = TYPES[system]
    done = through(system, *(PROVIDERS[system](event) for event in own))
    assert done.column("events", "type") == list(own.values())
    assert done.count("events") == (len(own), len(own), 0, 0, 0)


@pytest.mark.parametrize("system", PROVIDERS)
def test_a_body_delivered_twice_is_one_event(through, system):
    body = PROVIDERS[system]()
    done = through(system, body, PROVIDERS[system](at=later(body)), body)
    assert done.count("events") == (3, 2, 1, 0, 0)


def test_each_providers_bodies_are_told_apart_in_a_folder(tmp_path):
    for system, body in PROVIDERS.items():
        (tmp_path / system).mkdir()
        (tmp_path / system / "day.json").write_text(json.dumps(body()) + "\n")
    posted = f"mandrill_events={quote_plus(json.dumps(mandrill()))}\n"
    (tmp_path / "mandrill" / "day.json").write_text(posted)
    found, rest = found_exports(tmp_path)
    assert {one.system.name: one.folder.name for one in found} == {n: n for n in PROVIDERS}
    assert rest == ()
    assert all("email_clicked" in one.event_types for one in found)


def later(body):
    """Return the time of one second later in the unit of the body."""
    if str(NOON * 1000) in json.dumps(body):
        return (NOON + 1) * 1000
    return "2024-05-01T12:00:01Z" if ISO in json.dumps(body) else NOON + 1


@pytest.mark.parametrize("system", PROVIDERS)
def test_a_body_without_content_is_a_test_of_the_webhook_counted_and_left_out(through, system):
    done = through(system, PROVIDERS[system](), "[]", "{}", "[{}]")
    assert done.count("events") == (4, 1, 0, 0, 3)


def test_sparkposts_own_ping_is_left_out_and_an_object_of_another_kind_is_not(through):
    ping, foreign = [{"msys": {}}], {"event": "open"}
    done = through("sparkpost", sparkpost(), ping, foreign, [{"msys": [1]}], [{"msys": "text"}])
    assert done.count("events") == (5, 1, 0, 3, 1)
    assert sorted(done.reasons) == [
        "lead_id is missing",
        "msys holds no event",
        "msys holds no event",
    ]


def test_many_events_of_one_body_are_events_each(through):
    body = [*sendgrid("open"), *sendgrid("click"), *sendgrid("click", at=NOON + 1)]
    done = through("sendgrid", body)
    assert done.column("events", "type") == ["email_opened", "email_clicked", "email_clicked"]


def test_mandrills_bodies_may_lie_as_forms_as_they_were_posted(through):
    posted = "mandrill_events=" + quote_plus(json.dumps([*mandrill("open"), *mandrill("click")]))
    done = through("mandrill", posted, "mandrill_events=%5B%5D", mandrill("send"))
    assert done.column("events", "type") == ["email_opened", "email_clicked", "email_sent"]
    assert done.count("events") == (4, 3, 0, 0, 1)


def test_a_form_that_holds_no_json_is_a_broken_line_kept_whole(through):
    done = through("mandrill", *mandrill("open"), *mandrill("send"), "mandrill_events=%5Bhalf")
    (refused,) = done.rows("quarantine")
    assert (refused["line"], json.loads(refused["raw"])) == (3, "mandrill_events=%5Bhalf")


def test_mandrills_changes_of_its_lists_are_no_events_of_a_message(through):
    change = [{"type": "blacklist", "action": "add", "reject": {"email": "ann@example.com"}}]
    assert through("mandrill", mandrill(), change).count("events") == (2, 1, 0, 0, 1)


def test_sendgrids_address_of_its_own_server_is_nobodys(through):
    done = through("sendgrid", sendgrid("delivered"), sendgrid("open"))
    assert done.column("events", "ip") == [None, "1.2.3.4"]


def test_openings_that_the_provider_takes_for_a_machines_are_marked(through):
    apple = sendgrid("open", sg_machine_open=True)
    done = through("sendgrid", apple, sendgrid("open", at=NOON + 1, sg_machine_open=False))
    assert done.column("events", "is_bot") == [True, False]
    done = through("brevo", brevo("proxy_open"), brevo("opened", at=(NOON + 1) * 1000))
    assert done.column("events", "is_bot") == [True, None]


def test_brevos_first_opening_told_beside_the_opening_is_one_event(through):
    done = through("brevo", brevo("unique_opened"), brevo("opened"))
    assert done.count("events") == (2, 1, 1, 0, 0)


def test_mailersends_first_opening_told_beside_the_opening_is_one_event(through):
    opening = {"id": "o1", "created_at": ISO, "ip": "1.2.3.4"}
    first = mailersend("activity.opened_unique", morph=opening, id="7", created_at=None)
    any_of = mailersend("activity.opened", morph=opening, id="8", created_at="2024-05-01T12:01Z")
    assert through("mailersend", first, any_of).count("events") == (2, 1, 1, 0, 0)


@pytest.mark.parametrize(
    ("system", "body"),
    [
        ("sendgrid", sendgrid(at=NOON * 1000)),
        ("brevo", brevo(at=NOON)),
        ("sparkpost", sparkpost(at=str(NOON * 1000))),
        ("mailjet", mailjet(at=NOON * 1000)),
        ("mandrill", mandrill(at=NOON * 1000)),
    ],
)
def test_seconds_where_the_provider_sends_milliseconds_are_refused_and_the_reverse(
    through, system, body
):
    good = PROVIDERS[system]()
    done = through(system, good, body)
    assert done.count("events") == (2, 1, 0, 1, 0)
    (reason,) = done.reasons
    assert reason in {"occurred_at is not a time", "occurred_at lies before 1990-01-01"}


def test_brevo_falls_back_to_the_seconds_of_the_event_and_the_proxys_own_time(through):
    done = through(
        "brevo",
        brevo(at=None, ts_event=NOON, date="2024-05-01 14:00:00"),
        brevo("proxy_open", at=None, s_epoch=NOON * 1000),
    )
    assert set(done.column("events", "occurred_at")) == {"2024-05-01T12:00:00+00:00"}


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"Type": "HardBounce"}, "email_bounced"),
        ({"Type": "SpamComplaint"}, "email_complained"),
        ({"Type": "Unsubscribe"}, "email_unsubscribed"),
        ({"Type": "AutoResponder"}, "AutoResponder"),
    ],
)
def test_postmarks_bounces_are_what_their_type_says(through, more, kind):
    body = postmark("Bounce", BouncedAt=ISO, ReceivedAt=None, Recipient=None, Email="a@b.io")
    done = through("postmark", body | more)
    assert done.column("events", "type") == [kind]
    assert done.column("events", "bounce_type") == [more["Type"]]


@pytest.mark.parametrize(
    ("suppress", "reason", "kind"),
    [
        (True, "ManualSuppression", "email_unsubscribed"),
        (False, None, "email_resubscribed"),
        # Postmark tells the bounce itself in a body of its own.
        (True, "HardBounce", "SubscriptionChange"),
    ],
)
def test_postmarks_changes_of_subscription_are_wishes_of_the_person(
    through, suppress, reason, kind
):
    body = postmark("SubscriptionChange", SuppressSending=suppress, SuppressionReason=reason)
    assert through("postmark", body).column("events", "type") == [kind]


def test_replies_belong_to_who_wrote_them_and_their_text_to_nobody(through):
    at = "Wed, 1 May 2024 14:00:00 +0200 (CEST)"
    sender = {"FromFull": {"Email": "Ann@Example.com"}, "From": "Ann", "Date": at}
    reply = postmark("Inbound", at=None, Recipient="us@x.io") | sender
    replied = [
        through("postmark", reply),
        through("resend", resend("email.received") | {"data": resend_reply()}),
        through("mandrill", mandrill("inbound", msg={"from_email": "Ann@Example.com"})),
    ]
    for done in replied:
        (row,) = done.rows("events")
        assert (row["type"], row["lead_id"]) == ("email_replied", "ann@example.com")
        assert row["occurred_at"].isoformat() == "2024-05-01T12:00:00+00:00"
        assert row["subject"] is None


def resend_reply():
    return {"email_id": "m1", "from": "Ann <Ann@Example.com>", "to": ["us@x.io", "b@x.io"]}


def test_resends_message_to_many_is_nobodys_event(through):
    done = through("resend", resend(), resend(to=["a@x.io", "b@x.io"]))
    assert done.reasons == ["several recipients, and no word on which of them it was"]


def test_the_lead_may_be_named_by_a_key_that_was_sent_along_else_it_is_the_address(through):
    own = sendgrid("open", crm_id="a")
    done = through("sendgrid", own, sendgrid(), lead_id="crm_id")
    assert done.column("events", "lead_id") == ["a", "email:ann@example.com"]
    body = postmark() | {"Metadata": {"crm": "b"}}
    assert through("postmark", body, lead_id="Metadata.crm").column("events", "lead_id") == ["b"]


def test_where_leads_are_another_systems_an_address_is_written_as_one(through):
    done = through("sendgrid", sendgrid(), master=False)
    assert done.column("events", "lead_id") == ["email:ann@example.com"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"email": ["ann@example.com"]}, "email is not an address"),
        ({"email": {"a": 1}}, "email is not an address"),
        ({"email": "ann"}, "email is not an address"),
        ({"email": None}, "lead_id is missing"),
        ({"event": ["open"]}, "type is not a name"),
        ({"event": None}, "type is missing"),
        ({"timestamp": [NOON]}, "occurred_at is not a time"),
        ({"timestamp": {"s": NOON}}, "occurred_at is not a time"),
    ],
)
def test_values_of_the_wrong_kind_go_to_quarantine_with_their_reason(through, more, reason):
    done = through("sendgrid", sendgrid(), sendgrid(at=NOON + 1), sendgrid(**more))
    assert done.count("events") == (3, 2, 0, 1, 0)
    assert done.reasons == [reason]


SENDGRID = [{"system": "sendgrid", "folder": "hooks"}]


@pytest.mark.parametrize(
    ("content", "rows", "reasons"),
    [
        (json.dumps(sendgrid(at="noon")), 1, ["occurred_at is not a time"]),
        (
            "<html>502 Bad Gateway</html>",
            1,
            ["not JSON: Expecting value: line 1 column 1 (char 0)"],
        ),
        ("", 0, []),
    ],
)
def test_a_bad_file_of_one_body_is_quarantined_alone_and_the_others_are_read(
    read, content, rows, reasons
):
    good = json.dumps(sendgrid())
    done = read({"hooks/1.json": good, "hooks/2.json": content}, exports=SENDGRID)
    assert done.count("events") == (1 + rows, 1, 0, rows, 0)
    assert done.reasons == reasons
    assert all(count.is_balanced for count in done.ingested.counts)


def test_a_file_of_many_bodies_whose_times_are_all_unreadable_is_refused_aloud(read):
    bodies = [json.dumps(sendgrid(at=f"noon {n}")) for n in range(10)]
    with pytest.raises(SchemaError, match="most values of occurred_at are not a time"):
        read({"hooks/1.json": "\n".join(bodies)}, exports=SENDGRID)
    done = read({"hooks/1.json": "\n".join(bodies[:9])}, exports=SENDGRID)
    assert done.count("events") == (9, 0, 0, 9, 0)


def test_a_body_nested_without_end_is_quarantined_whole(through):
    deep = json.dumps(sendgrid()[0])[:-1] + ', "more": ' + "[" * 10_000 + "]" * 10_000 + "}"
    done = through("sendgrid", sendgrid(), deep, f"[{deep}]", sendgrid("open"))
    assert done.count("events") == (4, 2, 0, 2, 0)
    raws = [json.loads(row["raw"]) for row in done.rows("quarantine")]
    assert raws == [deep, f"[{deep}]"]


def test_a_field_of_50_megabytes_is_read_like_any_other(through):
    long = "x" * 50_000_000
    done = through("sendgrid", sendgrid(url="https://x.io/" + long), sendgrid("open"))
    assert done.count("events") == (2, 2, 0, 0, 0)
    assert max(map(len, done.column("events", "url"))) == 50_000_013
