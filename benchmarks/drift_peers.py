"""Evidently and NannyML beside this monitoring, on the worlds of `bench-drift`.

`make bench-drift-peers` looks at firms of the reporting seeds whose tag is lost; ours are the
rows that `bench-drift` kept of the same firms. One line a world is kept, so that a run can be
stopped and taken up again.
"""

import argparse
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.drift import BREAKS, FIRST_SEED, PRIORS, kept
from benchmarks.drift_worlds import FIRST_LOOK, HORIZON_WEEKS, LEARNT_WEEKS, Played, draw_firm, play
from benchmarks.results_file import write_rows
from mqlml.monitoring.selection import first_rows
from mqlml.timeline import MICROS_PER_WEEK, NEVER

STILL_WEEKS, AFTER_WEEKS = 20, 12
_WEEKS_A_YEAR = 52.0
_SCRIPT = Path(__file__).with_name("drift_peers_look.py")
# A Monday, so that weekly chunks of the calendar are the weeks of the firm.
_EPOCH = pd.Timestamp("2024-01-01")
_REALISED = "NannyML, realised ROC-AUC"


def worlds_of(seed: int) -> tuple[str, ...]:
    """Return the worlds that a firm plays."""
    return ("none", "concept", PRIORS[seed % len(PRIORS)], "campaign", BREAKS[0])


def exported(played: Played, folder: Path) -> None:
    """Write what a world's leads were as first scored, what came of them, and which weeks count."""
    history = played.history
    first = first_rows(history)
    as_of = history.as_of[first]
    week = as_of // MICROS_PER_WEEK
    probability = history.scores["probability"].to_numpy(np.float64)[first]
    cut = np.quantile(probability[week < LEARNT_WEEKS], 0.8)
    leads = history.matrix.iloc[first].reset_index(drop=True)
    leads = leads.assign(
        source=leads["source"].astype("str").fillna("missing"),
        country=leads["country"].astype("str").fillna("missing"),
        probability=probability,
        decision=(probability >= cut).astype(int),
        label=(history.converted_at[first] != NEVER).astype(int),
        week=week,
        at=_EPOCH + pd.to_timedelta(as_of, unit="us"),
    )
    start, count = FIRST_LOOK, STILL_WEEKS
    if played.world.kind is not None:
        start, count = played.change, AFTER_WEEKS
    weeks = {"reference": LEARNT_WEEKS, "looked": list(range(start, start + count))}
    leads.sort_values("at", kind="stable").to_parquet(folder / "leads.parquet", index=False)
    (folder / "weeks.json").write_text(json.dumps(weeks), encoding="utf-8")


def looked_at(played: Played, python: Path) -> dict[str, list[bool]]:
    """Return the peers' alarms by week."""
    with TemporaryDirectory() as scratch:
        exported(played, Path(scratch))
        words = [str(python), str(_SCRIPT), scratch]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: dict[str, list[bool]] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def table_rows(
    seen: Sequence[dict[str, Any]], ours: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield false alarms and weeks to the first alarm of every peer, then ours on those firms."""
    seeds = {one["seed"] for one in seen}
    still = [one["alarms"] for one in seen if one["world"] == "none"]
    for peer in still[0]:
        weeks = np.concatenate([alarms[peer] for alarms in still])
        fresh = sum(int(np.sum(np.diff(alarms[peer], prepend=0) > 0)) for alarms in still)
        yield _row(f"{peer}: weeks with an alarm, nothing changed", float(weeks.mean()), len(still))
        per_year = fresh / len(weeks) * _WEEKS_A_YEAR
        yield _row(f"{peer}: separate false alarms a year", per_year, len(still))
        late = HORIZON_WEEKS if peer == _REALISED else 0
        for name, own in _by_world(seen).items():
            delays = [_first(one["alarms"][peer], late) for one in own]
            yield _row(
                f"{peer}: weeks to the first alarm, median: {name}", _median(delays), len(own)
            )
    mine = [one for one in ours if one["seed"] in seeds and one["leads"] == 300]
    still = [one for one in mine if one["world"] == "none"]
    if not still:
        return
    alarms = sum(one["false_alarms"] for one in still) / sum(o["quiet_weeks"] for o in still)
    yield _row("mqlml: separate false alarms a year", alarms * _WEEKS_A_YEAR, len(still))
    for name, own in _by_world([one for one in mine if one["world"] in _ALL]).items():
        delays = [99.0 if one["delay"] is None else float(one["delay"]) for one in own]
        yield _row(f"mqlml: weeks to the first alarm, median: {name}", _median(delays), len(own))
        named = [one["named"]["4"]["kind"] == one["kind"] for one in own if "4" in one["named"]]
        yield _row(f"mqlml: kind named four weeks later: {name}", float(np.mean(named)), len(own))


_ALL = ("concept", *PRIORS, "campaign", BREAKS[0])


def _by_world(seen: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in seen:
        if one["world"] != "none":
            name = "prior" if one["world"] in PRIORS else one["world"]
            found.setdefault(name, []).append(one)
    return found


def _first(alarms: Sequence[bool], late: int) -> float:
    raised = np.flatnonzero(alarms)
    return float(raised[0] + 1 + late) if len(raised) else 99.0


def _median(delays: Sequence[float]) -> float:
    return float(np.quantile(delays, 0.5, method="higher"))


def _row(name: str, value: float, count: int) -> dict[str, Any]:
    command = "python -m benchmarks.drift_peers"
    facts = {"name": name, "value": value, "n": count, "unit": ""}
    return facts | {"goal": "", "met": None, "command": command}


def main() -> None:
    """Look, keep, print and write results/drift_peers.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, required=True, help="the peers' Python")
    parser.add_argument("--firms", type=int, default=10)
    parser.add_argument("--keep", type=Path, default=Path("benchmarks/results/drift_peers.jsonl"))
    parser.add_argument("--only-table", action="store_true", help="of what is kept")
    given = parser.parse_args()
    done = {(one["seed"], one["world"]) for one in kept(given.keep)}
    first = FIRST_SEED["report"]
    seeds = [first + len(BREAKS) * i for i in range(given.firms)]
    for seed in () if given.only_table else seeds:
        missing = [name for name in worlds_of(seed) if (seed, name) not in done]
        firm = draw_firm(seed, 300) if missing else None
        for name in missing if firm is not None else ():
            alarms = looked_at(play(firm, name), given.peers)
            with given.keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"seed": seed, "world": name, "alarms": alarms}) + "\n")
    ours = kept(Path("benchmarks/results/drift.jsonl"))
    rows = list(table_rows(kept(given.keep), ours))
    for row in rows:
        print(f"{row['name']:72} {row['value']:8.2f} n={row['n']}")
    print(write_rows("drift_peers", rows))


if __name__ == "__main__":
    main()
