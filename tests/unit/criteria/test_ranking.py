"""The ranked list, on lists short enough to be cut by hand."""

from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqlml.criteria.decide import Outcome, decide
from mqlml.criteria.ranking import (
    Listing,
    cut_list,
    first_handed,
    nobody_handed,
    period_start,
)
from mqlml.criteria.settings import Criteria, RankedList, Rule, Thresholds
from mqlml.timeline import MICROS_PER_DAY, MICROS_PER_HOUR

MONDAY = 4 * MICROS_PER_DAY  # 1970-01-05


def ruled(**leads: tuple[float, str]) -> pd.DataFrame:
    """Return leads by name with probability and what the rules alone say."""
    rows = [(lead, chance, outcome, "by rule") for lead, (chance, outcome) in leads.items()]
    return pd.DataFrame(rows, columns=["lead_id", "probability", "outcome", "because"])


def listing(most, *, floor=0.0, handed=None, **rule):
    gone = nobody_handed()
    if handed:
        rows = {"as_of": [at for at, _ in handed.values()]}
        rows["is_hand_raiser"] = [is_raised for _, is_raised in handed.values()]
        gone = pd.DataFrame(rows, pd.Index(list(handed), dtype="str", name="lead_id"))
    return Listing(RankedList(most=most, **rule), floor, 0.5, MONDAY, "UTC", gone)


def outcomes(leads, of):
    decided, _ = cut_list(leads, of)
    return dict(zip(leads["lead_id"], decided["outcome"], strict=True))


FIVE = {
    "a": (0.9, "mql"),
    "b": (0.6, "mql"),
    "c": (0.5, "mql"),
    "d": (0.3, "mql"),
    "e": (0.29, "mql"),
}


def test_the_best_take_the_places_and_the_rest_are_warm_or_cold_by_the_cut() -> None:
    leads = ruled(**FIVE)
    decided, cut = cut_list(leads, listing(2))
    # The second takes the last place, so the cut is .6 and warm begins at .3.
    assert cut.probability == 0.6
    assert list(decided["outcome"]) == ["mql", "mql", "warm", "warm", "cold"]
    assert (cut.listed, cut.taken, cut.used, cut.staying) == (5, 2, 0, 0)


def test_every_listed_lead_is_told_its_rank_and_the_capacity() -> None:
    decided, _ = cut_list(ruled(**FIVE), listing(2))
    assert list(decided["because"][:3]) == [
        "ranked 1st of 5 this week; capacity 2",
        "ranked 2nd of 5 this week; capacity 2",
        "ranked 3rd of 5 this week; capacity 2",
    ]


def test_places_taken_earlier_in_the_period_are_gone_and_older_ones_are_not() -> None:
    handed = {"x": (MONDAY, False), "y": (MONDAY - 1, False)}
    decided, cut = cut_list(ruled(**FIVE), listing(2, handed=handed))
    assert list(decided["outcome"]) == ["mql", "warm", "warm", "cold", "cold"]
    assert (cut.used, cut.probability) == (1, 0.9)
    assert decided["because"][0] == "ranked 2nd of 6 this week; capacity 2"


def test_without_a_place_left_the_best_is_warm_and_its_probability_the_cut() -> None:
    handed = {"x": (MONDAY, False)}
    decided, cut = cut_list(ruled(**FIVE), listing(1, handed=handed))
    assert (cut.taken, cut.probability) == (0, 0.9)
    assert list(decided["outcome"]) == ["warm"] * 3 + ["cold"] * 2


def test_with_places_to_spare_the_floor_decides() -> None:
    decided, cut = cut_list(ruled(**FIVE), listing(9, floor=0.4))
    assert (cut.taken, cut.probability) == (3, 0.4)
    assert list(decided["outcome"]) == ["mql", "mql", "mql", "warm", "warm"]
    assert decided["because"][3] == (
        "probability 30.0 % is below the least for the ranked list, 40.0 %"
    )


@pytest.mark.parametrize(("count", "left"), [(True, ["b"]), (False, ["a", "b"])])
def test_hand_raisers_take_places_if_it_is_declared(count, left) -> None:
    leads = ruled(raised=(0.01, "hand_raiser"), a=(0.4, "mql"), b=(0.7, "mql"))
    found = outcomes(leads, listing(2, hand_raisers_count=count))
    assert found["raised"] == "hand_raiser"
    assert sorted(lead for lead, said in found.items() if said == "mql") == left


@pytest.mark.parametrize(("count", "left"), [(True, []), (False, ["a"])])
def test_hand_raisers_of_earlier_days_took_places_if_it_is_declared(count, left) -> None:
    handed = {"raised": (MONDAY + 1, True)}
    found = outcomes(ruled(a=(0.4, "mql")), listing(1, handed=handed, hand_raisers_count=count))
    assert [lead for lead, said in found.items() if said == "mql"] == left


def test_who_was_handed_over_stays_and_takes_no_place_again() -> None:
    leads = ruled(old=(0.01, "mql"), a=(0.4, "mql"), b=(0.3, "mql"))
    decided, cut = cut_list(leads, listing(1, handed={"old": (MONDAY - 1, False)}))
    assert list(decided["outcome"]) == ["mql", "mql", "warm"]
    assert decided["because"][0] == "handed over on 1970-01-04, stays an MQL"
    assert (cut.staying, cut.taken) == (1, 1)


def test_who_falls_below_the_declared_share_of_the_cut_stays_no_longer() -> None:
    handed = {"low": (MONDAY - 1, False), "high": (MONDAY - 1, False)}
    leads = ruled(low=(0.19, "mql"), high=(0.2, "mql"), a=(0.4, "mql"), b=(0.3, "mql"))
    decided, _ = cut_list(leads, listing(1, handed=handed, stays_from=0.5))
    assert list(decided["outcome"]) == ["cold", "mql", "mql", "warm"]
    assert decided["because"][0] == "handed over on 1970-01-04, no longer an MQL: below 20.0 % now"


def test_rules_outrank_the_list_even_for_leads_that_were_handed_over() -> None:
    handed = {"out": (MONDAY - 1, False), "gate": (MONDAY - 1, False)}
    leads = ruled(out=(0.9, "disqualified"), gate=(0.9, "warm"), a=(0.4, "mql"))
    decided, cut = cut_list(leads, listing(1, handed=handed))
    assert list(decided["outcome"]) == ["disqualified", "warm", "mql"]
    assert list(decided["because"][:2]) == ["by rule", "by rule"]
    assert cut.listed == 1


def test_equal_probabilities_are_ranked_by_the_digest_of_the_lead_id() -> None:
    names = ["u", "v", "w", "x"]
    first = min(names, key=lambda name: sha256(name.encode()).hexdigest())
    for order in (names, names[::-1]):
        found = outcomes(ruled(**dict.fromkeys(order, (0.5, "mql"))), listing(1))
        assert [lead for lead, said in found.items() if said == "mql"] == [first]


def test_a_week_begins_on_monday_and_a_day_at_midnight_of_the_zone() -> None:
    wednesday = MONDAY + 2 * MICROS_PER_DAY + 5 * MICROS_PER_HOUR
    assert period_start(wednesday, "week", "UTC") == MONDAY
    assert period_start(wednesday, "day", "UTC") == MONDAY + 2 * MICROS_PER_DAY
    assert period_start(MONDAY, "week", "UTC") == MONDAY
    # Berlin was an hour ahead: its Monday began at 23:00 UTC on Sunday.
    assert period_start(MONDAY - MICROS_PER_HOUR, "week", "Europe/Berlin") == (
        MONDAY - MICROS_PER_HOUR
    )


def test_the_week_in_which_the_clocks_change_begins_at_its_own_midnight() -> None:
    friday = int(pd.Timestamp("2025-03-31T10:00", tz="Europe/Berlin").value // 1000)
    sunday = int(pd.Timestamp("2025-03-30T10:00", tz="Europe/Berlin").value // 1000)
    begun = {"2025-03-31": friday, "2025-03-24": sunday}
    for day, at in begun.items():
        midnight = pd.Timestamp(day, tz="Europe/Berlin").value // 1000
        assert period_start(at, "week", "Europe/Berlin") == midnight


def slow_outcomes(leads: pd.DataFrame, of: Listing) -> list[str]:
    """Decide lead by lead, as one would with paper."""
    handed = dict(zip(of.handed.index, of.handed["as_of"], strict=True))
    used = sum(at >= of.start for at in handed.values())
    rows = leads.to_dict("records")
    used += sum(r["outcome"] == "hand_raiser" and r["lead_id"] not in handed for r in rows)
    queue = [
        r
        for r in rows
        if r["outcome"] == "mql" and r["lead_id"] not in handed and r["probability"] >= of.floor
    ]
    queue.sort(key=lambda r: (-r["probability"], sha256(r["lead_id"].encode()).hexdigest()))
    room = max(of.rule.most - used, 0)
    taken = {r["lead_id"] for r in queue[:room]}
    place = max(room - 1, 0)
    cut = of.floor if len(queue) <= room else queue[place]["probability"]
    told = []
    for row in rows:
        said = row["outcome"]
        stays = row["lead_id"] in handed and row["probability"] >= of.rule.stays_from * cut
        if said == "mql" and (row["lead_id"] in taken or stays):
            told.append("mql")
        elif said in {"mql", "warm"}:
            told.append("warm" if row["probability"] >= cut * of.warm_share else "cold")
        else:
            told.append(said)
    return told


LEADS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 0.2, 0.2, 0.5, 0.51, 0.9, 1.0]),
        st.sampled_from(["mql", "mql", "mql", "warm", "hand_raiser", "disqualified"]),
        st.sampled_from([None, None, MONDAY - 1, MONDAY, MONDAY + 5]),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(
    LEADS, st.integers(1, 6), st.sampled_from([0.0, 0.15, 0.5]), st.sampled_from([0.0, 0.5, 1.0])
)
def test_the_list_is_what_paper_says_never_over_capacity_and_order_is_nothing(
    drawn, most, floor, stays_from
) -> None:
    leads = ruled(**{f"lead{i}": (chance, said) for i, (chance, said, _) in enumerate(drawn)})
    handed = {f"lead{i}": (at, False) for i, (_, _, at) in enumerate(drawn) if at is not None}
    of = listing(most, floor=floor, handed=handed, stays_from=stays_from)
    decided, cut = cut_list(leads, of)
    assert list(decided["outcome"]) == slow_outcomes(leads, of)
    assert cut.taken <= max(most - cut.used - cut.raised, 0)
    shuffled = leads.iloc[::-1].reset_index(drop=True)
    again, same = cut_list(shuffled, of)
    assert same == cut
    assert list(again["outcome"])[::-1] == list(decided["outcome"])
    assert list(again["because"])[::-1] == list(decided["because"])


def test_weeks_of_random_leads_never_hand_over_more_than_agreed() -> None:
    random = np.random.default_rng(4)
    handed = nobody_handed()
    rule = RankedList(most=7)
    criteria = Criteria(
        version=1,
        icp_gate=(Rule(name="size", when="size > 1"),),
        thresholds=Thresholds(ranked=rule),
    )
    for day in range(28):
        now = MONDAY + day * MICROS_PER_DAY
        rows = pd.DataFrame({"size": random.integers(0, 5, 40)})
        chance = np.round(random.random(40), 2)
        told = decide(chance, rows, criteria, 0.0)
        told["lead_id"] = [f"l{n}" for n in random.integers(0, 400, 40)]
        told["probability"] = chance
        told = told.drop_duplicates("lead_id")
        start = period_start(now, "week", "UTC")
        decided, _ = cut_list(told, Listing(rule, 0.3, 0.5, start, "UTC", handed))
        fresh = told["lead_id"][(decided["outcome"] == Outcome.MQL).to_numpy()]
        fresh = fresh[~fresh.isin(handed.index)]
        new = pd.DataFrame({"as_of": now, "is_hand_raiser": False}, pd.Index(fresh, dtype="str"))
        handed = pd.concat([handed, new])
    weeks = (handed["as_of"].astype("int64") - MONDAY) // (7 * MICROS_PER_DAY)
    assert weeks.value_counts().to_dict() == {0: 7, 1: 7, 2: 7, 3: 7}


def handed(**leads):
    rows = {"as_of": [at for at, _ in leads.values()]}
    rows["is_hand_raiser"] = [is_raised for _, is_raised in leads.values()]
    return pd.DataFrame(rows, pd.Index(list(leads), dtype="str", name="lead_id"))


def test_of_all_that_tells_of_handovers_each_leads_first_time_counts() -> None:
    scored = handed(a=(MONDAY, False), b=(MONDAY + 5, False))
    crm = handed(a=(MONDAY, True), b=(MONDAY + 2, True), c=(MONDAY + 9, False))
    found = first_handed(nobody_handed(), scored, crm)
    assert found.to_dict("index") == handed(
        a=(MONDAY, False), b=(MONDAY + 2, True), c=(MONDAY + 9, False)
    ).to_dict("index")
