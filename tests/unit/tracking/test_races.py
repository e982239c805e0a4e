"""Another process writes the very row that MLflow has just found missing."""

import sqlite3

import pytest
import sqlalchemy.event
from sqlalchemy.orm import Session
from tests.trainings import MARCH_2, NAME, local_store, saved_bundle, training_record

from mqlml.tracking.library import mlflow
from mqlml.tracking.races import written

ALIAS = (
    "SqlRegisteredModelAlias",
    "INSERT INTO registered_model_aliases (alias, version, name) VALUES ('champion', 1, 'demo')",
)
TAG = (
    "SqlModelVersionTag",
    """INSERT INTO model_version_tags (key, value, name, version)
       VALUES ('mqlml.promoted_as_of', '0', 'demo', 2)""",
)


@pytest.fixture
def store(tmp_path):
    """Return a store with two versions and no champion."""
    store = local_store(tmp_path / "w")
    record = training_record(saved_bundle(tmp_path / "bundle"))
    assert [store.log_training(record).version for _ in range(2)] == ["1", "2"]
    return store


@pytest.fixture
def first(tmp_path):
    """Return a function that lets another connection write before MLflow inserts a row."""
    waiting = []

    def interrupt(session, _context, _instances):
        kinds = {type(row).__name__ for row in session.new}
        for kind, statement in [w for w in waiting if w[0] in kinds]:
            waiting.remove((kind, statement))
            connection = sqlite3.connect(tmp_path / "w" / "mlflow.db", timeout=5)
            connection.execute(statement)
            connection.commit()
            connection.close()

    sqlalchemy.event.listen(Session, "before_flush", interrupt)
    yield waiting
    sqlalchemy.event.remove(Session, "before_flush", interrupt)
    assert waiting == []


@pytest.mark.parametrize("other", [ALIAS, TAG], ids=["alias", "tag"])
def test_of_two_first_promotions_at_once_both_are_done_and_the_later_one_counts(
    store, first, other
):
    first.append(other)
    assert store.promote(NAME, "2", as_of=MARCH_2, reason="first").version == "2"
    assert store.champion(NAME).version == "2"


def test_a_refusal_for_another_reason_is_not_tried_again():
    tries = []

    def refuse():
        tries.append(1)
        raise mlflow().MlflowException("NOT NULL constraint failed")

    with pytest.raises(mlflow().MlflowException, match="NOT NULL"):
        written(refuse)
    assert tries == [1]


def test_a_row_that_is_refused_twice_is_refused():
    def refuse():
        raise mlflow().MlflowException("UNIQUE constraint failed: datasets.name")

    with pytest.raises(mlflow().MlflowException, match="UNIQUE"):
        written(refuse)
