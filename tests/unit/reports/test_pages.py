"""The pages as text: structure, words, escaping, and equal bytes."""

import dataclasses
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from tests.page_checks import Outline, contrast, faults_of, mixed, palette
from tests.report_facts import (
    DAY,
    HOSTILE,
    audit_facts,
    feature_frame,
    ingest_facts,
    monitor_facts,
    monitoring,
    preview_facts,
    review_facts,
    reviewed,
    scored,
    scoring_facts,
    training_facts,
)

from mqlml.criteria.preview import Handed, Preview, Side, Volume
from mqlml.dataset.findings import Finding
from mqlml.modeling.gates import Gate
from mqlml.monitoring.evidence import Change, Monitoring
from mqlml.reports.audit import audit_page
from mqlml.reports.facts import Named
from mqlml.reports.ingest import ingest_page, ingest_pictures, ingest_verdict
from mqlml.reports.monitor import NO_FLOW, monitor_page, monitor_pictures, monitor_verdict
from mqlml.reports.page import TEMPLATES, rendered
from mqlml.reports.preview import preview_page, preview_verdict
from mqlml.reports.review import review_page, review_pictures, review_verdict
from mqlml.reports.score_changes import move_table, score_changes
from mqlml.reports.scoring import hottest, scoring_page, scoring_verdict
from mqlml.reports.training import compared, training_page, training_pictures, training_verdict
from mqlml.reports.training_tables import direction_words
from mqlml.review.earlier import LastReview
from mqlml.review.followup import FollowUp
from mqlml.review.reps import Agreement
from mqlml.review.review import Review, nothing_became
from mqlml.tables.ingested import FileCount

PAGES = {
    "training": (training_page, training_facts),
    "scoring": (scoring_page, scoring_facts),
    "monitor": (monitor_page, monitor_facts),
    "review": (review_page, review_facts),
    "ingest": (ingest_page, ingest_facts),
    "preview": (preview_page, preview_facts),
    "audit": (audit_page, audit_facts),
}
EMPTY = pd.DataFrame()
_NONE = Handed(0, 0, 0, np.nan, np.nan, np.nan)
_NO_SIDE = Side(_NONE, Volume(0.0, np.nan, np.nan, 0))
_A_WEEK = pd.DataFrame({"week": [0.0], "old": [0], "new": [0]})
NOBODY = Preview(
    *(1, _NO_SIDE, _NO_SIDE, _NONE, _NONE, (), ()), *(np.nan, np.nan, np.nan), EMPTY, _A_WEEK
)
SVG = "{http://www.w3.org/2000/svg}"
TRAINING_FRAMES = ("bands", "grades", "features", "personas", "examples")
BARE = {
    "training": dict.fromkeys(TRAINING_FRAMES, EMPTY)
    | dict.fromkeys(("gates", "findings", "sources", "details"), ())
    | {"gains": {}, "fold_log_loss": {}, "as_of": None},
    "scoring": {
        "scores": scored(3).head(0),
        "previous": None,
        "previous_as_of": None,
        "as_of": None,
        "mql_probability": None,
        "warnings": (),
        "details": (),
    },
    "monitor": {"found": Monitoring(alarm=False, changes=()), "as_of": None}
    | dict.fromkeys(("champions", "warnings", "details"), ()),
    "review": {
        "found": Review(0, 0, (), reviewed().findings.head(0), EMPTY, EMPTY, EMPTY, ()),
        "as_of": None,
        "details": (),
        "follow": FollowUp(LastReview(0, 0, 0, ()), 0, 0),
    },
    "ingest": dict.fromkeys(("sources", "days", "refused"), EMPTY)
    | dict.fromkeys(("silences", "notes", "counts", "details"), ())
    | {"leads": 0, "leads_covered": 0},
    "audit": {"findings": (), "as_of": None, "details": ()},
    "preview": {"today": EMPTY, "changes": (), "capacity": None, "details": (), "found": NOBODY},
}
EMPTY_CURVE = pd.DataFrame({"rows": [], "predicted": [], "observed": [], "low": [], "high": []})


def bare(name):
    changes = dict(BARE[name])
    if name == "training":
        changes["calibration"] = EMPTY_CURVE
    return PAGES[name][1](**changes)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound_offline_and_without_scripts(name):
    page, facts = PAGES[name]
    assert faults_of(page(facts())) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_nothing_is_still_a_sound_page(name):
    html = PAGES[name][0](bare(name))
    assert faults_of(html) == []
    words = Outline(html).words
    assert "nan" not in words.lower().split()
    assert "None" not in words


@pytest.mark.parametrize("name", PAGES)
def test_equal_facts_give_equal_bytes(name):
    page, facts = PAGES[name]
    assert page(facts()).encode() == page(facts()).encode()


@pytest.mark.parametrize("name", PAGES)
def test_a_hostile_name_is_shown_and_never_run(name):
    page, facts = PAGES[name]
    html = page(facts(name=HOSTILE))
    assert "<script" not in html
    assert "&lt;script&gt;alert" in html
    assert "🎉" in html


def test_hostile_ids_reasons_columns_and_reps_are_escaped_and_shortened():
    long = HOSTILE + "x" * 10_000
    hostile_change = Change(long, None, (long,) * 9, long, long, long, 1.0)
    scores = scored(20).assign(lead_id=[f"{long}{n}" for n in range(20)], persona=long, grade=long)
    pages = [
        scoring_page(scoring_facts(scores=scores.assign(reasons_up=long), previous=scores)),
        training_page(
            training_facts(
                examples=scores,
                features=feature_frame().assign(sentence=long, family=long),
                gates=(Gate(long, passed=False, found=1.0, needed=2.0),),
                warnings=(long,),
            )
        ),
        monitor_page(monitor_facts(found=monitoring(changes=(hostile_change,), warnings=(long,)))),
        review_page(review_facts(found=reviewed(sentences=(long,), by_rep=EMPTY, by_grade=EMPTY))),
    ]
    for html in pages:
        assert "<script" not in html
        assert "x" * 600 not in html
        assert faults_of(html) == []


def test_the_verdict_of_a_training_says_how_much_better_than_the_average():
    facts = training_facts()
    test = dataclasses.replace(facts.test, base_rate=0.08, lift_at_10=4.1)
    good = training_facts(contestants={"lightgbm": test})
    said = training_verdict(good).replace("\u202f", " ")
    assert said == (
        "Of the 10 % of leads this model ranks highest, 33 % became customers: "
        "4.1 times the average of 8.0 %."
    )
    assert compared(good) == ""


def test_a_training_says_honestly_that_the_base_rate_won():
    facts = training_facts(winner="base_rate", gains={}, published=False)
    said = training_verdict(facts)
    assert said.startswith("Not published. No model did better than")
    assert "not published" in Outline(training_page(facts)).words


def test_the_other_ways_of_scoring_stand_beside_the_winner():
    assert compared(training_facts()) == (
        "On the same leads: points rules 2.1 times and logistic regression 3.0 times the average."
    )


def test_a_gate_that_is_not_passed_stands_before_everything_else():
    gate = Gate("conversions", passed=False, found=12.0, needed=50.0)
    words = Outline(training_page(training_facts(gates=(gate,), published=False))).words
    assert words.index("Gate not passed: leads that converted") < words.index("What is predicted")
    assert "Found 12, needed at least 50." in words


def test_a_flat_table_without_dates_names_no_period():
    facts = training_facts()
    target = dataclasses.replace(
        facts.target, stage="outcome", horizon_days=None, first_as_of=None, test_from=None,
        is_repeated=False,
    )  # fmt: skip
    words = Outline(training_page(training_facts(target=target))).words
    assert "Which leads will convert?" in words
    assert "2,412 leads, of which" in words
    assert "Period" not in words


def test_grades_that_are_no_grades_give_no_matrix():
    odd = training_facts().bands
    assert "by grade" not in Outline(training_page(training_facts(grades=odd))).words


@pytest.mark.parametrize(
    ("direction", "words"),
    [
        (1.0, "more likely"),
        (-0.1, "less likely"),
        (0, "it depends"),
        (np.nan, "it depends"),
        (None, "it depends"),
    ],
)
def test_a_direction_reads_as_words(direction, words):
    assert direction_words(direction) == words


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([], "No lead was open to score."),
        (["cold"], "Of 1 open lead, none is for sales now."),
        (["mql", "cold"], "Of 2 open leads, 1 is for sales now: 1 MQL."),
        (["mql", "hand_raiser"], "Of 2 open leads, 2 are for sales now: 1 MQL and 1 hand raiser."),
    ],
)
def test_the_verdict_of_a_scoring_counts_in_good_grammar(outcomes, said):
    scores = scored(len(outcomes) or 1).head(len(outcomes)).assign(outcome=outcomes)
    assert scoring_verdict(scoring_facts(scores=scores)) == said


@pytest.mark.parametrize(("begins", "is_told"), [(0.3, True), (0.12, False), (None, False)])
def test_a_threshold_that_no_lead_reaches_is_a_warning(begins, is_told):
    scores = scored(3).assign(probability=[0.12, 0.05, 0.01], outcome="cold")
    words = Outline(scoring_page(scoring_facts(scores=scores, mql_probability=begins))).words
    said = "the highest probability is 12 %, and an MQL begins at 30 %"
    assert (said in words.replace("\u202f", " ")) == is_told


def test_hand_raisers_stand_before_mqls_and_disqualified_leads_are_not_hot():
    scores = pd.DataFrame(
        {
            "lead_id": ["a", "b", "c", "d"],
            "probability": [0.9, 0.8, 0.7, 0.1],
            "outcome": ["disqualified", "warm", "mql", "hand_raiser"],
        }
    )
    assert hottest(scores)["lead_id"].tolist() == ["d", "c"]
    assert hottest(scores.head(2))["lead_id"].tolist() == ["b"]


def outcomes(**by_lead):
    values = list(by_lead.values())
    return pd.DataFrame({"lead_id": list(by_lead), "outcome": values, "model_version": "1"})


def test_what_changed_is_counted_by_lead():
    before = outcomes(a="cold", b="mql", c="warm", d="cold")
    now = outcomes(a="mql", b="warm", c="warm", e="mql", f="cold").assign(model_version="2")
    assert score_changes(now, before) == (
        "2 leads are new.",
        "1 lead is no longer scored.",
        "1 lead became one for sales.",
        "1 lead is no longer for sales.",
        "The model version changed in between.",
    )
    table = move_table(now, before)
    assert [head.text for head in table.heads] == ["Before", "MQL", "Warm", "Cold"]
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["MQL", "0", "1", "0"],
        ["Warm", "0", "1", "0"],
        ["Cold", "1", "0", "0"],
    ]


def test_the_same_scores_twice_changed_nothing():
    same = outcomes(a="cold")
    assert score_changes(same, same) == ("The same leads have the same outcomes.",)


def test_scores_without_common_leads_have_no_moves():
    assert move_table(outcomes(a="cold"), outcomes(b="cold")) is None
    assert score_changes(outcomes(a="cold"), None) == ()


def test_a_scoring_without_trends_or_personas_shows_neither():
    scores = scored(30).drop(columns=["trend", "persona"])
    words = Outline(scoring_page(scoring_facts(scores=scores))).words
    assert "Rising fastest" not in words
    assert "Leads by persona" not in words


def change(kind, **values):
    blank = {"since": None, "columns": (), "segment": None, "strength": 1.0}
    return Change(kind, **(blank | {"evidence": "it broke", "act": "mend it"} | values))


def test_the_verdict_of_a_monitoring_names_the_change_and_its_date():
    one = change("concept", since=1_767_225_600_000_000)
    said = "What makes leads convert changed since 2026-01-01"
    assert monitor_verdict(Monitoring(alarm=True, changes=(one,))) == f"{said}."
    three = Monitoring(alarm=True, changes=(one, one, one))
    assert monitor_verdict(three) == f"{said}, and 2 further changes were found."
    calm = Monitoring(alarm=False, changes=(change("covariate"),))
    assert monitor_verdict(calm) == "No alarm, but worth a look: the leads are of another kind."


def test_the_page_holds_earlier_estimates_against_what_came_and_tells_of_delays():
    words = Outline(monitor_page(monitor_facts())).words
    # Of eight estimates two cannot be checked yet, and two intervals missed what came.
    assert "4 of 6 earlier estimates whose leads have matured held what came." in words
    assert "not known yet" in words
    assert "mail 1,200 30 h 5.0 days 20 h 60" in words
    assert "web 8,000 none 15 min 12 min 0" in words
    assert "MQL 12 120 14 90" in words
    assert "customer – 63 11" in words


def test_a_first_look_has_no_earlier_estimate_and_a_table_of_order_no_delays():
    page = Outline(
        monitor_page(monitor_facts(found=monitoring(checked=pd.DataFrame()), flow=NO_FLOW))
    )
    assert "estimated then" not in page.words
    assert "Delays" not in page.words


def test_the_verdict_of_a_monitoring_without_changes():
    assert monitor_verdict(Monitoring(alarm=False, changes=())) == (
        "Nothing that matters has changed."
    )
    assert monitor_verdict(Monitoring(alarm=True, changes=())).startswith("Alarm")


def test_a_change_shows_since_when_where_and_at_most_six_columns():
    one = change(
        "instrumentation",
        since=20_000 * DAY,
        columns=tuple(f"c{n}" for n in range(8)),
        segment="country = FR",
    )
    words = Outline(monitor_page(monitor_facts(found=monitoring(changes=(one,))))).words
    assert "Since 2024-10-04" in words
    assert "c0, c1, c2, c3, c4, c5 and 2 more" in words
    assert "Where country = FR" in words
    assert "It broke." in words
    assert "What to do: Mend it." in words


def test_a_change_shows_between_which_days_it_began():
    one = change("prior", since=20_007 * DAY, earliest=20_000 * DAY, latest=20_014 * DAY)
    words = Outline(monitor_page(monitor_facts(found=monitoring(changes=(one,))))).words
    assert "2024-10-11 (between 2024-10-04 and 2024-10-18)" in words


def test_a_change_is_dated_by_days_and_its_columns_are_named_in_words():
    late = 20_007 * DAY + DAY // 2
    one = change("concept", since=late, columns=("icp__size", "unknown_column"))
    facts = monitor_facts(
        found=monitoring(changes=(one,)), sentences={"icp__size": "size fits the ideal customer"}
    )
    words = Outline(monitor_page(facts)).words
    assert "changed since 2024-10-11." in words
    assert "Columns size fits the ideal customer and unknown_column" in words


@pytest.mark.parametrize("name", ["monitor", "review"])
def test_a_section_without_facts_is_left_out_with_its_link(name):
    page, facts = PAGES[name]
    assert 'href="#data"' in page(facts())
    assert "data" not in re.findall(r'(?:id="|href="#)(\w+)"', page(facts(details=())))


@pytest.mark.parametrize(
    ("published", "is_promoted", "badge"),
    [
        (True, None, "published"),
        (True, True, "the new champion"),
        (True, False, "the old champion stays"),
        (False, False, "not published"),
    ],
)
def test_a_retraining_says_first_whether_its_model_took_over(published, is_promoted, badge):
    occasion = (Named("Why it was trained", "drift: it broke"),)
    facts = training_facts(published=published, is_promoted=is_promoted, occasion=occasion)
    html = training_page(facts)
    tone = "good" if published and is_promoted is not False else "bad"
    assert f'<span class="badge {tone}">{badge}</span>' in html
    assert "Why it was trained Drift: it broke." in Outline(html).words


@pytest.mark.parametrize(
    ("pictures", "names"),
    [
        (
            lambda: training_pictures(training_facts()),
            {"gains.svg", "calibration.svg", "dependence-1.svg", "dependence-2.svg"},
        ),
        (
            lambda: monitor_pictures(monitor_facts()),
            {"weekly.svg", "calibration.svg", "estimates.svg"},
        ),
        (lambda: review_pictures(review_facts()), {"effects.svg", "funnel.svg"}),
    ],
)
def test_the_pictures_are_drawings_of_their_own_with_title_and_key(pictures, names):
    made = pictures()
    assert set(made) == names
    for content in made.values():
        root = ET.fromstring(content)  # noqa: S314 - our own
        assert root.tag == f"{SVG}svg"
        assert root.find(f"{SVG}title").text == root.find(f"{SVG}text").text
        height, texts = float(root.get("height")), root.findall(f"{SVG}g/{SVG}text")
        assert len(texts) > 3
        moved = [g.get("transform") for g in root.findall(f"{SVG}g")]
        assert max(float(re.search(r" (\d+)", m)[1]) for m in moved) < height


def test_without_a_measured_effect_or_outcomes_there_is_no_picture():
    no_effect = reviewed().findings.assign(effect=np.nan)
    bare_review = reviewed(findings=no_effect, became=nothing_became())
    assert review_pictures(review_facts(found=bare_review)) == {}
    assert monitor_pictures(monitor_facts(found=Monitoring(alarm=False, changes=()))) == {}


def test_the_verdict_of_a_review_counts_in_good_grammar():
    assert review_verdict(reviewed(accepted=0, rejected=0)) == ("Sales has given no verdicts yet.")
    one = review_verdict(reviewed(accepted=1, rejected=0)).replace("\u202f", " ")
    assert one == "Sales accepted 100 % of the leads it was given: 1 of 1 verdict."


def test_a_review_tells_what_became_of_leads_and_names_rejected_ones_that_bought():
    words = Outline(review_page(review_facts())).words.replace("\u202f", " ")
    assert "Of 563 leads handed over, sales judged 90 % and accepted 55 %." in words
    assert "2025-12 still open" in words
    assert "Rejected and customers all the same, for example: L000017, L000411" in words
    assert "Of 40 pairs of verdicts by two reps on the same lead 75 % agree (kappa 0.45)." in words
    assert re.search(r"no budget 71 40 % 0.52 .*? no column tells", words)


def test_a_review_without_handovers_and_pairs_says_so():
    lonely = reviewed(became=nothing_became(), agreement=Agreement(0, 0, math.nan))
    words = Outline(review_page(review_facts(found=lonely))).words
    assert "No handovers are known" in words
    assert "No lead was judged by two reps" in words


def test_a_review_says_which_reasons_do_not_judge_the_lead():
    html = review_page(review_facts())
    assert re.search(r"Not now.*?no.*?No budget.*?yes", Outline(html).words)
    odd = pd.DataFrame({"reason": ["on_holiday"], "verdicts": [0]})
    assert "on_holiday" in Outline(review_page(review_facts(found=reviewed(by_reason=odd)))).words


def test_acceptance_by_names_that_are_no_grades_is_a_list():
    groups = reviewed().by_rep
    words = Outline(review_page(review_facts(found=reviewed(by_grade=groups)))).words
    assert "Acceptance by grade" in words


TEXT_ON_GROUND = [
    ("ink", "ground"), ("soft", "ground"), ("link", "ground"), ("good", "ground"),
    ("bad", "ground"), ("ink", "panel"), ("soft", "panel"), ("link", "panel"),
    ("warn-ink", "warn-ground"), ("stop-ink", "stop-ground"),
]  # fmt: skip
GRAPHICS = ["main", "second", "third", "warn-edge", "stop-edge"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_and_mark_has_enough_contrast(scheme):
    colours = palette((TEMPLATES / "style.css").read_text(encoding="utf-8"), scheme)
    for text, ground in TEXT_ON_GROUND:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for mark in GRAPHICS:
        assert contrast(colours[mark], colours["ground"]) >= 3, mark
        assert contrast(colours[mark], colours["panel"]) >= 2.6, mark
    hottest_cell = mixed(colours["main"], colours["ground"], 0.42)
    assert contrast(colours["ink"], hottest_cell) >= 4.5


def test_a_template_that_lacks_a_value_says_so_instead_of_leaving_a_hole():
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError):
        rendered("scoring.html", title="t")


def test_what_does_not_count_is_not_among_what_counts():
    nothing = feature_frame().assign(importance=0.0)
    words = Outline(training_page(training_facts(features=nothing))).words
    assert "The winner leans on no column." in words


def test_leads_looked_at_often_count_once_for_each_look():
    words = Outline(training_page(training_facts())).words
    assert "2,412 looks at leads, of which" in words
    assert "counts once for each look" in words


def test_personas_without_a_name_are_not_listed():
    page = scoring_page(scoring_facts(scores=scored(30).assign(persona="")))
    assert "Leads by persona" not in Outline(page).words


def test_findings_of_one_kind_are_one_warning_with_the_evidence_folded_away():
    same = [
        Finding(f"c{n}", "constant", f"the same in {n} rows", "warn", "ignore") for n in range(6)
    ]
    odd = Finding("d", "odd", "it is", "warn", "")
    words = Outline(training_page(training_facts(findings=[*same, odd]))).words
    assert (
        "Constant: c0, c1, c2, c3 and 2 more Ignore. The evidence c0: The same in 0 rows." in words
    )
    assert "Odd: d The evidence d: It is." in words


def test_columns_used_in_spite_of_the_audit_stand_in_a_table_with_the_reason_given():
    quota = Finding("quota", "alone too good", "it is", "warn", "", allowed="asked on the form")
    also = dataclasses.replace(quota, finding="named like a later state")
    words = Outline(training_page(training_facts(findings=[quota, also]))).words
    assert "Columns used although the search for leaks would stop at them" in words
    assert "quota Asked on the form. Alone too good and named like a later state" in words
    assert "Columns used although" not in Outline(training_page(training_facts())).words


def test_a_model_without_a_version_yet_and_without_a_date_is_named_by_its_kind():
    facts = training_facts(as_of=None, model_version="")
    assert ">Gradient boosting</p>" in training_page(facts)


def test_probabilities_far_off_on_the_test_are_a_warning():
    test = dataclasses.replace(training_facts().test, calibration_error=0.12)
    words = Outline(training_page(training_facts(contestants={"lightgbm": test}))).words
    assert "probabilities were 12 points off on average" in words
    assert "points off on average" not in Outline(training_page(training_facts())).words


def test_a_finding_names_the_level_it_is_about_and_how_sure_it_is():
    words = Outline(review_page(review_facts())).words
    assert "6. industry = public sector" in words
    assert "model over-rates indicated" in words


def test_the_scores_page_has_words_for_personas_that_have_leads() -> None:
    page = scoring_page(scoring_facts())
    assert "How to talk to: Business buyer" in page
    assert "too many tools; no overview" in page
    assert "How to talk to: nobody" not in page
    assert "Likes to read" not in page


def test_the_page_of_an_ingest_says_who_fell_silent_since_when_and_what_is_usual():
    facts = ingest_facts()
    assert ingest_verdict(facts).replace("\u202f", " ") == (
        "33 of 80,631 rows were refused (0.04 %), and ga4 is silent."
    )
    words = Outline(ingest_page(facts)).words
    assert "ga4 has sent nothing since 2026-05-22; usual: 403 events a day." in words
    assert "sendgrid 2026-02-24 to 2026-03-01 6 40.0" in words
    assert "402 of 490 leads (82 %) have at least one event." in words
    assert "80,131 0 80,000 100 31 0" in words
    assert "occurred_at is not a time" in words
    assert "'scroll' is no canonical event type (40 rows)" in words
    assert list(ingest_pictures(facts)) == ["weeks.svg"]


def test_an_ingest_without_faults_says_so():
    facts = ingest_facts(
        silences=(), counts=(FileCount("a.csv", "leads", 1, 1, 0, 0),), refused=EMPTY, notes=()
    )
    assert ingest_verdict(facts) == "0 of 1 row were refused; no source has fallen silent."
    assert "No row was refused." in Outline(ingest_page(facts)).words


def test_a_preview_says_from_what_to_what_and_names_who_moves() -> None:
    facts = preview_facts()
    found = facts.found
    said = preview_verdict(facts)
    old, new = (f"{side.volume.mean:.1f}" for side in (found.old, found.new))
    assert said.startswith(f"Sales would have got {new} new leads a week instead of {old}, and ")
    page = Outline(preview_page(facts))
    assert found.entering[0] in page.words
    assert found.leaving[0] in page.words
    assert f"{found.enters.leads} leads would go to sales under version 2 alone;" in page.words
    assert "past probabilities come from 5 models" in page.words
    assert "capacity of the new version" in page.words


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        ((0.05, 0.01, 0.09), "The change makes leads for sales better."),
        ((-0.05, -0.09, -0.01), "The change makes leads for sales worse."),
        ((0.05, -0.01, 0.09), "cannot be told from this past."),
    ],
)
def test_a_preview_judges_only_what_its_interval_bears(gain, said) -> None:
    facts = preview_facts()
    names = ("gain", "gain_low", "gain_high")
    found = dataclasses.replace(facts.found, **dict(zip(names, gain, strict=True)))
    assert preview_verdict(dataclasses.replace(facts, found=found)).endswith(said)


def test_the_page_of_an_audit_draws_every_finding_that_has_something_to_show() -> None:
    html = audit_page(audit_facts())
    words = Outline(html).words
    assert "Nothing was learnt: 1 column seems to know the outcome." in words
    assert html.count("<figure") == 2
    assert "Share that converted, by value. Of 40 leads 95 % converted." in words
    assert "demo 40 95 %" in words
    assert "No column knows the outcome" in audit_page(audit_facts(findings=()))


def test_a_review_tells_what_became_of_the_last_ones_findings():
    words = Outline(review_page(review_facts())).words.replace("\u202f", " ")
    # 550 of 1,000 and 280 of 400, with Wilson's intervals.
    assert "sales accepted 55 % of 1,000 verdicts (52 % to 58 %)" in words
    assert "since then 70 % of 400 verdicts (65 % to 74 %)" in words
    assert "30 % of the verdicts were on such leads then, 0 % are now; criteria version 2" in words
    assert "Pages viewed: still there (effect −0.80 then, −0.60 now); nothing was done" in words
    first = Outline(review_page(review_facts(follow=None))).words
    assert "Findings of last time" not in first
    nothing = Outline(review_page(bare("review"))).words
    assert "sales accepted none, for want of verdicts" in nothing
    assert "It left no confirmed finding to come back to." in nothing
