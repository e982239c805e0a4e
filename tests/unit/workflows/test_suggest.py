"""The parts of a suggestion that a small company does not bring about."""

from pathlib import Path

from tests.company import CONFIG

from mqlml.config import load_settings
from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import PlanSettings
from mqlml.modeling.selection import Gain, Judged, Selection
from mqlml.tables.contracts import EVENTS
from mqlml.workflows import suggest
from mqlml.workflows.suggest import Suggestion

RATIO = "any__count__7d__per__any__count__30d"


def plan_of(**settings: object) -> Plan:
    asked = PlanSettings.model_validate(settings)
    return make_plan(asked, [], event_columns=EVENTS.columns)


PACE = plan_of(
    features=[{"kinds": ["count"], "windows_days": [7, 30]}],
    ratios=[{"of": "any__count__7d", "to": "any__count__30d"}],
)


def test_a_ratio_that_is_kept_keeps_what_it_divides() -> None:
    dropped = {"any__count__7d": "did not help", "any__count__30d": "did not help"}
    found = suggest._with_parts(Selection((Gain(RATIO, 0.1),), dropped, ()), PACE)
    assert [gain.column for gain in found.kept] == [RATIO, "any__count__7d", "any__count__30d"]
    assert found.dropped == {}


def test_a_ratio_that_is_dropped_keeps_nothing() -> None:
    found = Selection((Gain("any__count__7d", 0.1),), {RATIO: "did not help"}, ())
    assert suggest._with_parts(found, PACE) == found


def test_a_rule_that_reads_a_ratio_reads_what_it_divides(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    rule = '{name: pace, when: "pace > 0.5"}'
    personas = CONFIG.index("personas:")
    path.write_text(f"{CONFIG[:personas]}personas: [{rule}]\n", encoding="utf-8")
    plan = plan_of(
        features=[{"kinds": ["count"], "windows_days": [7, 30, 90]}],
        ratios=[{"of": "any__count__7d", "to": "any__count__30d", "name": "pace"}],
    )
    read = suggest._read_by_rules(load_settings(path), plan)
    assert read == ("any__count__7d", "any__count__30d", "pace")


def test_more_features_than_can_be_tried_are_cut_and_it_is_said() -> None:
    signals = {f"s{number}": {"where": f"value > {number}"} for number in range(30)}
    windows = list(range(1, 71))
    line = {"kinds": ["count"], "signals": list(signals), "windows_days": windows}
    whole, said = plan_of(signals=signals, features=[line]), []
    cut = suggest._within_limit(whole, said.append)
    assert cut.columns == whole.columns[:2_000]
    assert said == ["2100 features are possible: the first 2000 are tried"]


def test_people_are_told_the_best_and_how_many_more_there_are() -> None:
    kept = tuple(Gain(f"c{number}", 1.0 - number / 100) for number in range(17))
    suggestion = Suggestion(
        path=Path("new.yaml"),
        config=Path("old.yaml"),
        data_dir=Path("data"),
        selection=Selection(
            kept,
            {"x": "says what c0 says", "y": "says what c1 says", "z": "did not help"},
            (Judged(0, 0.5), Judged(16, 0.25)),
        ),
        sentences={gain.column: f"words of {gain.column}" for gain in kept},
        candidates=20,
        test_from="2026-01-01T00:00:00Z",
        fixed=("c3",),
    )
    lines = list(suggestion.lines())
    assert lines[0] == "20 features tried on what was known before 2026-01-01T00:00:00Z"
    assert lines[2] == "   1.00000  c0: words of c0"
    assert lines[5] == "   0.97000  c3: words of c3 (a rule reads it)"
    assert lines[17:] == [
        "  … and 2 more",
        "2 left out: it says what another says",
        "1 left out: did not help",
        "the best   0: forward log loss 0.50000",
        "the best  16: forward log loss 0.25000  ← kept",
        "the folds that chose also judge: 'train' tests the plan on later leads",
        "wrote new.yaml",
        "next: mqlml train --config new.yaml --data data",
    ]
