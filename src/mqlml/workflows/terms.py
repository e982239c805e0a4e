"""The terms of a scoring run: all that turns a model and the data into scores."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from mqlml.config import Settings
from mqlml.criteria.file import criteria_digest
from mqlml.criteria.settings import Criteria
from mqlml.dataset.settings import PointSettings, TargetSettings
from mqlml.scoring.score import Policy
from mqlml.scoring.settings import PersonaSettings, ReasonsFrom, ScoreSettings

# Where scores are also written changes nothing about them.
_DESTINATIONS = {"postgres_url_env", "postgres_table"}


@dataclass(frozen=True)
class Listed:
    """What a ranked list needs besides its rule: the least probability on it, and the zone.

    `heeds_handovers` says whether leads count as handed over that only the table `handovers`
    tells of; runs of before 2026-12 did not look there, and are given again as they were.
    """

    floor: float
    zone: str
    heeds_handovers: bool = False


@dataclass(frozen=True)
class Terms:
    """Criteria and threshold, personas, what a score carries, and which leads are looked at.

    With a ranked list `mql_probability` is where it was cut, or, before that, where it
    would probably have been.
    """

    criteria: Criteria
    mql_probability: float
    personas: tuple[PersonaSettings, ...]
    scoring: ScoreSettings
    target: TargetSettings
    points: PointSettings
    listed: Listed | None = None

    def policy(self, version: str) -> Policy:
        """Return what scores of model `version` are decided by."""
        return Policy(self.criteria, self.mql_probability, version, self.personas, self.scoring)

    def scoring_policy(self, version: str) -> Policy:
        """Return what all leads together are scored by; a ranked list is cut afterwards."""
        return replace(self.policy(version), is_listed=self.listed is not None)

    def explaining(self, reasons_from: ReasonsFrom | None) -> "Terms":
        """Return these terms with reasons from that band on; None leaves them as they are."""
        if reasons_from is None:
            return self
        scoring = self.scoring.model_copy(update={"reasons_from": reasons_from})
        return replace(self, scoring=scoring)

    @property
    def digest(self) -> str:
        """Return the digest of the criteria."""
        return criteria_digest(self.criteria)

    def to_json(self) -> dict[str, Any]:
        """Return the terms as the ledger keeps them."""
        return {
            "criteria": self.criteria.model_dump(mode="json"),
            "mql_probability": self.mql_probability,
            "personas": [persona.model_dump(mode="json") for persona in self.personas],
            "scoring": self.scoring.model_dump(mode="json", exclude=_DESTINATIONS),
            "target": self.target.model_dump(mode="json"),
            "points": self.points.model_dump(mode="json"),
            **({"listed": asdict(self.listed)} if self.listed else {}),
        }


def terms_from_json(values: Mapping[str, Any]) -> Terms:
    """Return the terms that `to_json` gave."""
    return Terms(
        Criteria.model_validate(values["criteria"]),
        float(values["mql_probability"]),
        tuple(PersonaSettings.model_validate(persona) for persona in values["personas"]),
        ScoreSettings.model_validate(values["scoring"]),
        TargetSettings.model_validate(values["target"]),
        PointSettings.model_validate(values["points"]),
        Listed(**values["listed"]) if "listed" in values else None,
    )


def terms_of(settings: Settings, mql_probability: float, floor: float | None = None) -> Terms:
    """Return the terms that the settings state, with where MQL begins and a list's floor."""
    zone = settings.timezone or "UTC"
    return Terms(
        settings.criteria,
        mql_probability,
        settings.personas,
        settings.scoring,
        settings.target,
        settings.points,
        Listed(floor, zone, heeds_handovers=True) if floor is not None else None,
    )
