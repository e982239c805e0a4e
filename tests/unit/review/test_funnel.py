import numpy as np
import pandas as pd

from mqlml import timeline
from mqlml.dataset.labels import Lifecycles
from mqlml.review.funnel import Waiting, aftermath, monthly_funnel

DAY = timeline.MICROS_PER_DAY
START = int(pd.Timestamp("2025-01-01", tz="UTC").value // 1000)


def at(*days: float) -> pd.Series:
    return pd.Series(pd.to_datetime([START + round(d * DAY) for d in days], unit="us", utc=True))


def cycles(**passed: float) -> Lifecycles:
    ids = sorted(passed)
    times = [timeline.NEVER if np.isnan(passed[i]) else START + round(passed[i] * DAY) for i in ids]
    return Lifecycles(
        pd.Series(ids), np.full(len(ids), START), np.array(times), np.full(len(ids), np.nan), (), ()
    )


def verdicts(*rows: tuple[str, float, str, str | None]) -> pd.DataFrame:
    lead, given, verdict, reason = zip(*rows, strict=True)
    table = {"lead_id": lead, "given_at": at(*given), "verdict": verdict, "reason": reason}
    return pd.DataFrame(table).assign(who="r")


def waiting(end: float, horizon: float = 30) -> Waiting:
    return Waiting(round(horizon * DAY), 0, START + round(end * DAY))


def test_the_funnel_counts_each_lead_in_the_month_of_its_first_handover() -> None:
    handovers = pd.DataFrame(
        {"lead_id": ["a", "b", "a", "c"], "at": at(1, 2, 40, 33)}
    )  # a again in February: it stays January's
    given = verdicts(
        ("a", 3, "accepted", None),
        ("b", 4, "rejected", "no_need"),
        ("b", 9, "accepted", None),
        ("c", 20, "accepted", None),  # before c was handed over
    )
    stages = pd.DataFrame(
        {"lead_id": ["a", "b"], "stage": ["sql", "sql"], "entered_at": at(5, 1)}
    )  # b's was before its handover
    found = monthly_funnel(
        handovers, given, stages, cycles(a=20, b=np.nan, c=np.nan), waiting(end=50)
    )
    january, february = found.to_dict("records")
    assert january == {
        "month": "2025-01",
        "handed_over": 2,
        "judged": 2,
        "accepted": 1,  # b's first verdict was a rejection
        "sql": 1,
        "customers": 1,
        "median_days": 2.0,
        "is_open": False,
    }
    assert (february["month"], february["handed_over"], february["judged"]) == ("2025-02", 1, 0)
    assert february["is_open"]


def test_a_procedural_verdict_is_a_response_and_no_judgement() -> None:
    handovers = pd.DataFrame({"lead_id": ["a"], "at": at(1)})
    given = verdicts(("a", 2, "rejected", "unreachable"), ("a", 5, "accepted", None))
    stages = pd.DataFrame({"lead_id": [], "stage": [], "entered_at": at()})
    row = monthly_funnel(handovers, given, stages, cycles(a=np.nan), waiting(60)).iloc[0]
    assert (row["judged"], row["accepted"], row["median_days"]) == (1, 1, 1.0)


def test_a_conversion_after_the_data_end_is_not_known_yet() -> None:
    handovers = pd.DataFrame({"lead_id": ["a"], "at": at(1)})
    stages = pd.DataFrame({"lead_id": [], "stage": [], "entered_at": at()})
    given = verdicts(("a", 2, "accepted", None))
    early, late = (
        monthly_funnel(handovers, given, stages, cycles(a=10), waiting(end)) for end in (10, 11)
    )
    assert (int(early["customers"].iloc[0]), int(late["customers"].iloc[0])) == (0, 1)


def test_without_handovers_the_funnel_is_empty() -> None:
    nobody = pd.DataFrame({"lead_id": pd.Series([], dtype="str"), "at": at()})
    found = monthly_funnel(
        nobody, verdicts(("a", 1, "accepted", None)), nobody, cycles(), waiting(9)
    )
    assert found.empty


def test_rejected_leads_that_bought_are_counted_and_named() -> None:
    given = verdicts(
        ("a", 1, "rejected", "no_budget"),
        ("b", 1, "rejected", "no_budget"),
        ("c", 1, "rejected", None),
        ("d", 1, "accepted", None),
        ("e", 1, "accepted", None),
        ("f", 90, "accepted", None),  # its horizon is not over
        ("g", 9, "accepted", None),  # a customer before the verdict
        ("x", 9, "accepted", None),  # nobody knows this lead
    )
    found = aftermath(
        given,
        cycles(a=20, b=40, c=np.nan, d=5, e=np.nan, f=np.nan, g=2),
        waiting(end=100),
    )
    table = found.table.set_index("group")
    assert list(table.index) == ["accepted", "rejected: no_budget", "rejected: none given"]
    # b bought on day 40, after its 30 days.
    assert list(table["leads"]) == [3, 2, 1]
    assert list(table["known"]) == [2, 2, 1]
    assert list(table["conversions"]) == [1, 1, 0]
    assert list(table["rate"]) == [0.5, 0.5, 0.0]
    assert found.missed == ("a",)


def test_only_the_last_verdict_on_a_lead_counts() -> None:
    given = verdicts(("a", 1, "rejected", "not_now"), ("a", 4, "accepted", None))
    found = aftermath(given, cycles(a=20), waiting(end=100))
    assert list(found.table["group"]) == ["accepted"]
    assert found.missed == ()


def test_a_group_of_which_nothing_is_known_has_no_rate() -> None:
    found = aftermath(verdicts(("a", 90, "accepted", None)), cycles(a=np.nan), waiting(end=100))
    assert np.isnan(found.table[["rate", "low", "high"]].to_numpy(float)).all()
