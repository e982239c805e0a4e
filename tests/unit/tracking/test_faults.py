import pytest

from mqlml.errors import BundleError, DataError, Fault
from mqlml.tracking.faults import as_ours, shown, told


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("(sqlite3.OperationalError) database or disk is full", DataError, "disk is full"),
        ("[Errno 28] No space left on device", DataError, "disk is full"),
        ("(sqlite3.OperationalError) database is locked", DataError, "locked"),
        ("attempt to write a readonly database", DataError, "cannot be opened or written"),
        ("file is not a database", DataError, "damaged"),
        ("Detected out-of-date database schema (found", BundleError, "another version"),
        ("HTTPConnectionPool: Max retries exceeded", BundleError, "cannot be reached"),
        ("something else", BundleError, "refuses"),
    ],
)
def test_each_trouble_has_its_words_and_a_mend(text, kind, what):
    error = as_ours(OSError(text), "sqlite:///x")
    assert type(error) is kind
    assert what in error.faults[0].what
    assert error.faults[0].mend


def test_only_the_first_line_is_quoted_and_no_password():
    error = as_ours(OSError("no way to http://ann:pw@host\n[SQL: SELECT 1]"), "http://ann:pw@host")
    assert "pw" not in str(error)
    assert "SELECT" not in str(error)
    assert shown("http://host") == "http://host"


def test_our_own_errors_pass_as_they_are():
    ours = BundleError(Fault("mine"))
    with pytest.raises(BundleError) as caught, told("sqlite:///x"):
        raise ours
    assert caught.value is ours
