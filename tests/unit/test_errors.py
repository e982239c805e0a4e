import pytest

from mqlml import errors
from mqlml.errors import ConfigError, Fault, MqlmlError, nearest


def test_an_error_shows_all_its_faults_with_place_finding_and_mend():
    error = ConfigError(
        Fault("unknown setting", "a.yaml:3: nam", "'nam'", "did you mean 'name'?"),
        Fault("setting is missing"),
    )
    assert str(error) == (
        "a.yaml:3: nam: unknown setting\n"
        "    found: 'nam'\n"
        "    mend: did you mean 'name'?\n"
        "setting is missing"
    )


def test_an_error_without_a_fault_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="at least one fault"):
        ConfigError()


def test_each_kind_of_error_has_its_own_exit_code():
    codes = [kind.exit_code for kind in MqlmlError.__subclasses__()]
    assert sorted(codes) == [2, 3, 4, 5, 6, 7, 8, 9]
    assert errors.ALARM_EXIT_CODE == 10


def test_the_hint_names_the_closest_spelling():
    assert nearest("creatd_at", ["lead_id", "created_at"]) == "did you mean 'created_at'?"


def test_the_hint_lists_what_is_valid_when_nothing_is_close():
    assert nearest("xyz", ["lead_id", "created_at"]) == "valid: created_at, lead_id"
    assert nearest("xyz", []) == "nothing is valid here"
