"""Whatever of criteria or target is edited without a new version is seen at the next look."""

from typing import Any

import pytest

from mqlml.criteria.settings import Criteria
from mqlml.dataset.settings import TargetSettings
from mqlml.monitoring.monitor import criteria_change, target_change, target_words

RULE = {"name": "size", "when": "company_size > 10", "says": "ten people"}
OTHER = {"name": "size", "when": "company_size > 20", "says": "ten people"}
THEN: dict[str, Any] = {
    "version": 4,
    "valid_from": "2026-01-01",
    "note": "agreed in January",
    "owners": ["marketing", "sales"],
    "exclusions": [RULE],
    "icp_gate": [RULE],
    "disqualifiers": [RULE],
    "hand_raisers": [RULE],
    "thresholds": {"ranked": {"most": 40}, "mql_probability": 0.05},
}
GROUPS = ("exclusions", "icp_gate", "disqualifiers", "hand_raisers")
EDITS: list[dict[str, Any]] = [
    *({group: [OTHER]} for group in GROUPS),
    *({group: []} for group in GROUPS),
    *({group: [RULE, {**OTHER, "name": "more"}]} for group in GROUPS),
    {"valid_from": "2026-02-01"},
    {"note": "as sales likes it"},
    {"owners": ["marketing"]},
    *(
        {"thresholds": THEN["thresholds"] | change}
        for change in (
            {"mql_probability": 0.051},
            {"mql_probability": None},
            {"capacity_per_week": 30},
            {"precision_floor": 0.2},
            {"cost_per_lead": 50, "value_per_conversion": 900},
            {"warm_share_of_mql": 0.4},
            {"ranked": None},
            {"ranked": {"most": 41}},
            {"ranked": {"most": 40, "per": "day"}},
            {"ranked": {"most": 40, "hand_raisers_count": False}},
            {"ranked": {"most": 40, "stays_from": 0.5}},
            {"ranked": {"most": 40, "explored_share": 0.05}},
        )
    ),
]


@pytest.mark.parametrize("edit", EDITS, ids=str)
def test_criteria_edited_behind_their_version_alarm_at_the_next_look(edit: dict[str, Any]) -> None:
    then, now = Criteria.model_validate(THEN), Criteria.model_validate(THEN | edit)
    (found,) = criteria_change(then, now)
    assert (found.kind, found.is_alarm, found.proposal) == ("definition", True, "ask_for_criteria")
    assert found.evidence
    # The same edit under a new version is an agreed one.
    (agreed,) = criteria_change(then, now.model_copy(update={"version": 5}))
    assert not agreed.is_alarm


@pytest.mark.parametrize(
    "edit", [{"stage": "opportunity"}, {"horizon_days": 61}, {"reporting_lag_days": 7}], ids=str
)
def test_an_edited_target_alarms_at_the_next_look(edit: dict[str, Any]) -> None:
    then = TargetSettings(stage="sql", horizon_days=60).model_dump(mode="json")
    now = TargetSettings.model_validate(then | edit).model_dump(mode="json")
    (found,) = target_change(target_words(then, now))
    assert (found.kind, found.is_alarm, found.proposal) == ("definition", True, "retrain")
    (key,) = edit
    assert f"target.{key}" in found.evidence
    assert target_change(target_words(then, then)) == ()
