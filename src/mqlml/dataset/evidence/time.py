"""Columns that stand for the calendar, and orders and identifiers that stand for the outcome."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from mqlml.dataset.evidence.buckets import Buckets, Counts, count, make_buckets, totals
from mqlml.dataset.evidence.figures import forward_discrimination, ranking
from mqlml.dataset.evidence.leaks import HONEST_AUC
from mqlml.dataset.evidence.sample import BLOCKS, Sample
from mqlml.dataset.evidence.views import converted_by_value, converted_in_order
from mqlml.dataset.findings import Action, Finding

CLOCK_AUC = 0.9
ORDER_AUC = 0.93
ID_SHARE = 0.5
LEAST_IDS = 100


def clock_column(name: str, buckets: Buckets, sample: Sample) -> Iterator[Finding]:
    """Yield a warning if the column tells early from late rows almost surely.

    Learnt on every other row and judged on the rest, so that a column of many
    rare values does not pass for a clock.
    """
    is_late = (sample.block >= BLOCKS // 2).astype(float)
    is_learnt = np.arange(len(is_late)) % 2 == 0
    width = len(buckets.names)
    late, early, judged_late, judged_early = (
        totals(buckets.codes[part], side[part], width)
        for part in (is_learnt, ~is_learnt)
        for side in (is_late, 1 - is_late)
    )
    if min(judged_late.sum(), judged_early.sum()) < 1:
        return
    auc = ranking((late + 0.5) / (late + early + 1), judged_late, judged_early)
    if auc >= CLOCK_AUC:
        evidence = (
            f"it tells the later half of the time from the earlier with a ROC-AUC of {auc:.3f}: "
            "its values hardly come back, so a model reads the date from it"
        )
        mend = "leave it out with model.drop, unless its values will return"
        seen = converted_by_value(
            Counts(
                totals(buckets.codes, np.ones(len(is_late)), width)[None, :],
                totals(buckets.codes, is_late, width)[None, :],
                buckets.names,
            )
        )
        seen = replace(seen, says="share from the later half of the time, by value")
        yield Finding(name, "clock", evidence, "warn", mend, {"roc_auc": auc}, view=seen)


def identifier_tells(
    name: str, ids: "pd.Series[str]", sample: Sample, worst: Action
) -> Iterator[Finding]:
    """Yield a finding, `worst`, if the form of identifiers ranks later leads by outcome.

    `ids` are the sample's rows, in its order. The ids of the leads are no column
    of the model, but attributes may have been made from them.
    """
    ids = ids.astype("str").reset_index(drop=True)
    digits = pd.to_numeric(ids.str.extract(r"(\d{1,15})\D{0,3}$", expand=False), errors="coerce")
    forms = {
        "the letters before the number": ids.str.extract(r"^(\D{0,12})", expand=False),
        "the letters after the number": ids.str.extract(r"\d(\D{1,3})$", expand=False),
        # Numbers grow, so those of later leads are new; what they begin with comes back.
        "the first digits": ids.str.extract(r"^\D{0,12}(\d{1,2})", expand=False),
        "the number": digits,
        "the last digit": digits % 10,
        "the length": ids.str.len().astype(float),
    }
    for what, values in forms.items():
        counts = count(make_buckets(values), sample)
        found = forward_discrimination(counts)
        if found.low >= HONEST_AUC:
            evidence = (
                f"{what} of {name} alone ranks later leads with a ROC-AUC of {found.auc:.3f} "
                f"(99 % interval {found.low:.3f}–{found.high:.3f}): ids were given by outcome"
            )
            mend = "make sure that no attribute is made from the id, and how the rows were gathered"
            figures = {"roc_auc": found.auc, "roc_auc_low": found.low}
            seen = converted_by_value(counts)
            seen = replace(seen, says=f"share that converted, by {what}")
            yield Finding(name, "id tells the outcome", evidence, worst, mend, figures, view=seen)
            return


def is_like_ids(values: pd.Series) -> bool:
    """Return whether a text column has a value of its own for most leads."""
    filled = values.dropna()
    return len(filled) >= LEAST_IDS and filled.nunique() >= ID_SHARE * len(filled)


def order_tells(sample: Sample) -> Iterator[Finding]:
    """Yield a stop if the rows come in order of their outcome instead of in order of time.

    The one finding that looks at the test's labels too: rows sorted by outcome can leave
    the rest with a single outcome, which would hide the order.
    """
    width = len(sample.label)
    positives = sample.weight * sample.label
    auc = ranking(np.arange(width, dtype=float), positives, sample.weight - positives)
    auc = max(auc, 1 - auc)
    if auc >= ORDER_AUC:
        evidence = f"earlier and later alone ranks leads with a ROC-AUC of {auc:.3f}"
        mend = "the rows seem sorted by outcome: give a real date or order column"
        whole = Buckets(np.zeros(width, dtype=np.intp), ("any",))
        seen = converted_in_order(count(whole, sample))
        what, figures = "order tells the outcome", {"roc_auc": auc}
        yield Finding("as_of", what, evidence, "stop", mend, figures, view=seen)
