"""To which change a look, a retraining or a person's word belongs, by the workspace's ledger."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from mqlml import timeline
from mqlml.monitoring.evidence import Change
from mqlml.monitoring.told import news_among
from mqlml.storage.ledger import read_entries
from mqlml.workflows.project import Project

if TYPE_CHECKING:
    from mqlml.tracking.records import Campaign

CAMPAIGN = "campaign"
_KEY_LENGTH = 16


def campaign_of(
    project: Project, change: Change | None, *, version: str, as_of: int
) -> "Campaign | None":
    """Return the campaign of a change: the one an earlier look at `version` began, or a new one.

    None without a change.
    """
    from mqlml.tracking.records import Campaign

    if change is None:
        return None
    asked = replace(change, is_alarm=True)
    for earlier in _earlier(project, version, as_of):
        if not news_among([asked], [earlier]):
            return Campaign(**earlier)
    text = f"{project.settings.name} {version} {change.kind} {change.since} {change.columns}"
    key = sha256(text.encode()).hexdigest()[:_KEY_LENGTH]
    columns = list(change.columns)
    return Campaign(key, change.kind, change.since, columns, change.evidence, as_of, version)


def campaign_payload(campaign: "Campaign | None") -> dict[str, Any]:
    """Return what an entry of the ledger says of its campaign; nothing without one."""
    return {} if campaign is None else {CAMPAIGN: asdict(campaign)}


def campaign_of_version(project: Project, version: str) -> "Campaign | None":
    """Return the campaign from which a version came; None if it came of no change."""
    from mqlml.tracking.records import Campaign

    for entry in reversed(read_entries(project.workspace.ledger, kind="retrain")):
        if version and entry.payload.get("version") == version and CAMPAIGN in entry.payload:
            return Campaign(**entry.payload[CAMPAIGN])
    return None


def _earlier(project: Project, version: str, as_of: int) -> Iterator[Mapping[str, Any]]:
    for entry in read_entries(project.workspace.ledger, kind="monitor"):
        told = entry.payload.get(CAMPAIGN)
        if told and told["version"] == version and timeline.is_known(entry.as_of, as_of):
            yield told
