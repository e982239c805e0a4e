"""Points rules or the base rate in the place of a model that the gates refused.

Only by the config's `model.fallback`, and only where no learnt model serves: a champion that
passed its gates is never replaced by less. A fallback says what it is wherever it is shown.
"""

from dataclasses import replace

from mqlml.config import Settings
from mqlml.modeling.bundle import Bundle
from mqlml.modeling.fallback import stand_in_of
from mqlml.scoring.fallback import rung_of, rung_words
from mqlml.workflows.champion import Loaded
from mqlml.workflows.learning import Learnt, bundle_of
from mqlml.workflows.promotions import PASSED


def with_fallback(
    settings: Settings, learnt: Learnt, champion: Loaded | None, *, seed: int
) -> Learnt:
    """Return what was learnt, or what the config lets stand in if the gates refused it.

    The gates' results stay: they say what would have to change for a learnt model.
    """
    if learnt.passed or not may_stand_in(champion):
        return learnt
    found = stand_in_of(learnt.dataset, learnt.split, settings.model, learnt.result, seed=seed)
    if found is None:
        return learnt
    kept = {name: learnt.bundle.facts[name] for name in ("seed", "sensitive")}
    more = kept | {"fallback": found.to_json()}
    bundle = bundle_of(settings, learnt.tables, learnt.dataset, found.result, more)
    return replace(
        learnt,
        result=found.result,
        bundle=bundle,
        mql_probability=float(bundle.facts["mql_probability"]),
        fallback=found.rung,
    )


def may_stand_in(champion: Loaded | None) -> bool:
    """Return whether nothing better than a fallback serves now."""
    return champion is None or is_fallback(champion.bundle)


def is_fallback(bundle: Bundle) -> bool:
    """Return whether a bundle stands in for a model that passed its gates."""
    return bool(rung_of(bundle))


def fallback_mark(learnt: Learnt) -> str:
    """Return what follows "champion" where it is one for want of a better; empty otherwise."""
    if not learnt.fallback:
        return ""
    return f" as a fallback: {rung_words(learnt.fallback)}, no learnt model"


def promotion_words(learnt: Learnt) -> str:
    """Return why what was trained becomes champion."""
    if not learnt.fallback:
        return PASSED
    failed = ", ".join(gate.name for gate in learnt.gates if not gate.passed)
    return f"{rung_words(learnt.fallback)} stand in: no learnt model passed {failed}"


def recorded_decision(learnt: Learnt) -> str:
    """Return what MLflow says became of a training."""
    if learnt.fallback:
        return f"registered as a fallback: {rung_words(learnt.fallback)}"
    return "registered" if learnt.published else "not published"


def fallback_tags(learnt: Learnt) -> dict[str, str]:
    """Return the tag of a fallback's run; nothing of any other."""
    return {"fallback": learnt.fallback} if learnt.fallback else {}
