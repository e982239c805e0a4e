"""One review: verdicts by grade, reason and rep, and each feature's belief beside its verdict."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mqlml.review.findings import conditional_findings, finding_sentences
from mqlml.review.funnel import FUNNEL_COLUMNS, Aftermath
from mqlml.review.reps import Agreement, rep_agreement, rep_strictness
from mqlml.review.terms import rejected_terms
from mqlml.review.unseen import unseen_reasons, unseen_sentences
from mqlml.review.verdicts import Judged, acceptance_by, reasons_given


@dataclass(frozen=True)
class Became:
    """What became of the leads: the funnel by month, and what followed each verdict."""

    funnel: pd.DataFrame
    after: Aftermath


def nothing_became() -> Became:
    """Return what is known where no lead was handed over."""
    names = ["group", "leads", "known", "conversions", "rate", "low", "high"]
    empty = Aftermath(pd.DataFrame(columns=names), ())
    return Became(pd.DataFrame(columns=list(FUNNEL_COLUMNS)), empty)


@dataclass(frozen=True)
class Review:
    """The answer, as values and frames; see the functions that make each."""

    accepted: int
    rejected: int
    sentences: tuple[str, ...]
    findings: pd.DataFrame
    by_grade: pd.DataFrame
    by_reason: pd.DataFrame
    by_rep: pd.DataFrame
    warnings: tuple[str, ...]
    strictness: pd.DataFrame = field(default_factory=pd.DataFrame)
    agreement: Agreement = field(default_factory=lambda: Agreement(0, 0, float("nan")))
    unseen: pd.DataFrame = field(default_factory=pd.DataFrame)
    terms: pd.DataFrame = field(default_factory=pd.DataFrame)
    became: Became = field(default_factory=nothing_became)


def review_verdicts(
    judged: Judged, importance: pd.DataFrame, became: Became | None = None
) -> Review:
    """Return what sales' verdicts say of grades, reps and what the model leans on.

    Args:
        judged: see `judged_leads`; terms are looked for where its rows have notes.
        importance: column, sentence, importance and direction of the model's features.
        became: what became of the leads, where that is known.
    """
    accepted = judged.rows["accepted"].to_numpy(dtype=np.float64)
    findings = conditional_findings(judged, importance)
    unseen = unseen_reasons(judged)
    terms = rejected_terms(judged) if "note" in judged.rows else pd.DataFrame()
    return Review(
        accepted=int(accepted.sum()),
        rejected=int(len(accepted) - accepted.sum()),
        sentences=(*finding_sentences(findings), *unseen_sentences(unseen)),
        findings=findings,
        by_grade=acceptance_by(judged.rows["grade"], accepted),
        by_reason=reasons_given(judged),
        by_rep=acceptance_by(judged.rows["who"], accepted),
        strictness=rep_strictness(judged),
        agreement=rep_agreement(judged),
        unseen=unseen,
        terms=terms,
        became=became or nothing_became(),
        warnings=tuple(_warnings(judged, findings)),
    )


def _warnings(judged: Judged, findings: pd.DataFrame) -> list[str]:
    warnings = []
    if judged.unscored:
        warnings.append(f"{judged.unscored} verdicts are on leads that were never scored before")
    if len(judged.procedural):
        warnings.append(
            f"{len(judged.procedural)} verdicts are about records or timing, not quality: left out"
        )
    if len(findings) and findings["effect"].isna().all():
        warnings.append("too few verdicts to hold features against: fifty of each kind are needed")
    return warnings
