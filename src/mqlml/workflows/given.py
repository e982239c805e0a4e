"""What a scoring run answers, and how it compares with what was given before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mqlml.criteria.agreement import agreement_of
from mqlml.criteria.settings import Criteria
from mqlml.reports.facts import outcome_counts
from mqlml.scoring.fallback import fallback_warning
from mqlml.storage.score_runs import ScoreRun
from mqlml.storage.scores import read_score_file
from mqlml.workflows.project import shown_instant
from mqlml.workflows.shadow import Shadowed

_ROWS = ("leads", "attributes", "stages", "events")


@dataclass(frozen=True)
class Compared:
    """A run beside an earlier one of the same model and moment.

    `differing` counts leads with other scores, and leads that only one of the two has.
    """

    earlier: ScoreRun
    is_same: bool
    is_same_data: bool
    differing: int
    rows: tuple[str, ...]

    @property
    def is_same_throughout(self) -> bool:
        """Return whether the same scores came of the same data."""
        return self.is_same and self.is_same_data

    def document(self) -> dict[str, Any]:
        """Return the comparison for programs."""
        return {
            "run": self.earlier.number,
            "same": self.is_same,
            "same_data": self.is_same_data,
            "differing_leads": self.differing,
            "data_digest": self.earlier.data["digest"],
            "scores_digest": self.earlier.scores,
        }

    def sentence(self, *, is_again: bool) -> str:
        """Return what people must know; empty if there is nothing to say."""
        then = f"run {self.earlier.number}"
        changed = ", ".join(self.rows) or "the same number of rows, other values"
        edited = f"what was known at that moment was changed since ({changed})"
        if self.is_same:
            exactly = f"exactly what was given then ({then})" if is_again else ""
            return exactly if self.is_same_data else f"{exactly or then}, although {edited}"
        kept = f"{self.differing:,} leads have other scores; those of then are kept"
        head = f"NOT what was given then ({then})"
        if not self.is_same_data:
            return f"{head}: {edited}. History edited in place cannot be given again. {kept}"
        if is_again:
            return f"{head}, though data and terms are the same: another mqlml wrote it. {kept}"
        return ""


def comparison(
    run: ScoreRun, scores: pd.DataFrame, earlier: ScoreRun | None, folder: Path
) -> Compared | None:
    """Return how `run` compares with an earlier one of its model and moment, None without.

    Raises DataError if the earlier scores cannot be read.
    """
    if earlier is None:
        return None
    is_same = run.scores == earlier.scores
    is_same_data = run.data["digest"] == earlier.data["digest"]
    rows = tuple(
        f"{name} {earlier.data[name]:,} → {run.data[name]:,}"
        for name in _ROWS
        if earlier.data[name] != run.data[name]
    )
    differing = 0 if is_same else _differing(scores, read_score_file(earlier.file(folder)))
    return Compared(earlier, is_same, is_same_data, differing, rows)


def _differing(now: pd.DataFrame, then: pd.DataFrame) -> int:
    both = now[["lead_id", "probability"]].merge(
        then[["lead_id", "probability"]], on="lead_id", how="outer", suffixes=("", "_then")
    )
    return int((both["probability"] != both["probability_then"]).sum())


@dataclass(frozen=True)
class ScoreResult:
    """Where the scores lie, what they say, and whether they are those of then.

    `is_again` says that a past run was asked for; `compared` is None without an
    earlier run of the same model and moment.
    """

    scores: pd.DataFrame
    path: Path
    report: Path
    run: ScoreRun
    criteria: Criteria
    compared: Compared | None
    is_again: bool
    not_profiled: int = 0
    shadowed: Shadowed | None = None
    fallback: str = ""
    persona_changes: tuple[str, ...] = ()

    @property
    def is_other_than_then(self) -> bool:
        """Return whether what was given then was asked for and cannot be given again."""
        return self.is_again and self.compared is not None and not self.compared.is_same

    @property
    def version(self) -> str:
        """Return the version of the model that scored."""
        return self.run.version

    @property
    def as_of(self) -> str:
        """Return the moment of the scores as ISO 8601 text."""
        return shown_instant(self.run.as_of)

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {
            "rows": len(self.scores),
            "not_profiled": self.not_profiled,
            "path": str(self.path),
            "outcomes": dict(self._outcomes()),
            "model": {
                "name": self.run.name,
                "version": self.run.version,
                "fallback": self.fallback or None,
            },
            "criteria": {
                "version": self.criteria.version,
                "digest": self.run.criteria_digest,
                "agreement": agreement_of(self.criteria).value,
            },
            "persona_changes": list(self.persona_changes),
            "mql_probability": self.run.mql_probability,
            "ranked": dict(self.run.listed) if self.run.listed else None,
            "as_of": self.as_of,
            "report": str(self.report),
            "run": self.run.number,
            "data": dict(self.run.data),
            "scores_digest": self.run.scores,
            "given_before": self.compared.document() if self.compared else None,
            "shadow": self.shadowed.document() if self.shadowed else None,
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people."""
        parts = ", ".join(outcome_counts(dict(self._outcomes())))
        yield f"{len(self.scores):,} leads scored as of {self.as_of}: {parts or 'none open'}"
        if self.fallback:
            yield f"FALLBACK: {fallback_warning(self.fallback)}"
        yield from (f"note: {change}" for change in self.persona_changes)
        if self.run.listed:
            yield f"ranked list: {list_words(self.run.listed)}"
        if self.not_profiled:
            yield f"{self.not_profiled:,} leads refused to be profiled and have no score"
        said = self.compared.sentence(is_again=self.is_again) if self.compared else ""
        if said:
            yield said
        if self.shadowed:
            yield from self.shadowed.lines()
        yield f"scores: {self.path}"
        yield f"report: {self.report}"

    def _outcomes(self) -> list[tuple[str, int]]:
        counts = self.scores["outcome"].value_counts()
        return [(str(name), int(rows)) for name, rows in sorted(counts.items())]


def list_words(listed: Mapping[str, Any]) -> str:
    """Return how a ranked list was cut, for people."""
    before = f"{listed['used']:,} places were taken before" if listed["used"] else ""
    raised = f"{listed['raised']:,} by new hand raisers" if listed["raised"] else ""
    rest = f"; {listed['staying']:,} were handed over earlier and stay" if listed["staying"] else ""
    drawn = f"{listed['explored']:,} by chance" if listed.get("explored") else ""
    taken = ", ".join(part for part in (before, raised, drawn) if part)
    shown = f" ({taken})" if taken else ""
    return f"{listed['taken']:,} of {listed['listed']:,} new leads taken{shown}{rest}"
