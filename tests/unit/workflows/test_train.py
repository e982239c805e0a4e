"""What a training tells people."""

from types import SimpleNamespace

import pytest

from mqlml.modeling.tournament import ContestantResult
from mqlml.workflows.train import training_lines


def contestant(name, log_loss):
    return ContestantResult(name, log_loss, 0.8, 0.3, (log_loss,), 0.02, {})


@pytest.mark.parametrize(
    ("winner", "mark"),
    [("lightgbm", "  ← winner"), ("logistic", "  ← winner: the simpler of equals")],
)
def test_the_winner_is_marked_and_so_is_why_a_better_figure_did_not_win(winner, mark):
    contestants = (contestant("logistic", 0.21), contestant("lightgbm", 0.2))
    figures = SimpleNamespace(log_loss=0.25, roc_auc=0.75)
    result = SimpleNamespace(
        contestants=contestants,
        winner=winner,
        segments=(),
        candidates=0,
        test_by_contestant={"logistic": figures, "lightgbm": figures},
    )
    learnt = SimpleNamespace(findings=(), gates=(), result=result, sensitive=(), fallback="")
    lines = list(training_lines(learnt))
    marked = {line.split()[0]: line for line in lines[2:]}
    assert marked[winner].endswith(mark)
    (other,) = {"logistic", "lightgbm"} - {winner}
    assert "←" not in marked[other]
