from benchmarks.drift import play_seed
from benchmarks.drift_table import table_rows


def test_the_benchmark_of_drift_finds_a_concept_and_nothing_where_nothing_changed() -> None:
    seen = {one.world: one for one in play_seed(4, 100)}
    assert seen["none"].delay is None
    assert seen["none"].false_alarms == 0
    assert seen["concept"].named["8"]["kind"] == "concept"
    rows = {row["name"]: row for row in table_rows([vars(one) for one in seen.values()])}
    assert rows["false alarms a year, nothing changed, 100 leads a week"]["value"] == 0.0
    assert rows["weeks to alarm, median: concept, 100 leads a week"]["met"] in {True, False}
