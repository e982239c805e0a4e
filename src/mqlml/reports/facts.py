"""Plain values that several pages share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mqlml.reports.words import capital, counted, short

CONTESTANTS = {
    "base_rate": "Base rate",
    "points_rules": "Points rules",
    "logistic": "Logistic regression",
    "logistic_acceptance": "Logistic regression near sales' acceptance",
    "logistic_verdicts": "Logistic regression with rates of verdicts",
    "segments": "Models by segment",
    "lightgbm": "Gradient boosting",
    "lightgbm_verdicts": "Gradient boosting with rates of verdicts",
    "residual": "Corrected model",
    "champion": "Champion",
    "recalibrated": "Champion, recalibrated",
    "corrected": "Champion, corrected in a few columns",
}
OUTCOMES = {
    "hand_raiser": "Hand raiser",
    "mql": "MQL",
    "warm": "Warm",
    "cold": "Cold",
    "disqualified": "Disqualified",
}
OUTCOME_COUNTS = {
    "hand_raiser": ("hand raiser", "hand raisers"),
    "mql": ("MQL", "MQLs"),
    "warm": ("warm", "warm"),
    "cold": ("cold", "cold"),
    "disqualified": ("disqualified", "disqualified"),
}
KINDS = {
    "prior": "The conversion rate moved",
    "concept": "What makes leads convert changed",
    "covariate": "The leads are of another kind",
    "definition": "The criteria changed",
    "instrumentation": "A data source changed or broke",
    "bots": "Machines open the mails",
    "selection": "Who is handed to sales changed",
    "sales_cycle": "Sales takes another time to close",
    "rollback": "The champion does worse than the one before",
    "test": "This is a test: alerts arrive here",
}
_STAGES = {
    "customer": ("became customers", "became a customer", "become customers"),
    "opportunity": ("became opportunities", "became an opportunity", "become opportunities"),
    "mql": ("became MQLs", "became an MQL", "become MQLs"),
    "sal": ("were accepted by sales", "was accepted by sales", "be accepted by sales"),
    "sql": ("became SQLs", "became an SQL", "become SQLs"),
}
_ANY_STAGE = ("converted", "converted", "convert")


class Named(NamedTuple):
    """A name and its value in words, for a list of facts."""

    name: str
    value: str


@dataclass(frozen=True)
class Warned:
    """Something to know before anything else; `is_stop` is the graver kind.

    `items` are single cases, folded away until somebody asks for them.
    """

    text: str
    detail: str = ""
    is_stop: bool = False
    items: tuple[str, ...] = ()


def contestant_words(name: str) -> str:
    """Return a contestant's name for people."""
    return CONTESTANTS.get(name, short(name))


def outcome_words(name: str) -> str:
    """Return an outcome's name for people."""
    return OUTCOMES.get(name, short(name))


def outcome_counts(counts: Mapping[str, int]) -> list[str]:
    """Return how many leads have each outcome, those for sales first.

    >>> outcome_counts({"cold": 1200, "mql": 1, "hand_raiser": 2})
    ['2 hand raisers', '1 MQL', '1,200 cold']
    """
    return [counted(counts[n], *words) for n, words in OUTCOME_COUNTS.items() if counts.get(n)]


def kind_words(kind: str) -> str:
    """Return what a kind of change means, for people.

    >>> kind_words("concept"), kind_words("new_thing")
    ('What makes leads convert changed', 'New thing')
    """
    return KINDS.get(kind, capital(short(kind).replace("_", " ")))


def became(stage: str, number: float = 2) -> str:
    """Return what leads did that entered the stage.

    >>> became("customer"), became("sql", 1), became("outcome")
    ('became customers', 'became an SQL', 'converted')
    """
    many, one, _ = _STAGES.get(stage, _ANY_STAGE)
    return one if number == 1 else many


def become(stage: str) -> str:
    """Return what leads will do that enter the stage.

    >>> become("customer"), become("outcome")
    ('become customers', 'convert')
    """
    return _STAGES.get(stage, _ANY_STAGE)[2]
