import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, ndtri
from tests.unit.dataset.simulated_columns import simulated

from mqlml import timeline
from mqlml.dataset.audit import audit, overrides, refuse
from mqlml.dataset.build import Dataset
from mqlml.dataset.evidence.origin import Origin
from mqlml.dataset.settings import AuditSettings
from mqlml.errors import ConfigError, LeakageError
from mqlml.features.plan import Plan, make_plan
from mqlml.features.settings import FeatureSettings, PlanSettings, SignalSettings
from mqlml.tables.contracts import EVENTS, Known

DAY = 86_400_000_000
LEADS = 2_000
# Numbers in an order that has nothing to do with every fifth lead's conversion.
LEAD_IDS = [f"L{i * 7919 % 2003:05d}" for i in range(LEADS)]


def table(*, ids=None, label=None, **columns):
    """A table of 2,000 daily leads of which every fifth converts, and its honest age column."""
    place = np.arange(LEADS)
    label = (place % 5 == 0).astype(float) if label is None else label
    points = pd.DataFrame({
        "lead_id": LEAD_IDS if ids is None else ids,
        "as_of": place * DAY, "cohort": place * DAY, "label": label,
    })  # fmt: skip
    age = (place * 7919 % 61).astype(float)
    return simulated(points, pd.DataFrame({"age": age} | columns))


def findings(made, *, known=None, **allow):
    return audit(
        made.matrix, made.points, made.plan, AuditSettings(allow=allow),
        split=made.split, origin=Origin(known or {}),
    )  # fmt: skip


def stops(found):
    return [(f.column, f.finding) for f in found if f.action == "stop"]


def texts(values):
    return np.array(values, dtype=object)


CONVERTS = np.arange(LEADS) % 5 == 0
OTHERS = np.arange(LEADS) % 5 != 0
# A bell curve in a fixed order that has nothing to do with the outcome, and even shares.
BELL = ndtri((np.arange(LEADS) * 7919 % 1009 + 0.5) / 1009)
EVEN = np.arange(LEADS) * 7919 % 101


def test_honest_columns_are_not_even_mentioned():
    assert findings(table()) == ()


def test_a_number_that_ranks_nearly_all_leads_is_too_good():
    found = findings(table(amount=CONVERTS * 2.0 + BELL))[0]
    assert (found.column, found.finding, found.action) == ("amount", "alone too good", "stop")
    # Two bell curves two deviations apart.
    assert found.figures["roc_auc"] == pytest.approx(ndtr(2 / np.sqrt(2)), abs=0.02)
    assert f"{found.figures['roc_auc']:.3f}" in found.evidence
    assert "sources.leads.attributes.outcome_side" in found.mend
    assert "audit.allow" in found.mend


def test_a_strong_column_within_what_is_honest_is_only_shown():
    (found,) = findings(table(interest=CONVERTS * 1.0 + BELL))
    assert found.figures["roc_auc"] == pytest.approx(ndtr(1 / np.sqrt(2)), abs=0.02)
    assert (found.finding, found.action) == ("strong alone", "warn")


def test_values_are_judged_among_the_leads_that_have_one():
    made = table(potential=np.where(EVEN < 40, CONVERTS * 2.0 + BELL, np.nan))
    found = [f for f in findings(made) if f.finding == "alone too good"]
    assert "later leads that have a value" in found[0].evidence


def test_a_value_that_only_converted_leads_have_stops():
    signed = CONVERTS & (np.arange(LEADS) % 3 == 0)
    made = table(contract=texts(np.where(signed, "signed", "none")))
    (found,) = findings(made)
    assert (found.finding, found.action) == ("appears only for converted leads", "stop")
    # A third of a fifth of the 1,600 development leads, a third of the converted.
    assert "of 107 leads with 'signed', 100.0% converted" in found.evidence
    assert found.figures["share"] == pytest.approx(1 / 3, abs=0.01)


def test_a_value_that_was_filled_in_later_for_old_converted_leads_stops():
    is_old = np.arange(LEADS) < 540
    often = np.arange(LEADS) % 2 == 0
    partner = np.where(is_old, CONVERTS & often, np.arange(LEADS) % 7 == 0)
    made = table(source=texts(np.where(partner, "partner", "web")))
    (found,) = [f for f in findings(made) if f.action == "stop"]
    assert "in the first third of the time" in found.evidence


def test_a_reason_that_only_lost_leads_have_stops():
    lost = OTHERS & (np.arange(LEADS) % 2 == 0)
    made = table(reason=texts([("price", "timing")[i % 2] if x else None
                               for i, x in enumerate(lost)]))  # fmt: skip
    assert ("reason", "appears only for leads that did not convert") in stops(findings(made))


def test_a_column_filled_for_most_converted_and_few_other_leads_stops():
    filled = np.where(CONVERTS, 93, 40) > EVEN
    made = table(budget=np.where(filled, np.arange(LEADS) % 13, np.nan).astype(float))
    (found,) = findings(made)
    assert (found.finding, found.action) == ("fill rate tells the outcome", "stop")
    assert found.figures["filled_converted"] == pytest.approx(0.92, abs=0.02)
    assert found.figures["filled_others"] == pytest.approx(0.40, abs=0.02)


def test_a_column_filled_somewhat_more_for_converted_leads_is_only_shown():
    filled = np.where(CONVERTS, 85, 55) > EVEN
    made = table(phone=np.where(filled, np.arange(LEADS) % 13, np.nan).astype(float))
    found = findings(made)
    assert [(f.finding, f.action) for f in found] == [("fill rate tells the outcome", "warn")]


def undecided(share_filled):
    """Every third lead has no outcome yet; of those, every n-th has the column filled."""
    place = np.arange(LEADS)
    label = np.where(place % 3 == 0, np.nan, (place % 5 == 0).astype(float))
    filled = ~np.isnan(label) | (place % 100 < share_filled)
    return table(label=label, closing_day=np.where(filled, place % 13, np.nan).astype(float))


def test_a_column_filled_only_once_the_outcome_is_known_stops():
    (found,) = findings(undecided(0))
    assert (found.finding, found.action) == ("filled only once the outcome is known", "stop")


def test_a_column_filled_less_while_the_outcome_is_open_is_only_shown():
    (found,) = [f for f in findings(undecided(40)) if f.finding == "filled less while open"]
    assert found.action == "warn"


def test_a_name_that_speaks_of_later_stops_if_the_values_matter():
    made = table(**{"Last Activity Score": CONVERTS * 1.0 + BELL})
    assert stops(findings(made)) == [("Last Activity Score", "named like a later state")]


def test_a_name_that_speaks_of_later_is_only_shown_if_the_values_say_nothing():
    made = table(**{"Deal Closed": (np.arange(LEADS) * 31 % 17).astype(float)})
    (found,) = findings(made)
    assert (found.finding, found.action) == ("named like a later state", "warn")
    assert "'closed' names the end of a lead" in found.evidence


def test_columns_missing_in_the_same_rows_as_a_leak_are_written_together_with_it():
    filled = np.arange(LEADS) % 2 == 0
    leak = np.where(filled, CONVERTS, np.nan)
    beside = np.where(filled, np.arange(LEADS) % 13, np.nan)
    apart = np.where(np.arange(LEADS) % 3 == 0, 1.0, np.nan) * (np.arange(LEADS) % 7)
    found = findings(table(leak=leak, beside=beside, apart=apart))
    assert ("beside", "written together with a leak") in stops(found)
    assert not any(f.column == "apart" for f in found)


def test_a_column_whose_values_do_not_come_back_is_a_clock():
    found = findings(table(rate=np.floor(np.arange(LEADS) / 100)))
    assert [(f.column, f.finding, f.action) for f in found] == [("rate", "clock", "warn")]
    assert "model.drop" in found[0].mend


def test_many_rare_values_are_not_taken_for_a_clock():
    made = table(page=texts([f"p{i * 7919 % 997}" for i in range(LEADS)]))
    assert findings(made) == ()


def test_constant_columns_are_named():
    made = table(magazine=texts(["No"] * LEADS), empty=np.full(LEADS, np.nan))
    assert [(f.column, f.finding) for f in findings(made)] == [
        ("magazine", "constant"),
        ("empty", "constant"),
    ]


def test_ids_given_by_outcome_are_shown():
    ids = [f"{'W' if won else 'N'}{i:05d}" for i, won in enumerate(CONVERTS)]
    (found,) = findings(table(ids=ids))
    assert (found.column, found.finding, found.action) == (
        "lead_id",
        "id tells the outcome",
        "warn",
    )


def test_rows_in_order_of_their_outcome_stop():
    label = (np.arange(LEADS) > 800).astype(float)
    label[[10, 20, 30, 40, 50, 60]] = 1.0
    label[1_000::200] = 0.0
    label[-9::2] = 0.0
    label[1_100:1_500:10] = 0.0
    found = findings(table(label=label))
    assert ("as_of", "order tells the outcome") in stops(found)


def test_rows_loaded_twice_into_development_and_test_are_counted():
    cost = np.arange(LEADS) * 0.37 % 1.0
    cost[-100:], age = cost[:100], (np.arange(LEADS) * 7919 % 61).astype(float)
    age[-100:] = age[:100]
    made = table(cost=cost, age=age)
    (found,) = [f for f in findings(made) if f.column == "(rows)"]
    assert found.action == "warn"
    assert "100 of 400 test rows (25.0%)" in found.evidence


def test_what_is_measured_from_events_is_never_stopped():
    plan = make_plan(
        PlanSettings(
            signals={"demo": SignalSettings(where="type = 'demo'")},
            features=(FeatureSettings(kinds=("count",), signals=("demo",)),),
        ),
        (),
        event_columns=EVENTS.columns,
    )
    made = table()
    (column,) = plan.columns
    matrix = pd.DataFrame({column: CONVERTS.astype(float)})
    found = audit(matrix, made.points, plan, AuditSettings(), split=made.split)
    assert {f.action for f in found} == {"warn"}


def test_a_strong_column_that_is_known_in_time_is_not_mentioned():
    half = np.where(CONVERTS, 85, 55) > EVEN
    made = table(visits=CONVERTS * 1.0 + BELL, phone=np.where(half, EVEN % 13, np.nan))
    dated = {"visits": Known.DATED, "phone": Known.DATED}
    assert len(findings(made)) == 2
    assert findings(made, known=dated) == ()


def test_dated_attributes_are_never_stopped():
    made = table(stage=CONVERTS.astype(float))
    assert stops(findings(made, known={"stage": Known.CREATION}))
    assert not stops(findings(made, known={"stage": Known.DATED}))


def test_an_allowed_column_warns_with_its_reason():
    found = findings(table(quota=CONVERTS.astype(float)), quota="known from the form")
    assert {f.action for f in found} == {"warn"}
    assert all("allowed: known from the form" in f.evidence for f in found)
    assert {f.allowed for f in found} == {"known from the form"}
    assert overrides(found) == {"quota": "known from the form"}
    refuse(found)


def test_an_allowance_needs_a_reason_and_a_column():
    with pytest.raises(ConfigError) as error:
        findings(table(quota=CONVERTS.astype(float)), quota=" ", qouta="known")
    assert [fault.where for fault in error.value.faults] == [
        "audit.allow.quota",
        "audit.allow.qouta",
    ]


def test_a_refusal_names_every_stop():
    made = table(signed=CONVERTS.astype(float), won=texts(np.where(CONVERTS, "a", "b")))
    found = findings(made)
    with pytest.raises(LeakageError) as error:
        refuse(found)
    assert {f.where for f in error.value.faults} == {"column 'signed'", "column 'won'"}
    assert [f.evidence for f in found if f.action == "stop"] == [
        f.found for f in error.value.faults
    ]


def test_nothing_is_refused_without_a_stop():
    refuse(findings(table(rate=np.floor(np.arange(LEADS) / 100))))


def dates(days_after_creation):
    """Text dates so many days after the creation of each lead, None where that is negative."""
    day = np.arange(LEADS) + days_after_creation
    texts_ = pd.to_datetime(day, unit="D").strftime("%Y-%m-%d").to_numpy(dtype=object)
    return np.where(days_after_creation < 0, None, texts_)


def test_dates_after_the_point_that_end_with_the_data_are_records_and_stop():
    # Every lead takes 1 to 101 days; what had not happened on the day of the export is missing.
    took = EVEN + 1
    took = np.where(np.arange(LEADS) + took > LEADS, -1, took)
    (found,) = [f for f in findings(table(paper=dates(took))) if f.action == "stop"]
    assert (found.column, found.finding) == ("paper", "dated after the point")
    assert found.figures["after_share"] == 1.0
    assert found.figures["beyond"] == 0


def test_dates_after_the_point_that_reach_beyond_the_data_are_plans_and_only_shown():
    (found,) = findings(table(start=dates(EVEN + 1)))
    assert (found.finding, found.action) == ("dated after the point", "warn")
    # Dates lie 1 to 101 days ahead, and the data end 7 days after the last lead: of the last
    # 93 leads so many lie beyond as there are days missing, in all about 94 * 93 / 2 / 101.
    assert found.figures["beyond"] == pytest.approx(43, abs=6)


def test_a_date_whose_name_is_the_end_of_a_lead_stops_even_where_it_reaches_beyond_the_data():
    found = findings(table(close_date=dates(EVEN + 1)))
    assert ("close_date", "dated after the point") in stops(found)


def test_dates_before_the_point_are_no_matter():
    born = pd.to_datetime(np.arange(LEADS) - 9_000 - EVEN, unit="D").strftime("%Y-%m-%d")
    assert not any(f.finding == "dated after the point" for f in findings(table(born=texts(born))))


def test_where_an_order_stands_for_time_dates_are_not_compared_with_it():
    made = table(start=dates(EVEN + 1))
    origin = Origin(is_order_time=True)
    assert audit(made.matrix, made.points, made.plan, AuditSettings(), split=made.split,
                 origin=origin) == ()  # fmt: skip


def test_a_group_that_settles_the_outcome_of_many_stops_though_the_column_ranks_poorly():
    # Of 320 converted leads 182 have it, of 1,280 others 25.
    has = np.where(CONVERTS, EVEN < 55, EVEN < 2)
    (found,) = findings(table(paper=texts(np.where(has, "sent", "none"))))
    assert (found.finding, found.action) == ("one value settles the outcome", "stop")
    assert found.evidence.startswith("'none': ")
    assert found.figures["share_of_converted"] == pytest.approx(138 / 320, abs=0.005)
    assert found.figures["share_of_others"] == pytest.approx(1_255 / 1_280, abs=0.005)
    # 138 of 320 of a bell curve end at -0.17, 1,255 of 1,280 at 2.06.
    assert found.figures["distance"] == pytest.approx(2.06 + 0.17, abs=0.03)


def test_a_small_group_that_never_converts_is_only_shown():
    bad = OTHERS & (EVEN < 10)
    found = findings(table(address=texts(np.where(bad, "bad", "good"))))
    assert stops(found) == []


def test_ids_in_a_column_that_were_given_by_outcome_stop():
    ids = texts([f"{'C' if won else 'P'}-{i * 7919 % 2003}" for i, won in enumerate(CONVERTS)])
    (found,) = findings(table(contract=ids))
    assert (found.column, found.finding, found.action) == (
        "contract", "id tells the outcome", "stop",
    )  # fmt: skip


def test_ids_in_a_column_that_were_given_in_turn_are_not_mentioned():
    assert findings(table(session=texts([f"s{i * 7919 % 2003}" for i in range(LEADS)]))) == ()


def history(name, known_at, created_at):
    return pd.DataFrame({
        "lead_id": LEAD_IDS, "name": name,
        "known_at": known_at, "created_at": created_at,
    })  # fmt: skip


CREATED = np.arange(LEADS) * DAY


def dated_findings(known_at, values, *, converted_after_days=40.5):
    """Findings on a dated attribute of a table whose leads convert that long after creation."""
    made = table(note=values)
    converted_at = np.where(CONVERTS, CREATED + int(converted_after_days * DAY), timeline.NEVER)
    origin = Origin({"note": Known.DATED}, history("note", known_at, CREATED))
    points = made.points.assign(converted_at=converted_at)
    return audit(made.matrix, points, made.plan, AuditSettings(), split=made.split, origin=origin)


def test_an_attribute_whose_dates_are_but_the_creation_is_judged_like_an_undated_one():
    leak = CONVERTS * 2.0 + BELL
    assert ("note", "alone too good") in stops(dated_findings(CREATED, leak))
    assert not stops(dated_findings(CREATED + 3 * DAY, leak))


def test_a_dated_attribute_written_in_the_day_before_the_outcome_stops():
    # Dated to the midnight before an outcome at noon.
    (found,) = dated_findings(CREATED + 40 * DAY, EVEN * 1.0)
    assert (found.finding, found.action) == ("written just before the outcome", "stop")
    assert "100.0% had it changed in the day before it, and 0.0% a week earlier" in found.evidence


def test_a_dated_attribute_that_changes_after_the_outcome_is_shown():
    (found,) = dated_findings(CREATED + 45 * DAY, EVEN * 1.0)
    assert (found.finding, found.action) == ("changes after the outcome", "warn")
    assert found.figures == {"share_after": 1.0, "share_usual": 0.0}
    assert "never load it without them" in found.mend


def test_a_dated_attribute_that_changes_at_any_time_is_not_mentioned():
    assert dated_findings(CREATED + EVEN * DAY, EVEN * 1.0) == ()


def test_a_plan_without_columns_has_nothing_to_find():
    made = table()
    assert audit(pd.DataFrame(index=range(LEADS)), made.points, Plan(), AuditSettings(),
                 split=made.split) == ()  # fmt: skip


def test_a_dataset_holds_points_and_matrix_of_the_same_rows():
    made = table()
    dataset = Dataset(made.points, made.matrix, made.plan)
    assert dataset.labels.sum() == 400
    with pytest.raises(ValueError, match="2000 points, but 1999 matrix rows"):
        Dataset(made.points, made.matrix.iloc[1:], made.plan)
    with pytest.raises(ValueError, match="plan's columns"):
        Dataset(made.points, made.matrix.assign(more=1), made.plan)
