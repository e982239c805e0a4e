import re
from pathlib import Path

from mqlml import errors
from mqlml.errors import ALARM_EXIT_CODE, INTERRUPTED_EXIT_CODE, MqlmlError

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| (\d+) \| (\w+) \|", PAGE, flags=re.MULTILINE))


def test_the_table_holds_every_error_with_its_code_and_nothing_else():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    users = [k for k in kinds if issubclass(k, MqlmlError) and k is not MqlmlError]
    expected = {str(kind.exit_code): kind.__name__ for kind in users}
    expected |= {
        "0": "done",
        "1": "defect",
        str(ALARM_EXIT_CODE): "alarm",
        str(INTERRUPTED_EXIT_CODE): "interrupted",
    }
    assert expected == ROWS


def test_no_two_errors_share_a_code():
    assert len(re.findall(r"^\| \d+ \|", PAGE, flags=re.MULTILINE)) == len(ROWS)
