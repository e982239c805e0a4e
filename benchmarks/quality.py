"""How good probabilities are on the last part of public tables: `make bench-quality`.

Each table is learnt by the project's own tournament, and by peers, from the same rows of the
same features, and judged on what came later. `--block inner` judges on blocks cut out of what
lies before the test, for developing, into results/quality_inner.json; only `--block test` looks
at the test, and says in results/quality.json how often that was done.
"""

import argparse
import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.quality_tables import DATA, TABLES, Judged, inner_blocks, table_of
from benchmarks.results_file import FOLDER, write_rows
from mqlml.modeling.calibration import Floats, fit_calibration, probability_of
from mqlml.modeling.metrics import calibration_error, log_loss, log_losses, measure
from mqlml.modeling.tournament import run_tournament

OURS = "ours"
PEERS = ("autogluon", "flaml", "catboost", "lightgbm", "logistic")
# Log loss of default LightGBM, of logistic regression and of a constant, as the data's README
# tells them.
TOLD = {
    "x_education": (0.405, 0.397, 0.660),
    "olist": (0.318, 0.297, 0.317),
    "bank_marketing": (0.788, 0.570, 0.894),
    "online_shoppers": (0.526, 0.495, 0.537),
    "bpic2012 at +7 d": (0.596, 0.597, 0.696),
    "bpic2012 at +14 d": (0.521, 0.495, 0.674),
}
# Where the constant's log loss is another, rows or labels are: then the two are learnt anew.
_SAME_CONSTANT = 0.002
_LEARNT_ANEW = ("lightgbm", "logistic")
# Tables whose base rate moves between what is learnt from and what is judged.
MOVING = frozenset({"bank_marketing", "online_shoppers"})
# Peers that search by the clock get five times our seconds, and never less than a minute.
_TIMES_OURS, _LEAST_SECONDS, _CORES = 5, 60, 2
_RECALIBRATED_ROWS = 1_000
_SEED, _DRAWS = 0, 200


def main() -> None:
    """Measure, print and, for the test, write results/quality.json."""
    given = _arguments()
    if given.block == "again":
        last = json.loads((FOLDER / "quality.json").read_text(encoding="utf-8"))
        _write(last["tables"], last["looks_at_the_test"])
        return
    look = _looks() + 1
    found: dict[str, dict[str, dict[str, float]]] = {}
    with TemporaryDirectory() as scratch:
        for name in given.tables or TABLES:
            table = table_of(name, given.data, Path(scratch))
            blocks = [table] if given.block == "test" else inner_blocks(table)
            for judged in blocks:
                found[judged.name] = judged_by_all(judged, given.peers, Path(scratch))
                for line in _lines(judged.name, found[judged.name]):
                    print(line, flush=True)
            # After each table: whatever ends the run, the look at the test counts.
            _write(found, look if given.block == "test" else None)
    for row in rows_of(found):
        print(f"{row['name']:64} {row['value']:8.4f} {row['goal']:16} {row['met']}")


def _write(found: Mapping[str, Mapping[str, Mapping[str, float]]], look: int | None) -> None:
    """Write what was found on the tests, by so many looks, or on inner blocks."""
    block = "inner" if look is None else "test"
    command = f"python -m benchmarks.quality --block {block}"
    rows = [row | {"command": command} for row in rows_of(found)]
    if look is None:
        write_rows("quality_inner", rows, tables=found)
    else:
        write_rows("quality", rows, tables=found, looks_at_the_test=look)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--block", choices=("inner", "test", "again"), default="inner",
                        help="'again' judges the figures of the last look once more")  # fmt: skip
    parser.add_argument("--tables", nargs="*", choices=TABLES)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--peers", type=Path, help="the Python of the peers' environment")
    return parser.parse_args()


def _looks() -> int:
    path = FOLDER / "quality.json"
    if not path.is_file():
        return 0
    return int(json.loads(path.read_text(encoding="utf-8"))["looks_at_the_test"])


def judged_by_all(table: Judged, peers: Path | None, scratch: Path) -> dict[str, dict[str, float]]:
    """Return each contender's figures on the judged rows, the constant's among them."""
    labels = table.dataset.points["label"].to_numpy(np.float64)
    rows = np.sort(table.split.test)
    wall, cpu = time.perf_counter(), time.process_time()
    result = run_tournament(table.dataset, table.split, table.settings, seed=_SEED, jobs=2)
    spent = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    said = {OURS: result.test_probabilities}
    said |= {f"our {n}": p for n, p in result.probabilities_by_contestant.items()}
    said[f"{OURS}, recalibrated"] = recalibrated(result.test_probabilities, labels[rows])
    base = float(labels[table.split.development].mean())
    said["constant"] = np.full(len(rows), base)
    times = {OURS: spent}
    if peers is not None:
        # By CPU time: on a busy machine wall time says little of what ours needed.
        seconds = max(_LEAST_SECONDS, round(_TIMES_OURS * spent["cpu_s"] / _CORES))
        for peer, (probability, spent_by_it) in _by_peers(
            table, peers, scratch / "peers", seconds
        ).items():
            said[peer], times[peer] = probability, spent_by_it
    found = {name: figures(labels[rows], p, said[OURS]) for name, p in said.items()}
    for name, seconds_spent in times.items():
        found[name] |= seconds_spent
    found[OURS]["calibration_error_of_luck"] = calibration_error_of_luck(said[OURS])
    return found


def recalibrated(probability: Floats, labels: Floats) -> Floats:
    """Return the probabilities, their level measured anew every 1,000 rows on the 1,000 before.

    That is what recalibrating on the latest mature block does for a model in use; the
    first rows are as they are. Rows come in order of time.
    """
    log_odds = np.log(probability) - np.log1p(-probability)
    moved = log_odds.copy()
    for start in range(_RECALIBRATED_ROWS, len(labels), _RECALIBRATED_ROWS):
        before = slice(start - _RECALIBRATED_ROWS, start)
        now = slice(start, start + _RECALIBRATED_ROWS)
        found = fit_calibration(log_odds[before], log_odds[before], labels[before], "shift")
        moved[now] = found.apply(log_odds[now])
    return probability_of(moved)


def calibration_error_of_luck(probability: Floats) -> float:
    """Return the mean calibration error if every probability were true: no model shows less."""
    generator = np.random.default_rng(_SEED)
    drawn = (generator.random(len(probability)) < probability for _ in range(_DRAWS))
    return float(np.mean([calibration_error(one.astype(float), probability) for one in drawn]))


def figures(labels: Floats, probability: Floats, ours: Floats) -> dict[str, float]:
    """Return the figures of one contender, its log loss beside ours with the standard error."""
    clipped, own = (np.clip(p, 1e-6, 1 - 1e-6) for p in (probability, ours))
    whole = measure(labels, clipped)
    apart = log_losses(labels, clipped) - log_losses(labels, own)
    return {
        "log_loss": log_loss(labels, clipped),
        "roc_auc": whole.roc_auc,
        "pr_auc": whole.pr_auc,
        "calibration_error": whole.calibration_error,
        "predicted_by_observed": float(clipped.sum() / labels.sum()),
        "rows": float(len(labels)),
        "above_ours": float(apart.mean()),
        "above_ours_error": float(apart.std() / np.sqrt(len(apart))),
    }


def _by_peers(
    table: Judged, peers: Path, folder: Path, seconds: float
) -> dict[str, tuple[Floats, dict[str, float]]]:
    """Return the peers' probabilities and seconds; one that fails is told and left out."""
    import pandas as pd

    folder.mkdir(exist_ok=True)
    labels = table.dataset.points["label"].to_numpy(np.float64)
    parts = {"train": np.sort(table.split.development), "judged": np.sort(table.split.test)}
    for part, rows in parts.items():
        matrix = table.dataset.matrix.iloc[rows].reset_index(drop=True)
        matrix.assign(__label=labels[rows].astype(np.int64)).to_parquet(folder / f"{part}.parquet")
    found: dict[str, tuple[Floats, dict[str, float]]] = {}
    for peer in PEERS:
        script = Path(__file__).with_name("quality_peers.py")
        words = [str(peers), str(script), peer, str(folder), str(seconds)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"PEER FAILED: {peer}: {done.stderr.strip().splitlines()[-1:]}", flush=True)
            continue
        said = pd.read_parquet(folder / f"{peer}.parquet")["probability"].to_numpy(np.float64)
        told = json.loads(done.stdout.strip().splitlines()[-1])
        found[peer] = said, {name: float(told[name]) for name in ("cpu_s", "wall_s")}
    return found


def rows_of(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the results file: each goal's figure, then every contender's log loss."""
    yield from _goal_rows(found)
    for table, contenders in found.items():
        ours, is_moving = contenders[OURS], table in MOVING
        error = 0.06 if table == "bank_marketing" else None if is_moving else 0.03
        yield _row(f"{table}: calibration error", ours["calibration_error"], most=error)
        between = None if is_moving else (0.90, 1.10)
        ratio = ours["predicted_by_observed"]
        yield _row(f"{table}: predicted by observed", ratio, between=between)
        if "calibration_error_of_luck" in ours:
            luck = ours["calibration_error_of_luck"]
            yield _row(f"{table}: calibration error if every probability were true", luck)
        for name, figure in contenders.items():
            yield _row(f"{table}: log loss of {name}", figure["log_loss"])
            if name in PEERS and "above_ours" in figure:
                above, error = figure["above_ours"], 1.96 * figure["above_ours_error"]
                row = _row(f"{table}: log loss of {name} above ours", above)
                yield row | {"low": above - error, "high": above + error}


def _goal_rows(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[dict[str, Any]]:
    bars = {
        name: bar for name, figures in found.items() if (bar := _bar(name, figures)) is not None
    }
    if bars:
        above = {name: found[name][OURS]["log_loss"] - bar for name, bar in bars.items()}
        below = sum(distance < 0 for distance in above.values())
        yield _row("tables below default LightGBM and logistic regression", below, least=4)
        yield _row("furthest above the better of the two", max(above.values()), most=0.003)
        for name, distance in above.items():
            yield _row(f"{name}: log loss above the better of the two", distance)
    contenders = [OURS, *(p for p in PEERS if all(p in figure for figure in found.values()))]
    if len(contenders) > 1:
        ranks = np.array([_ranks([f[c]["log_loss"] for c in contenders]) for f in found.values()])
        for name, mean in zip(contenders, ranks.mean(axis=0), strict=True):
            yield _row(f"mean rank by log loss: {name}", float(mean),
                       most=1.0 if name == OURS else None)  # fmt: skip


def _bar(table: str, contenders: Mapping[str, Mapping[str, float]]) -> float | None:
    """Return the log loss of the better of default LightGBM and logistic regression."""
    *told, constant = TOLD.get(table, (np.nan,))
    if abs(constant - contenders["constant"]["log_loss"]) <= _SAME_CONSTANT:
        return min(told)
    anew = [contenders[name]["log_loss"] for name in _LEARNT_ANEW if name in contenders]
    return min(anew) if len(anew) == len(_LEARNT_ANEW) else None


def _ranks(losses: Sequence[float]) -> list[int]:
    return [1 + sum(other < loss for other in losses) for loss in losses]


def _row(
    name: str,
    value: float,
    *,
    least: float | None = None,
    most: float | None = None,
    between: tuple[float, float] | None = None,
) -> dict[str, Any]:
    goal: str = ""
    met: bool | str = ""
    if least is not None:
        goal, met = f">= {least}", value >= least
    if most is not None:
        goal, met = f"<= {most}", value <= most
    if between is not None:
        goal, met = f"{between[0]} to {between[1]}", between[0] <= value <= between[1]
    return {"name": name, "value": float(value), "low": None, "high": None, "unit": "",
            "goal": goal, "met": met}  # fmt: skip


def _lines(table: str, contenders: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    yield table
    for name, f in contenders.items():
        yield (
            f"  {name:24} log loss {f['log_loss']:.4f}  ROC-AUC {f['roc_auc']:.4f}  PR-AUC "
            f"{f['pr_auc']:.4f}  error {f['calibration_error']:.3f}  predicted:observed "
            f"{f['predicted_by_observed']:.2f}  {f.get('cpu_s', 0):.0f} CPU s  above ours "
            f"{f['above_ours']:+.4f} ± {1.96 * f['above_ours_error']:.4f}"
        )


if __name__ == "__main__":
    main()
