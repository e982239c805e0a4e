"""A change is told once by every way, whoever is down or killed meanwhile."""

import os
import signal

import pytest
from tests.hook_server import hook_server
from tests.mail_server import mail_server

from mqlml.cli.main import run
from mqlml.storage.ledger import read_entries
from mqlml.workflows import alerting

DAY, WEEK_LATER = "2025-12-02", "2025-12-09"


@pytest.fixture
def hook():
    with hook_server() as server:
        yield server


@pytest.fixture
def post():
    with mail_server() as server:
        yield server


@pytest.fixture
def edited(company, hook, post, monkeypatch):
    """Return a config whose criteria were edited by hand, which is an alarm, and two ways."""
    monkeypatch.setenv("CHAT_URL", hook.url)
    text = company.read_text(encoding="utf-8").replace("('Steel', 'Software')", "('Steel')")
    text += f"""\
monitoring:
  alerts:
    webhook: {{url_env: CHAT_URL}}
    email:
      host: 127.0.0.1
      port: {post.port}
      security: none
      sender: mqlml@firm.test
      to: [ann@firm.test, bo@firm.test]
    tries: 1
"""
    path = company.parent / "alerts.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def words(edited, workspace):
    return ("--config", edited, "--workspace", workspace, "--json")


def test_a_change_is_told_once_by_each_way_and_not_again_next_week(mqlml, words, hook, post):
    first = mqlml("monitor", *words, "--as-of", DAY)
    assert (first.code, first.document["alerting"]) == (10, {"sent": 2, "waiting": []})
    assert hook.posts[0][2]["change"]["kind"] == "definition"
    assert [mail["To"] for mail in post.mails] == ["ann@firm.test, bo@firm.test"]
    assert post.recipients == ["ann@firm.test", "bo@firm.test"]
    # The same look tells programs the same news again; people were told.
    again = mqlml("monitor", *words, "--as-of", DAY)
    assert (again.code, again.document["alerting"]["sent"]) == (10, 0)
    later = mqlml("monitor", *words, "--as-of", WEEK_LATER)
    assert (later.code, later.document["alerting"]["sent"]) == (0, 0)
    assert (len(hook.posts), len(post.mails)) == (1, 1)
    (told,) = mqlml("alerts", *words).document["alerts"]
    assert told == {
        "as_of": "2025-12-02T00:00:00Z",
        "kind": "definition",
        "sent": ["webhook", "email"],
        "waiting": [],
    }


def test_a_server_that_is_down_delays_its_alert_and_not_the_look(
    mqlml, words, hook, post, monkeypatch
):
    hook.answers = [503]
    post.refuses = {"MAIL": "451 later"}
    first = mqlml("monitor", *words, "--as-of", DAY)
    assert first.code == 10
    waits = ["definition by webhook: HTTP 503", "definition by email: SMTP 451"]
    assert first.document["alerting"] == {"sent": 0, "waiting": waits}
    monkeypatch.delenv("CHAT_URL")
    post.refuses = {}
    later = mqlml("monitor", *words, "--as-of", WEEK_LATER).document["alerting"]
    unset = "definition by webhook: the environment variable is not set: CHAT_URL"
    assert later == {"sent": 1, "waiting": [unset]}
    monkeypatch.setenv("CHAT_URL", hook.url)
    assert mqlml("alerts", *words).document["sent"] == 1
    assert ([status for status, _, _ in hook.posts], len(post.mails)) == ([503, 200], 1)
    # What waited is the alert that it was, under the key that it had.
    keys = {headers["Idempotency-Key"] for _, headers, _ in hook.posts}
    assert (len(keys), hook.posts[1][2]["as_of"]) == (1, "2025-12-02T00:00:00Z")


@pytest.mark.parametrize("place", ["send_alerts", "after a way took it"])
def test_a_look_that_is_killed_while_it_tells_is_told_once_by_the_next(
    words, hook, post, workspace, place, monkeypatch
):
    arguments = [str(word) for word in ("monitor", *words, "--as-of", DAY)]
    if (pid := os.fork()) == 0:
        _die_at(place, monkeypatch)
        run(arguments)
        os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status)
    assert run(arguments) == 10
    assert (len(hook.posts), len(post.mails)) == (1, 1)
    assert len(read_entries(workspace / "ledger", kind="alerted")) == 2


def _die_at(place, monkeypatch):
    """Let this process be killed right before a step, or right after the first way is through."""
    from mqlml.workflows import monitor

    def die(*_arguments, **_named):
        os.kill(os.getpid(), signal.SIGKILL)

    if place == "after a way took it":
        write = alerting.write_entry

        def write_and_die(folder, entry):
            write(folder, entry)
            if entry.kind == alerting.SENT:
                die()

        monkeypatch.setattr(alerting, "write_entry", write_and_die)
    else:
        monkeypatch.setattr(monitor, place, die)


def test_no_message_holds_a_lead_a_value_of_one_or_a_secret(mqlml, words, hook, post):
    answer = mqlml("monitor", *words, "--as-of", DAY)
    sent = [str(hook.posts), *(mail.as_string() for mail in post.mails)]
    for text in sent:
        assert "L0" not in text
        assert "Steel" not in text
    assert "s3cret" not in answer.out + answer.err
    secret = hook.url.encode()
    kept = [path for path in answer_files(words) if secret in path.read_bytes()]
    assert kept == []


def answer_files(words):
    return [path for path in words[3].rglob("*") if path.is_file()]


def test_a_test_message_says_that_it_is_one_or_why_it_was_not_taken(mqlml, words, hook, post):
    assert mqlml("alerts", *words, "--test").document == {"test": "taken"}
    assert "This is a test" in hook.posts[0][2]["text"]
    assert "This is a test" in post.mails[0]["Subject"]
    hook.answers = [404]
    failed = mqlml("alerts", *words, "--test")
    assert (failed.code, "HTTP 404" in failed.err) == (5, True)
