"""Hints of `mqlml why`: what would have led to another outcome, told to people and programs."""

import json

DAYS = ("--from", "2025-11-18", "--to", "2025-11-20")
# Of the leads of the small company, one just below where an MQL begins.
LEAD = "L1005"


def test_why_tells_which_few_events_more_would_have_led_to_another_outcome(
    company, workspace, mqlml
):
    place = ("--config", company, "--workspace", workspace)
    answer = mqlml("why", LEAD, *place, *DAYS, "--json")
    document = json.loads(answer.out)
    (hint,) = document["hints"]
    assert document["to"]["outcome"] == "warm"
    assert (hint["signal"], hint["count"], hint["outcome"]) == ("pricing", 1, "mql")
    assert hint["probability"] >= document["to"]["mql_probability"] > document["to"]["probability"]
    said = document["to"]
    assert 0 < said["score_low"] < said["score"] < said["score_high"] < 100
    lines = mqlml("why", LEAD, *place, *DAYS).out.splitlines()
    assert lines[-1] == f"hint: {hint['sentence']}"
    assert hint["sentence"].startswith("pricing page views: one more would be an MQL (")
