"""One review: verdicts by grade, reason and rep, and each feature's belief beside its verdict."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mqlml.review.findings import conditional_findings, finding_sentences
from mqlml.review.verdicts import Judged, acceptance_by, reasons_given


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


def review_verdicts(judged: Judged, importance: pd.DataFrame) -> Review:
    """Return what sales' verdicts say of grades, reps and what the model leans on.

    Args:
        judged: see `judged_leads`.
        importance: column, sentence, importance and direction of the model's features.
    """
    accepted = judged.rows["accepted"].to_numpy(dtype=np.float64)
    findings = conditional_findings(judged, importance)
    return Review(
        accepted=int(accepted.sum()),
        rejected=int(len(accepted) - accepted.sum()),
        sentences=finding_sentences(findings),
        findings=findings,
        by_grade=acceptance_by(judged.rows["grade"], accepted),
        by_reason=reasons_given(judged),
        by_rep=acceptance_by(judged.rows["who"], accepted),
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
