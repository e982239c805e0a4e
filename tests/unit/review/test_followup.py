from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from mqlml.criteria.settings import Criteria, Rule, SignOff
from mqlml.review.acts import Acts, Training, done_about
from mqlml.review.drafts import Draft
from mqlml.review.earlier import Earlier, LastReview, earlier_findings, kept_document, read_earlier
from mqlml.review.findings import effects_alone
from mqlml.review.followup import follow_up, followed_by, now_of
from mqlml.review.verdicts import Judged, judged_since

DAY = 86_400_000_000
RULE = Rule(name="sales_rejects_source_fair", when="\"source\" = 'fair'")
FAIR = Earlier(
    *("source = fair", "level", "source of the lead", -0.8, -1.2, -0.4, "confirmed"),
    *(300, 1000, 100 * DAY, "criteria", RULE.name, RULE.when),
)
NOTHING = Acts(200 * DAY, (Criteria(version=1),), "UTC", (), (), {}, ("source", "visits"))


def answer(effect, low, high, feature="source = fair"):
    row = {"effect": effect, "low": low, "high": high, "verdicts": 90, "more_needed": 400}
    return pd.DataFrame([row], index=[feature])


NO_ANSWER = answer(0, 0, 0).head(0)


def judged(on_it=90, rows=300):
    """Return verdicts of which the first `on_it` are on leads of the fair, half accepted."""
    source = ["fair"] * on_it + ["web"] * (rows - on_it)
    frame = pd.DataFrame({"accepted": np.arange(rows) % 2 == 0})
    return Judged(frame, pd.DataFrame({"source": source}), pd.DataFrame(), 0)


def followed(answers, *, one=FAIR, acts=NOTHING, base=None):
    return followed_by(one, now_of(one, base or judged(), answers), acts)


def test_a_finding_found_again_is_still_there_and_stays_open():
    found = followed(answer(-0.7, -1.1, -0.3))
    assert (found.state, found.is_settled) == ("still there", False)
    assert found.sentence == (
        "source of the lead = fair: still there (effect −0.80 then, −0.70 now);"
        " nothing was done about it"
    )


def test_a_finding_of_the_other_sign_has_turned_round():
    found = followed(answer(0.7, 0.3, 1.1))
    assert (found.state, found.is_settled) == ("turned round", True)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ((0.02, -0.29, 0.29), "no longer found"),
        ((-0.15, -0.25, -0.05), "no longer found"),  # there, and too small to matter
        # Too wide to be called small, but wholly nearer to nought than −1.2 to −0.4.
        ((0.0, -0.39, 0.39), "weaker"),
        ((-0.1, -0.41, 0.21), "too few verdicts yet"),
        ((-0.6, -1.3, 0.1), "too few verdicts yet"),
    ],
)
def test_silence_is_no_success_before_the_interval_says_so(now, state):
    assert followed(answer(*now)).state == state


def test_of_an_effect_upwards_the_same_holds_mirrored():
    liked = replace(FAIR, effect=0.8, low=0.4, high=1.2)
    assert followed(answer(0.0, -0.39, 0.39), one=liked).state == "weaker"
    assert followed(answer(0.1, -0.21, 0.41), one=liked).state == "too few verdicts yet"


def test_a_level_of_which_hardly_any_came_is_told_by_its_verdicts():
    found = followed(NO_ANSWER, base=judged(on_it=12))
    assert found.state == "too few verdicts yet"
    assert np.isnan(found.now.effect)
    assert found.document()["now"]["effect"] is None
    assert "too few verdicts yet: 12 of 300 since are on such leads;" in found.sentence
    waiting = followed(answer(-0.6, -1.3, 0.1))
    assert "90 of 300 since are on such leads, some 400 more are needed" in waiting.sentence


def test_what_is_only_weaker_is_not_settled():
    found = followed(answer(0.0, -0.39, 0.39))
    assert not found.is_settled
    assert "weaker (effect −0.80 then, +0.00 now)" in found.sentence
    assert followed(answer(0.02, -0.2, 0.24)).is_settled


def test_a_column_that_the_champion_has_no_more_is_not_asked_about():
    gone = replace(FAIR, feature="gone", asked="flag")
    found = followed(NO_ANSWER, one=gone)
    assert (found.state, found.is_settled, found.now.verdicts) == (
        "no longer in the model",
        True,
        0,
    )
    assert "no longer in the model (effect −0.80 then); the champion has the" in found.sentence


def verdicts_that_follow(effect):
    """Return 400 verdicts of one score and rep: a fair, a twin of it, visits and their kinds."""
    rows = np.arange(400)
    fair = rows % 2 == 0
    accepted = np.where(fair, rows % 8 < effect, rows % 8 < 4).astype(float)
    frame = pd.DataFrame({"accepted": accepted, "who": "r", "probability": 0.3})
    matrix = pd.DataFrame(
        {
            "source": np.where(fair, "fair", "web"),
            "is_fair": fair.astype(float),
            "visits": rows.astype(float),
        }
    )
    return Judged(frame, matrix, pd.DataFrame(), 0)


def test_named_questions_are_asked_alone_and_as_they_were():
    asked = {
        "source = fair": "level",
        "is_fair": "flag",
        "visits": "presence",  # asked as an amount by now: another question
        "gone = x": "level",
        "source = nobody": "level",
    }
    told = effects_alone(verdicts_that_follow(2), asked)
    # Of 200 at the fair 50 are accepted, of 200 others 100: twins take nothing from each other.
    assert list(told.index) == ["source = fair", "is_fair"]
    assert told["effect"].iloc[0] == pytest.approx(told["effect"].iloc[1])
    assert told["effect"].iloc[0] == pytest.approx(np.log(1 / 3), abs=0.05)
    assert (told["low"] < told["effect"]).all()
    assert list(told["verdicts"]) == [200, 200]
    nobody = verdicts_that_follow(2)
    few = Judged(nobody.rows.head(80), nobody.matrix.head(80), nobody.procedural, 0)
    assert effects_alone(few, asked).empty


def test_each_finding_is_held_against_the_verdicts_since_its_own_review():
    older = replace(FAIR, until=50 * DAY)
    spans = {50 * DAY: verdicts_that_follow(2), 100 * DAY: verdicts_that_follow(8)}
    last = LastReview(100 * DAY, 400, 600, (FAIR, older))
    found = follow_up(last, spans.__getitem__, NOTHING)
    # Since the last review all 200 of the fair and 100 of 200 others were accepted.
    assert (found.accepted, found.rejected) == (300, 100)
    assert [one.state for one in found.followed] == ["turned round", "still there"]


def version(number, *rules, day=None, signed=False):
    made = Criteria(version=number, valid_from=day, disqualifiers=rules)
    if not signed:
        return made
    from mqlml.criteria.file import criteria_digest

    digest = criteria_digest(made)
    teams = [
        SignOff(team=t, who="A", on="1970-01-01", digest=digest) for t in ("marketing", "sales")
    ]
    return made.model_copy(update={"signed": tuple(teams)})


def test_a_rule_in_force_that_keeps_the_leads_away_is_told_by_the_share_of_verdicts():
    second = version(2, RULE, day="1970-05-01", signed=True)
    acts = replace(NOTHING, criteria=(Criteria(version=1), second))
    found = followed(NO_ANSWER, acts=acts, base=judged(on_it=3))
    # 300 of 1,000 then and 3 of 300 now: Wilson gives .273 to .329, and .003 to .029.
    assert (found.state, found.is_settled) == ("kept from sales", True)
    assert found.sentence == (
        "source of the lead = fair: kept from sales: 30 % of the verdicts were on such leads"
        " then, 1 % are now; criteria version 2 holds the rule from 1970-05-01 on,"
        " signed by both teams"
    )
    # As many as before: the rule holds nobody back.
    assert followed(NO_ANSWER, acts=acts).state == "too few verdicts yet"
    nobody = followed(NO_ANSWER, acts=acts, base=judged(0, 0))
    assert nobody.state == "too few verdicts yet"
    # Without a rule, fewer leads of the fair are chance or season, not the review's doing.
    assert followed(NO_ANSWER, base=judged(3)).state == "too few verdicts yet"


@pytest.mark.parametrize(
    ("versions", "words", "is_ruled"),
    [
        ((version(2, RULE),), "criteria version 2 holds the rule, not signed by both teams", True),
        (
            (version(3, Rule(name="fair", when="\"source\"  =  'fair'")),),
            "criteria version 3 holds the rule, not signed by both teams",
            True,
        ),
        (
            (version(1), version(2, RULE, day="1970-08-01")),  # day 212
            "criteria version 2 will hold the rule from 1970-08-01 on",
            False,
        ),
        (
            (version(1, RULE), version(2, day="1970-05-01")),
            "the rule of criteria version 1 is not in force any more",
            False,
        ),
        ((version(2, RULE, day="1970-08-01"), version(3, RULE, day="1970-09-01")), None, False),
    ],
)
def test_a_draft_is_taken_when_a_version_in_force_holds_its_rule(versions, words, is_ruled):
    done = done_about(FAIR, replace(NOTHING, criteria=versions))
    assert done.is_ruled is is_ruled
    if words is None:
        words = "criteria version 3 will hold the rule from 1970-09-01 on"
    assert done.words == (words,)


def test_what_the_config_and_trainings_did_is_told():
    visits = replace(FAIR, feature="visits", asked="amount", draft="training", rule="", when="")
    trained = (
        Training("2", 99 * DAY, "1970-04-10", "manual", is_champion=False),  # before the review
        Training("3", 100 * DAY, "1970-04-11", "review", is_champion=True),
        Training("4", 150 * DAY, "1970-05-31", "manual", is_champion=False),
    )
    acts = replace(NOTHING, trainings=trained, drop=("visits",), monotone={"visits": -1})
    assert done_about(visits, acts).words == (
        "model.drop holds the column, the champion has it still",
        "model.monotone holds the column (-1)",
        "version 3 (trained 1970-04-11 for reason review) is champion",
        "version 4 (trained 1970-05-31 for reason manual) is not champion",
    )
    dropped = replace(acts, columns=("source",), monotone={}, trainings=())
    assert done_about(visits, dropped).words == ("the champion has the column no more",)
    # A finding without a drafted rule is not answered by a rule without a condition.
    assert done_about(visits, replace(NOTHING, criteria=(version(2, RULE),))).words == ()


def test_what_a_review_keeps_the_next_one_reads():
    names = ("feature", "asked", "sentence", "effect", "low", "high", "tier", "verdicts")
    rows = [
        ("source = fair", "level", "source", -0.8, -1.2, -0.4, "confirmed", 90),
        ("visits", "amount", "visits", 0.4, 0.1, 0.7, "indicated", 300),
        ("country = de", "level", "country", 0.0, -0.4, 0.4, "none", 50),
    ]
    found = SimpleNamespace(findings=pd.DataFrame(rows, columns=names))
    drafts = (Draft("criteria", "source = fair", "keep them", RULE), Draft("data", "visits", "x"))
    first, second = earlier_findings(found, drafts, judged(), until=7)
    assert (first.draft, first.rule, first.when) == ("criteria", RULE.name, RULE.when)
    assert (first.verdicts, first.judged, first.until) == (90, 300, 7)
    assert (second.draft, second.tier, second.verdicts) == ("", "indicated", 300)
    assert [read_earlier(kept_document(one)) for one in (first, second)] == [first, second]


def test_verdicts_since_a_moment_are_those_at_it_or_later():
    at = pd.to_datetime([1, 2, 3], unit="us", utc=True)
    frame = pd.DataFrame({"lead_id": ["a", "b", "c"], "given_at": at, "accepted": [1.0, 0, 1]})
    base = Judged(frame, pd.DataFrame({"x": [1, 2, 3]}), frame.head(1), 5)
    newer = judged_since(base, 2)
    assert list(newer.rows["lead_id"]) == ["b", "c"]
    assert list(newer.matrix["x"]) == [2, 3]
    assert newer.procedural.empty
