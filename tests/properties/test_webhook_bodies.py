"""Bodies of webhooks damaged at random: every one is an event, a duplicate, left out or refused."""

import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mqlml.sources.generic import read_sources
from mqlml.sources.settings import SourceSettings

NOON = 1_714_564_800
BODIES = {
    "sendgrid": [{"event": "open", "email": "a@b.io", "timestamp": NOON, "sg_event_id": "1"}],
    "brevo": {"event": "click", "email": "a@b.io", "ts_epoch": NOON * 1000, "link": "x"},
    "sparkpost": [
        {"msys": {"track_event": {"type": "open", "rcpt_to": "a@b.io", "timestamp": str(NOON)}}}
    ],
    "postmark": {
        "RecordType": "Open",
        "Recipient": "a@b.io",
        "ReceivedAt": "2024-05-01T12:00:00.1234567-04:00",
        "Geo": {"IP": "1.2.3.4"},
    },
    "mailjet": {"event": "open", "email": "a@b.io", "time": NOON, "MessageID": 12345678901234567},
    "resend": {
        "type": "email.clicked",
        "created_at": "2024-05-01T12:00:00Z",
        "data": {"to": ["a@b.io"], "email_id": "1", "click": {"link": "x"}},
    },
    "mailersend": {
        "type": "activity.opened",
        "data": {
            "created_at": "2024-05-01T12:00:00Z",
            "email": {"recipient": {"email": "a@b.io"}, "message": {"id": "1"}},
            "morph": {"ip": "1.2.3.4"},
        },
    },
    "mandrill": [{"event": "open", "ts": NOON, "_id": "1", "msg": {"email": "a@b.io"}}],
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=20),
    st.sampled_from(['"', "{", "[", "$", "\x00", "\ud83d", "=cmd()", "<>", "a@b, c@d", "1e999"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)


def places(value, path=()):
    """Return the paths of every value inside, its own first."""
    found = [path]
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        found += [deep for key, one in inner for deep in places(one, (*path, key))]
    return found


def replaced(value, path, new):
    """Return the value with what lies at `path` replaced."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@st.composite
def damaged_lines(draw, body):
    """Return a line of a body that is damaged in its values, or in its text."""
    for _ in range(draw(st.integers(1, 2))):
        body = replaced(body, draw(st.sampled_from(places(body))), draw(ODD))
    line = json.dumps(body)
    if draw(st.booleans()):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(line))] * 2)))
        line = line[:start] + draw(st.sampled_from(["", "}", '"', "[[", "\\u", "="])) + line[end:]
    return line.replace("\n", " ").replace("\r", " ")


def account(system, lines):
    """Return the account of the file that holds the lines after as many sound bodies."""
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / system).mkdir()
        sound = [json.dumps(BODIES[system])] * (len(lines) + 1)
        text = "\n".join([*sound, *lines]) + "\n"
        (folder / system / "bodies.json").write_text(text, errors="replace")
        (folder / "leads.csv").write_text("lead_id,created_at\na@b.io,2024-01-01T00:00Z\n")
        leads = {"file": "leads.csv", "columns": {"created_at": "created_at"}}
        chosen = SourceSettings.model_validate(
            {"leads": [leads], "exports": [{"system": system, "folder": system}]}
        )
        done = read_sources(chosen, folder, timezone=None, workdir=folder / "work")
        return next(count for count in done.counts if count.table == "events")
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("system", BODIES)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_damaged_body_stops_the_others_or_is_lost(system, data):
    lines = data.draw(st.lists(damaged_lines(BODIES[system]), min_size=40, max_size=40))
    count = account(system, lines)
    assert count.is_balanced
    assert count.kept >= 1
    # A list that was emptied or cut is one body still; blank lines are no bodies.
    assert count.rows >= 41 + sum(1 for line in lines if line.strip())
