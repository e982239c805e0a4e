"""The same rows learnt by AutoGluon, FLAML, CatBoost, LightGBM and logistic regression.

Runs in an environment of its own (benchmarks/peers-quality.txt), so nothing of mqlml is imported.
The folder holds train.parquet and judged.parquet; the answer is one line of JSON, and the
probabilities of the judged rows lie in PEER.parquet.

    python quality_peers.py PEER FOLDER SECONDS
"""

import importlib.metadata
import json
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

LABEL = "__label"
SEED = 0
THREADS = 2


def autogluon(train, judged, given):
    """Medium quality, log loss, within the seconds given; no network of torch's."""
    from autogluon.tabular import TabularPredictor

    predictor = TabularPredictor(
        label=LABEL, eval_metric="log_loss", path=str(given.folder / "autogluon"), verbosity=0
    )
    predictor.fit(train, presets="medium_quality", time_limit=given.seconds, num_cpus=THREADS)
    return predictor.predict_proba(judged)[1].to_numpy(float)


def flaml(train, judged, given):
    """Its usual search for log loss within the seconds given."""
    from flaml import AutoML

    learner = AutoML()
    rows, labels = _coded(train)
    learner.fit(
        rows, labels, task="classification", metric="log_loss", time_budget=given.seconds,
        seed=SEED, n_jobs=THREADS, verbose=0,
    )  # fmt: skip
    return learner.predict_proba(_as_train(judged, rows))[:, 1]


def catboost(train, judged, _):
    """CatBoost's defaults, texts as its categories."""
    from catboost import CatBoostClassifier

    texts = _texts(train)
    learner = CatBoostClassifier(
        random_seed=SEED, verbose=0, thread_count=THREADS, allow_writing_files=False
    )
    learner.fit(_filled(train, texts), train[LABEL], cat_features=texts)
    return learner.predict_proba(_filled(judged, texts))[:, 1]


def lightgbm(train, judged, _):
    """LightGBM's defaults, texts as its categories."""
    from lightgbm import LGBMClassifier

    learner = LGBMClassifier(random_state=SEED, n_jobs=THREADS, verbosity=-1)
    rows, labels = _coded(train)
    learner.fit(rows, labels)
    return learner.predict_proba(_as_train(judged, rows))[:, 1]


def logistic(train, judged, _):
    """Scikit-learn's default strength; numbers scaled, gaps told, rare categories pooled."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    texts = _texts(train)
    numbers = [name for name in train if name not in {*texts, LABEL}]
    scaled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    pooled = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10)
    coded = make_column_transformer((scaled, numbers), (pooled, texts))
    learner = make_pipeline(coded, LogisticRegression(max_iter=5_000))
    learner.fit(_filled(train, texts), train[LABEL])
    return learner.predict_proba(_filled(judged, texts))[:, 1]


def _texts(train):
    return [name for name in train if name != LABEL and train[name].dtype.kind not in "fiu"]


def _filled(rows, texts):
    return rows.drop(columns=LABEL, errors="ignore").assign(
        **{name: rows[name].astype(object).where(rows[name].notna(), "(missing)") for name in texts}
    )


def _coded(train):
    """Return the rows with texts as pandas' categories, and the labels."""
    texts = _texts(train)
    rows = _filled(train, texts)
    return rows.astype(dict.fromkeys(texts, "category")), train[LABEL]


def _as_train(judged, rows):
    texts = [name for name in rows if rows[name].dtype == "category"]
    filled = _filled(judged, texts)
    return filled.astype({name: rows[name].dtype for name in texts})


PEERS = {
    "autogluon": (autogluon, "autogluon.tabular"),
    "flaml": (flaml, "flaml"),
    "catboost": (catboost, "catboost"),
    "lightgbm": (lightgbm, "lightgbm"),
    "logistic": (logistic, "scikit-learn"),
}


def main():
    """Learn, keep the probabilities, and print seconds and version."""
    peer, folder = sys.argv[1], Path(sys.argv[2])
    given = SimpleNamespace(folder=folder, seconds=float(sys.argv[3]))
    learn, package = PEERS[peer]
    warnings.simplefilter("ignore")
    train, judged = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "judged"))
    cpu, wall = _cpu(), time.perf_counter()
    said = learn(train, judged.drop(columns=LABEL), given)
    answer = {
        "cpu_s": _cpu() - cpu,
        "wall_s": time.perf_counter() - wall,
        "version": importlib.metadata.version(package),
    }
    pd.DataFrame({"probability": said}).to_parquet(folder / f"{peer}.parquet")
    print(json.dumps(answer))


def _cpu():
    import resource

    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


if __name__ == "__main__":
    main()
