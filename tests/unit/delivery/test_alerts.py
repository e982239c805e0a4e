"""Alerts arrive at a real web server and a real mail server, and say no more than they should."""

import pytest
from tests.hook_server import hook_server
from tests.mail_server import mail_server

from mqlml.delivery.alert_mail import Mail, written
from mqlml.delivery.alert_webhook import Webhook
from mqlml.delivery.alerts import Alert, message, tell
from mqlml.delivery.http import sender
from mqlml.monitoring.alert_settings import MailSettings

MARCH_2, FEBRUARY_10 = 1_772_409_600_000_000, 1_770_681_600_000_000
ALERT = Alert(
    key="0123456789ab",
    model="demo & sons",
    version="3",
    as_of=MARCH_2,
    kind="prior",
    act="recalibrate",
    since=FEBRUARY_10,
    columns=("a", "b", "c", "d", "e", "f", "g", "h"),
    proposal="recalibrate",
    cost={"conversions_a_week": 2.5, "hours_a_week": 12.0},
)
TEXT = """\
demo & sons: The conversion rate moved since 2026-02-10.
Columns: a, b, c, d, e, f and 2 more.
What it costs: about 2.5 conversions and 12 hours of sales a week.
What to do: Recalibrate.
Model version 3, as of 2026-03-02.
The page of monitoring shows the evidence."""


@pytest.fixture
def hook():
    with hook_server() as server:
        yield server


@pytest.fixture
def post():
    with mail_server() as server:
        yield server


def mail_to(server, **settings):
    wanted = {"host": "127.0.0.1", "port": server.port, "security": "none", **settings}
    return Mail(MailSettings(sender="mqlml@firm.test", to=("ann@firm.test",), **wanted), 5.0)


def test_an_alert_says_what_since_when_at_what_cost_and_what_to_do():
    assert message(ALERT) == TEXT


def test_a_webhook_gets_figures_for_programs_and_a_key_that_stays(hook):
    way = Webhook(hook.url, sender(5.0, "t0ken"))
    assert (way.send(ALERT).ok, way.send(ALERT).ok) == (True, True)
    (_, headers, body), (_, again, _) = hook.posts
    assert headers["Idempotency-Key"] == again["Idempotency-Key"] == "0123456789ab"
    assert headers["Authorization"] == "Bearer t0ken"
    assert body["text"] == TEXT
    assert (body["as_of"], body["model"]["version"]) == ("2026-03-02T00:00:00Z", "3")
    assert (body["change"]["since"], body["change"]["proposal"]) == (
        "2026-02-10T00:00:00Z",
        "recalibrate",
    )


def test_a_chat_gets_a_text_alone_whose_marks_are_escaped(hook):
    assert Webhook(hook.url, sender(5.0, None), "slack").send(ALERT).ok
    body = hook.posts[0][2]
    assert list(body) == ["text"]
    assert body["text"].startswith("demo &amp; sons: The")


def test_a_busy_server_is_asked_again_after_doubling_pauses_and_a_refusal_is_final(hook):
    hook.answers = [503, 429, 200, 404, 200]
    way, naps = Webhook(hook.url, sender(5.0, None)), []
    assert tell(way, ALERT, tries=3, wait=naps.append).ok
    assert naps == [1.0, 2.0]
    refused = tell(way, ALERT, tries=3, wait=naps.append)
    assert (refused.ok, refused.why, len(naps), len(hook.posts)) == (False, "HTTP 404", 2, 4)


def test_a_server_that_is_not_there_is_told_without_its_address():
    with hook_server() as gone:
        url = gone.url
    taken = Webhook(url, sender(1.0, None)).send(ALERT)
    assert (taken.ok, taken.why, taken.again) == (False, "no answer", True)


def test_a_mail_is_plain_text_with_a_subject_and_an_id_that_stays(post):
    way = mail_to(post)
    assert way.send(ALERT).ok
    (mail,) = post.mails
    assert mail["Subject"] == "[mqlml] demo & sons: The conversion rate moved since 2026-02-10"
    assert (mail["From"], mail["Message-ID"]) == ("mqlml@firm.test", "<0123456789ab@firm.test>")
    assert mail.get_content().splitlines() == TEXT.splitlines()
    assert bytes(written(ALERT, way.settings)) == bytes(written(ALERT, way.settings))


@pytest.mark.parametrize(
    ("refuses", "why", "again"),
    [
        ({"MAIL": "451 later"}, "SMTP 451", True),
        ({"MAIL": "550 never"}, "SMTP 550", False),
        ({"RCPT": "450 greylisted"}, "every address was refused", True),
        ({"RCPT": "550 who is ann@firm.test"}, "every address was refused", False),
    ],
)
def test_a_mail_server_that_refuses_is_told_by_its_code(post, refuses, why, again):
    post.refuses = refuses
    taken = mail_to(post).send(ALERT)
    assert (taken.ok, taken.why, taken.again, post.mails) == (False, why, again, [])


def test_a_mail_is_never_sent_in_the_clear_unless_the_config_says_so(post):
    taken = mail_to(post, security="starttls").send(ALERT)
    assert (taken.ok, post.mails) == (False, [])


def test_a_mail_server_that_is_not_there_is_told_without_its_address():
    with mail_server() as gone:
        way = mail_to(gone)
    taken = way.send(ALERT)
    assert (taken.ok, taken.why) == (False, "no answer (ConnectionRefusedError)")
