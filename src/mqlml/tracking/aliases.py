"""Who is champion, who was before, who waits: aliases in MLflow, and on each version why.

A change is written on the version first, then the alias `champion` moves in one step, then the
other aliases follow. Killed anywhere, there is one champion, the old or the new; what was
written on it tells `settle` what is still to be done.
"""

import json
from dataclasses import asdict
from functools import partial
from typing import Any

from mqlml.reports.words import day
from mqlml.tracking.races import written
from mqlml.tracking.records import ChampionChange, ModelRef
from mqlml.tracking.registry import CHAMPION, find_alias

CHALLENGER = "challenger"
PREVIOUS = "previous"
_CHANGE = "mqlml.change"
_WORDS = {
    "train": "trained",
    "retrain": "retrained",
    "promote": "promoted",
    "rollback": "brought back",
    "by hand": "set in MLflow by hand",
}


_CHAMPION_SINCE = "Champion since"


def make_champion(client: Any, ref: ModelRef, change: ChampionChange) -> None:
    """Let the alias `champion` point to `ref`, with the change written on the version before."""
    write_change(client, ref, change)
    written(partial(client.set_registered_model_alias, ref.name, CHAMPION, ref.version))
    settle(client, ref, change)


def write_change(client: Any, ref: ModelRef, change: ChampionChange) -> None:
    """Write on the version why it is champion, for programs and in a sentence for people."""
    tags = {
        _CHANGE: json.dumps(asdict(change), sort_keys=True),
        "mqlml.promoted_as_of": str(change.as_of),
        "mqlml.promoted_reason": change.reason,
    }
    for key, value in tags.items():
        written(partial(client.set_model_version_tag, ref.name, ref.version, key, value))
    said = client.get_model_version(ref.name, ref.version).description or ""
    told = _described(said, change_sentence(change))
    client.update_model_version(ref.name, ref.version, description=told)


def _described(said: str, sentence: str) -> str:
    r"""Return a version's description with the latest word on who is champion in front.

    >>> _described("Champion since 1 Mar: a\n\nTrained well.", "Champion since 9 Mar: b")
    'Champion since 9 Mar: b\n\nTrained well.'
    """
    first, _, rest = said.partition("\n\n")
    kept = rest if first.startswith(_CHAMPION_SINCE) else said
    return f"{sentence}\n\n{kept}" if kept else sentence


def settle(client: Any, ref: ModelRef, change: ChampionChange) -> None:
    """Bring the aliases `previous` and `challenger` in line with the champion's change."""
    before = find_alias(client, ref.name, PREVIOUS)
    if change.previous and (before is None or str(before.version) != change.previous):
        written(partial(client.set_registered_model_alias, ref.name, PREVIOUS, change.previous))
    if not change.previous and before is not None:
        client.delete_registered_model_alias(ref.name, PREVIOUS)
    waiting = find_alias(client, ref.name, CHALLENGER)
    if waiting is not None and str(waiting.version) == ref.version:
        client.delete_registered_model_alias(ref.name, CHALLENGER)


def read_change(client: Any, ref: ModelRef) -> ChampionChange | None:
    """Return the change that is written on a version; None if there is none that makes sense."""
    text = client.get_model_version(ref.name, ref.version).tags.get(_CHANGE)
    try:
        return None if text is None else ChampionChange(**json.loads(text))
    except (ValueError, TypeError):
        return None  # edited by hand: as good as none


def change_sentence(change: ChampionChange) -> str:
    """Return who is champion since when and why, in a sentence.

    >>> change_sentence(ChampionChange(2, "retrain", 1_772_409_600_000_000, "7", "6", "drift",
    ...     "concept: small firms buy now"))
    'Champion since 2 Mar 2026: retrained (drift): concept: small firms buy now'
    """
    return f"{_CHAMPION_SINCE} {day(change.as_of)}: {change_words(change)}"


def change_words(change: ChampionChange) -> str:
    """Return how and why a version became champion.

    >>> change_words(ChampionChange(3, "rollback", 0, "6", why="sales complains", by="bo"))
    'brought back by bo: sales complains'
    """
    by = f" by {change.by}" if change.by else ""
    named = change.reason if not change.by and change.reason != change.kind else ""
    reason = f" ({named})" if named and named != "manual" else ""
    why = f": {change.why}" if change.why else ""
    return f"{_WORDS.get(change.kind, change.kind)}{by}{reason}{why}"
