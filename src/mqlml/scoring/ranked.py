"""Scores cut by a ranked list: first everybody's probability, then who finds a place."""

from typing import Any

import pandas as pd

from mqlml.criteria.decide import Outcome
from mqlml.criteria.ranking import Cut, Listing, cut_list
from mqlml.scoring.figures import is_explained
from mqlml.scoring.settings import ReasonsFrom


def ranked_scores(scores: pd.DataFrame, listing: Listing) -> tuple[pd.DataFrame, Cut]:
    """Return the scores with outcome and because by the list, and how it was cut.

    Args:
        scores: of all open leads together, by a policy with `is_listed`.
        listing: see `cut_list`.
    """
    decided, cut = cut_list(scores[["lead_id", "probability", "outcome", "because"]], listing)
    return scores.assign(outcome=decided["outcome"], because=decided["because"]), cut


def leads_to_explain(scores: pd.DataFrame, lowest: ReasonsFrom) -> "pd.Series[Any]":
    """Return the leads whose place on the list asks for reasons that they do not have yet.

    Hand raisers are explained before the list is cut, and from "cold" on everybody is.
    """
    if lowest == "cold":
        return scores["lead_id"].head(0)
    is_raised = scores["outcome"] == Outcome.HAND_RAISER
    return scores.loc[is_explained(scores["outcome"], lowest) & ~is_raised, "lead_id"]


def with_reasons(scores: pd.DataFrame, explained: pd.DataFrame) -> pd.DataFrame:
    """Return the scores with the reasons of those leads that `explained` has."""
    columns = ["reasons_up", "reasons_down"]
    found = explained.set_index("lead_id")[columns].reindex(scores["lead_id"])
    texts = {name: found[name].to_numpy() for name in columns}
    return scores.assign(
        **{
            name: scores[name].where(pd.isna(text), pd.Series(text, scores.index)).astype("str")
            for name, text in texts.items()
        }
    )
