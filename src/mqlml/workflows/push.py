"""`mqlml push`: the latest scores, written back to a system of the config."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mqlml.delivery.fields import FIELDS, records_of
from mqlml.delivery.memory import DELIVERIES
from mqlml.delivery.push import Line, Pushed, push
from mqlml.delivery.settings import DeliverySettings
from mqlml.delivery.shapes import field_names
from mqlml.errors import ConfigError, DataError, Fault, nearest
from mqlml.storage.score_runs import score_runs
from mqlml.storage.scores import read_score_file
from mqlml.wiring import secret
from mqlml.workflows.project import Project, shown_instant

_MEND_REFUSED = "some leads were refused: see the reasons, mend them, and push again"


@dataclass(frozen=True)
class PushResult:
    """What was delivered where, and of which moment the scores are."""

    name: str
    system: str
    as_of: str
    pushed: Pushed

    def document(self) -> dict[str, Any]:
        """Return the answer for programs; refused leads by id."""
        return {
            "to": self.name,
            "system": self.system,
            "as_of": self.as_of,
            "sent": self.pushed.sent,
            "unchanged": self.pushed.unchanged,
            "refused": [
                {"lead_id": one.record.lead_id, "why": one.why} for one in self.pushed.refused
            ],
        }

    def lines(self) -> Iterator[str]:
        """Yield the answer for people: counts, and reasons without any lead."""
        counts = self.pushed
        yield (
            f"{counts.sent:,} leads sent to {self.name} ({self.system}), "
            f"{counts.unchanged:,} without news, {len(counts.refused):,} refused; "
            f"scores as of {self.as_of}"
        )
        yield from (f"refused: {why} ({leads:,})" for why, leads in counts.reasons.items())
        if counts.refused:
            yield _MEND_REFUSED


def push_scores(project: Project, name: str) -> PushResult:
    """Send the latest scores to the delivery called `name`; only leads with news are sent.

    Raises:
        ConfigError: The config has no such delivery, or its token is not set.
        DataError: Nothing was scored yet, or the system does not take the scores.
    """
    settings = delivery_of(project, name)
    token = (
        secret(project.secrets, settings.token_env, f"delivery.{name}.token_env")
        if settings.token_env
        else None
    )
    from mqlml.delivery.http import sender

    workspace = project.workspace
    runs = [run for run in score_runs(workspace.ledger, project.settings.name) if not run.part]
    if not runs:
        raise DataError(Fault("nothing was scored yet", mend="run mqlml score first"))
    latest = max(runs, key=lambda run: (run.as_of, run.number))
    scores = read_score_file(latest.file(workspace.scores))
    line = Line(settings, sender(settings.timeout_s, token), time.sleep)
    with workspace.lock(f"push-{name}"):
        pushed = push(records_of(scores), line, workspace.root / DELIVERIES / f"{name}.txt")
    return PushResult(name, settings.system, shown_instant(latest.as_of), pushed)


def delivery_of(project: Project, name: str) -> DeliverySettings:
    """Return the delivery of that name; ConfigError naming the nearest if there is none."""
    known = project.settings.delivery
    if name not in known:
        mend = nearest(name, tuple(known)) if known else "add it under `delivery` (docs/push.md)"
        raise ConfigError(Fault("the config has no such delivery", "delivery", repr(name), mend))
    return known[name]


def wanted_fields(settings: DeliverySettings) -> list[dict[str, str]]:
    """Return the fields that the system must have, for who sets them up there."""
    names = field_names(settings)
    return [
        {"field": names[f.name], "label": f.label, "type": f.type, "says": f.says}
        for f in FIELDS
        if f.name in names
    ]
