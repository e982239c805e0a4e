"""The start of PostgreSQL that other tests lean on waits for a busy machine."""

import subprocess

import pytest
from tests.conftest import start_patiently


class Slow:
    """A server that is ready at the third look."""

    def __init__(self, looks):
        self.looks = iter(looks)

    def start(self):
        trouble = next(self.looks)
        if trouble is not None:
            raise trouble


LATE = subprocess.TimeoutExpired("pg_ctl", 10)


def test_a_server_that_is_late_is_looked_at_again():
    server = Slow([LATE, AssertionError("starting"), None])
    start_patiently(server, nap_s=0)
    assert list(server.looks) == []


def test_a_server_that_never_starts_is_told_at_last():
    with pytest.raises(subprocess.TimeoutExpired):
        start_patiently(Slow([LATE, LATE]), tries=2, nap_s=0)
