import json

import numpy as np

from mqlml.cli.output import answer, print_json, show_error
from mqlml.errors import ConfigError, Fault


def test_figures_that_are_not_finite_become_null(capsys):
    print_json({"a": float("nan"), "b": np.float64(0.5), "c": [np.int64(3), True, None], "d": {1}})
    assert json.loads(capsys.readouterr().out) == {
        "a": None,
        "b": 0.5,
        "c": [3, True, None],
        "d": "{1}",
    }


def test_programs_get_the_document_and_people_the_lines(capsys):
    answer({"rows": 2}, ["two rows"], as_json=True)
    assert json.loads(capsys.readouterr().out) == {"rows": 2}
    answer({"rows": 2}, ["two rows"], as_json=False)
    assert capsys.readouterr().out == "two rows\n"


def test_faults_go_to_stderr_and_with_json_also_to_stdout(capsys):
    show_error(ConfigError(Fault("unknown setting", "a.yaml:1")), as_json=True)
    captured = capsys.readouterr()
    assert captured.err == "error: a.yaml:1: unknown setting\n"
    document = json.loads(captured.out)
    assert (document["error"], document["exit_code"]) == ("ConfigError", 3)
