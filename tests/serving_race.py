"""Reps who save all at once while something is killed, and press the button again afterwards."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tests.serving_site import Client, Page, Served

REPS, LEADS = 4, 6
ROWS = "SELECT who, form FROM review_verdicts"

_SERVE = "import sys; from mqlml.cli.main import run; sys.exit(run(sys.argv[1:]))"


def started(
    words: Iterable[object], environment: Mapping[str, str] | None = None
) -> tuple[subprocess.Popen[str], int]:
    """Start `mqlml review serve` as a process; return it and its port."""
    command = [sys.executable, "-c", _SERVE, "review", "serve", "--port", "0", *map(str, words)]
    given = {**os.environ, **(environment or {})}
    job = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=given)
    assert job.stderr is not None
    for line in job.stderr:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            return job, int(found[1])
    raise AssertionError("the server did not start")


@dataclass
class Race:
    """Each rep's client and open forms, by rep and address; which were answered as saved."""

    clients: list[Client]
    forms: dict[tuple[int, str], Page]
    answered: list[tuple[int, str]] = field(default_factory=list)
    others: list[int] = field(default_factory=list)

    @classmethod
    def prepared(cls, page: Served) -> "Race":
        """Sign reps in and open the first leads' forms for each of them."""
        clients = [page.signed_in(f"rep-{n}") for n in range(REPS)]
        links = clients[0].get("/?show=all").links("/lead/")[:LEADS]
        forms = {(n, link): clients[n].get(link) for n in range(REPS) for link in links}
        return cls(clients, forms)

    def run(self, port: int, kill: Callable[[], None], *, after: int = 5) -> None:
        """Save everything at `port`; `kill` once so many saves were answered."""
        threads = [threading.Thread(target=self._save, args=(port, n)) for n in range(REPS)]
        for thread in threads:
            thread.start()
        while len(self.answered) < after:
            time.sleep(0.001)
        kill()
        for thread in threads:
            thread.join()

    def _save(self, port: int, number: int) -> None:
        client = Client(port, self.clients[number].cookie)
        for key in self.forms:
            if key[0] == number:
                try:
                    status = client.judge(key[1], "accepted", page=self.forms[key]).status
                except OSError:
                    continue
                if status == 303:
                    self.answered.append(key)
                else:
                    self.others.append(status)

    def settle(self, page: Served) -> None:
        """Fail if a save that was answered is gone, or pressing again doubles one."""
        wanted = {(f"rep-{n}", self.forms[n, link].hidden("form")) for n, link in self.answered}
        assert wanted <= set(page.rows(ROWS))
        for (number, link), form in self.forms.items():
            again = Client(page.port, self.clients[number].cookie)
            assert again.judge(link, "accepted", page=form).status == 303
        rows = page.rows(ROWS)
        assert len(rows) == len(set(rows)) == REPS * LEADS
