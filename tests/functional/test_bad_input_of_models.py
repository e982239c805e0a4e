"""Criteria and data that no model should come of: each is refused, or not published, in words.

Elsewhere: a signature over another content and two active versions
(`test_criteria.py`), an audit override without a reason (`test_faulty_tables.py`).
"""

from hashlib import sha256

import pytest
from tests.company import CONFIG
from tests.flat_table import FLAT, refused, rows_of, train

GATE = "criteria:\n  version: 1\n  icp_gate: [{name: size, when: 'size = 99'}]\n"
SWEEPING = "criteria:\n  version: 1\n  disqualifiers: [{name: all, when: 'size < 99'}]\n"


@pytest.mark.parametrize(
    ("more", "what", "where"),
    [
        (GATE, "nobody passes the ICP gate", "criteria.icp_gate"),
        (SWEEPING, "the rule holds for everybody", "criteria.disqualifiers.all"),
        ("personas: [{name: p, when: 'size = 99'}]", "the persona matches nobody", "personas.p"),
        ("personas: [{name: p, when: 'size < 99'}]", "matches everybody", "personas.p"),
    ],
)
def test_a_training_refuses_rules_that_decide_nothing_or_everything(mqlml, flat, more, what, where):
    config, _ = flat
    config.write_text(f"{FLAT}{more}\n", encoding="utf-8")
    assert refused(train(mqlml, config), 3, what, where)


def test_a_score_refuses_an_edited_gate_that_nobody_passes(mqlml, company, workspace, tmp_path):
    config = tmp_path / "edited.yaml"
    config.write_text(CONFIG.replace("('Steel', 'Software')", "('Shipping')"), encoding="utf-8")
    shared = ("--config", config, "--data", company.parent, "--workspace", workspace)
    answer = mqlml("score", *shared, "--as-of", "2025-12-01")
    assert refused(answer, 3, "nobody passes the ICP gate", "industry 0.0%")


@pytest.mark.parametrize(
    ("thresholds", "what"),
    [
        ("{mql_probability: 0.2, warm_share_of_mql: 1.5}", "warm_share_of_mql"),
        ("{cost_per_lead: 9, value_per_conversion: 9}", "costs as much as a conversion is worth"),
        ("{capacity_per_week: 9, ranked: {most: 9}}", "capacity is given twice"),
        ("{ranked: {most: 0}}", "thresholds.ranked.most"),
        ("{ranked: {most: 9, pre: day}}", "per"),
        ("{}", "nothing says where MQL begins"),
    ],
)
def test_thresholds_that_cross_or_say_nothing_are_refused(mqlml, flat, thresholds, what):
    config, _ = flat
    config.write_text(f"{FLAT}criteria: {{version: 1, thresholds: {thresholds}}}\n")
    assert refused(train(mqlml, config), 3, what)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("model: {", "audit: {allow: {size: known}}\nmodel: {drop: [size], ", "audit.allow.size"),
        (
            "    outcome:",
            "    attributes: {ignore: [size], allow_personal: [size]}\n    outcome:",
            "attributes.allow_personal.size",
        ),
    ],
)
def test_a_column_that_is_allowed_and_excluded_at_once_is_refused(mqlml, flat, old, new, where):
    config, _ = flat
    config.write_text(FLAT.replace(old, new), encoding="utf-8")
    answer = train(mqlml, config)
    assert refused(answer, 3, "a column is allowed and excluded at once", where)


def test_twelve_conversions_are_too_few_and_counted(mqlml, flat):
    config, rewrite = flat
    rewrite(rows_of(won=lambda i: i % 50 == 0))
    assert refused(train(mqlml, config), 5, "too few leads of one outcome", "12 leads that")


def test_conversions_all_in_one_month_leave_no_later_ones_to_be_judged_by(mqlml, flat):
    config, rewrite = flat
    # A month holds fifty leads: those of June are all won, nobody else is.
    rewrite(rows_of(won=lambda i: 250 <= i < 300))
    answer = train(mqlml, config)
    assert refused(answer, 5, "too few periods to look forward in time", "converted")


def test_a_category_per_lead_says_nothing_and_does_no_harm(mqlml, flat):
    config, rewrite = flat
    lines = rows_of()
    words = [sha256(str(i).encode()).hexdigest() for i in range(len(lines))]
    named = [f"{line},w{word[:9]}x" for line, word in zip(lines[1:], words, strict=False)]
    rewrite([f"{lines[0]},code", *named])
    answer = train(mqlml, config, "--json")
    assert answer.code == 0, answer.err
    rewrite(lines)
    plain = train(mqlml, config, "--json").document
    assert answer.document["test"]["log_loss"] == pytest.approx(plain["test"]["log_loss"], abs=1e-3)


PERSONAS = "personas: [{name: p, when: 'size = 1'}, {name: q, when: 'size = 0'}]\n"


@pytest.mark.parametrize(
    ("segments", "more", "what"),
    [
        ("{}", "", "nothing tells the segments"),
        ("{personas: true}", "", "segments by persona without personas"),
        ("{personas: true, column: size}", PERSONAS, "segments are told in two ways"),
    ],
)
def test_segments_that_nothing_or_two_things_tell_are_refused(mqlml, flat, segments, more, what):
    config, _ = flat
    text = FLAT.replace("model: {", f"model: {{segments: {segments}, ")
    config.write_text(f"{text}{more}", encoding="utf-8")
    assert refused(train(mqlml, config), 3, what)
