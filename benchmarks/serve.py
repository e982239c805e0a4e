"""Many reps at once on the page for sales, its list of 5,000 leads, and tries at passwords.

    python -m benchmarks.serve --profile quick|full

The server is `mqlml review serve` in a process of its own, on SQLite; the reps are threads of
this one, on the same cores. Each opens a lead, presses a button, and is sent on to the next.
"""

import argparse
import http.client
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from tests.browser import Tab, chromium_path, tab
from tests.serving_site import Clock, Served, write_site

from benchmarks.results_file import write_rows
from mqlml.workflows.project import Project

SERVE = "import sys; from mqlml.cli.main import run; sys.exit(run(sys.argv[1:]))"
COMMAND = "make bench-serve"
_ATTACKERS = 4


@dataclass(frozen=True)
class Profile:
    """How much is measured."""

    reps: int
    verdicts: int
    leads: int
    tries: int


PROFILES = {
    "quick": Profile(reps=5, verdicts=4, leads=200, tries=200),
    "full": Profile(reps=50, verdicts=20, leads=5_000, tries=10_000),
}


@dataclass
class Taken:
    """How long answers took, in seconds, by what was asked; and the forms that were answered."""

    opened: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    forms: list[tuple[str, str]] = field(default_factory=list)


def line_to(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=120)


def ask(
    line: http.client.HTTPConnection, cookie: str, path: str, fields: dict[str, str] | None = None
) -> tuple[int, str, str, float]:
    """Return status, text, location and seconds of one request."""
    headers = {"Cookie": f"mqlml={cookie}", "Content-Type": "application/x-www-form-urlencoded"}
    body = None if fields is None else urlencode(fields)
    start = time.perf_counter()
    line.request("GET" if fields is None else "POST", path, body, headers)
    answer = line.getresponse()
    text = answer.read().decode()
    return answer.status, text, answer.getheader("location") or "", time.perf_counter() - start


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    if not found:
        raise SystemExit(f"the page has no field {name}")
    return found[1]


def expect(status: int, wanted: int) -> None:
    """End the measurement at an answer that is none."""
    if status != wanted:
        raise SystemExit(f"the server answered {status} where {wanted} was due")


def at_once(jobs: Sequence[Callable[[], None]]) -> None:
    """Run all jobs in threads of their own, begun together."""
    gate = threading.Barrier(len(jobs))

    def job(one: Callable[[], None]) -> None:
        gate.wait()
        one()

    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(job, jobs))


def judge(port: int, cookie: str, who: str, links: Sequence[str], taken: Taken) -> None:
    """Judge leads one after the other, as a rep in a hurry does."""
    with closing(line_to(port)) as line:
        for number, link in enumerate(links):
            status, text, _, seconds = ask(line, cookie, link)
            expect(status, 200)
            taken.opened.append(seconds)
            fields = {name: hidden(text, name) for name in ("csrf", "form", "seen")}
            fields["choice"] = ("accepted", "not_icp", "no_budget")[number % 3]
            status, _, _, seconds = ask(line, cookie, link, fields)
            expect(status, 303)
            taken.saved.append(seconds)
            taken.forms.append((who, fields["form"]))


def look(port: int, times: int, taken: Taken) -> None:
    """Open the bare page to sign in."""
    with closing(line_to(port)) as line:
        for _ in range(times):
            taken.bare.append(ask(line, "", "/signin")[3])


def measure(page: Served, profile: Profile) -> tuple[Taken, int, int]:
    """Return what the reps saw, how many answered verdicts are missing, how many are doubled."""
    people = [f"bench-{number}" for number in range(profile.reps)]
    cookies = [page.signed_in(who).cookie for who in people]
    links = all_links(page.port, cookies[0], profile.reps * profile.verdicts)
    taken = Taken()
    look(page.port, 3, Taken())  # what is asked first is slow for other reasons
    at_once([lambda: look(page.port, profile.verdicts, taken) for _ in people])
    at_once(
        [
            lambda n=n, who=who: judge(page.port, cookies[n], who, links[n :: len(people)], taken)
            for n, who in enumerate(people)
        ]
    )
    rows = [tuple(row) for row in page.rows("SELECT who, form FROM review_verdicts")]
    return taken, len(set(taken.forms) - set(rows)), len(rows) - len(set(taken.forms))


def all_links(port: int, cookie: str, wanted: int) -> list[str]:
    """Return the addresses of the first leads of the list."""
    found: list[str] = []
    with closing(line_to(port)) as line:
        for number in range(1, 1_000):
            text = ask(line, cookie, f"/?page={number}")[1]
            found += re.findall(r'href="(/lead/[^"]+)"', text)
            if len(found) >= wanted:
                break
    if len(found) < wanted:
        raise SystemExit(f"only {len(found)} leads are listed")
    return found[:wanted]


def list_seconds(port: int, cookie: str, times: int = 20) -> list[float]:
    """Return how long the list takes, one reader alone."""
    with closing(line_to(port)) as line:
        return [ask(line, cookie, "/")[3] for _ in range(times)]


def first_paints(port: int, cookie: str, folder: Path) -> dict[str, float]:
    """Return when Chromium paints the list first, and the bare page; nothing without Chromium."""
    if chromium_path() is None:
        return {}
    base = f"http://127.0.0.1:{port}"
    with tab(folder) as browser:
        bare = _painted_s(browser, f"{base}/signin")
        browser._call(  # noqa: SLF001 - a cookie that scripts cannot set
            "Network.setCookie", {"name": "mqlml", "value": cookie, "url": base, "httpOnly": True}
        )
        return {"list": _painted_s(browser, f"{base}/"), "bare": bare}


def _painted_s(browser: Tab, address: str, times: int = 7) -> float:
    """Return the median; what the browser does first is slow for other reasons and left out."""
    paints = "performance.getEntriesByName('first-contentful-paint')"
    painted = []
    for _ in range(times):
        browser.open(address)
        while browser.value(f"{paints}.length") == 0:
            time.sleep(0.02)
        painted.append(browser.value(f"{paints}[0].startTime") / 1_000)
    return float(np.median(painted[1:]))


def tries_at_passwords(port: int, tries: int) -> tuple[int, int]:
    """Return how many wrong passwords were looked at, and how many refused unseen."""
    counts: dict[int, int] = {}
    with closing(line_to(port)) as line:
        line.request("GET", "/signin")
        answer = line.getresponse()
        text = answer.read().decode()
        cookie = (answer.getheader("set-cookie") or "").partition("=")[2].partition(";")[0]
    sent = {"csrf": hidden(text, "csrf"), "name": "bench-1"}

    def attack(first: int) -> None:
        with closing(line_to(port)) as line:
            for guess in range(first, tries, _ATTACKERS):
                fields = {**sent, "password": f"guess {guess}"}
                status = ask(line, cookie, "/signin", fields)[0]
                with lock:
                    counts[status] = counts.get(status, 0) + 1

    lock = threading.Lock()
    at_once([lambda n=n: attack(n) for n in range(_ATTACKERS)])
    return counts.get(401, 0), counts.get(429, 0)


def cpu_s(process: int) -> float:
    """Return the processor seconds that a process has taken, all threads together."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def started(project: Project) -> Iterator[tuple[Served, int]]:
    """Run `mqlml review serve` on a free port; give it with its process."""
    words = ["review", "serve", "--port", "0", "--config", str(project.data_dir / "config.yaml")]
    words += ["--workspace", str(project.workspace.root)]
    job = subprocess.Popen([sys.executable, "-c", SERVE, *words], stderr=subprocess.PIPE, text=True)
    try:
        found = None
        while found is None and job.stderr is not None:
            found = re.search(r"127\.0\.0\.1:(\d+)", job.stderr.readline())
        if found is None:
            raise SystemExit("the server does not say where it is")
        yield Served(project, int(found[1]), Clock(time.time_ns() // 1_000), []), job.pid
    finally:
        job.terminate()
        job.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="full")
    profile = PROFILES[parser.parse_args().profile]
    with tempfile.TemporaryDirectory() as folder:
        project = write_site(Path(folder) / "site", leads=profile.leads + 1)
        with started(project) as (page, process):
            cookie = page.signed_in("reader").cookie
            lists = list_seconds(page.port, cookie)
            paints = first_paints(page.port, cookie, Path(folder) / "profile")
            rows = list(_list_rows(profile, lists, paints))
            before = cpu_s(process)
            taken, lost, doubled = measure(page, profile)
            spent = cpu_s(process) - before
            rows += _rows(profile, taken, (lost, doubled), spent)
            tell(rows)
            tries = list(_try_rows(profile, tries_at_passwords(page.port, profile.tries)))
            tell(tries)
    rows += tries
    if profile is PROFILES["full"]:
        write_rows("serve", rows, profile=vars(profile))


def tell(rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        goal = row.get("goal", "")
        print(row["name"], row["value"], row["unit"], goal, row.get("met", ""), flush=True)


def _row(name: str, value: float, unit: str, goal: float | None = None) -> dict[str, Any]:
    row = {"name": name, "value": round(value, 4), "unit": unit, "command": COMMAND}
    return row if goal is None else {**row, "goal": f"<= {goal:g}", "met": bool(value <= goal)}


def _rows(
    profile: Profile, taken: Taken, wrong: tuple[int, int], spent_s: float
) -> Iterator[dict[str, Any]]:
    who = f"{profile.reps} reps at once, {profile.verdicts} verdicts each"
    every = [*taken.saved, *taken.opened]
    yield _row(f"{who}: answered verdicts that are lost", wrong[0], "verdicts", 0)
    yield _row(f"{who}: verdicts doubled", wrong[1], "verdicts", 0)
    yield _row(f"{who}: all requests, p95", _p95(every), "s", 0.2)
    yield _row(f"{who}: saving a verdict, p95", _p95(taken.saved), "s", 0.2)
    yield _row(f"{who}: opening a lead, p95", _p95(taken.opened), "s", 0.2)
    yield _row(f"{who}: the bare page to sign in, p95", _p95(taken.bare), "s")
    yield _row(f"{who}: saving ÷ bare page, p95", _p95(taken.saved) / _p95(taken.bare), "×")
    yield _row(f"{who}: all requests, median", float(np.median(every)), "s")
    # What the list took to find the leads is in it too: it is little.
    asked = len(every) + len(taken.bare)
    yield _row(f"{who}: the server's CPU time per request", 1_000 * spent_s / asked, "ms")


def _list_rows(
    profile: Profile, lists: Sequence[float], paints: dict[str, float]
) -> Iterator[dict[str, Any]]:
    leads = f"{profile.leads:,} leads in the list"
    yield _row(f"{leads}: the answer, median", float(np.median(lists)), "s")
    if paints:
        yield _row(f"{leads}: first paint in Chromium, median of 6", paints["list"], "s", 1)
        yield _row(f"{leads}: first paint ÷ the bare page's", paints["list"] / paints["bare"], "×")


def _try_rows(profile: Profile, tries: tuple[int, int]) -> Iterator[dict[str, Any]]:
    who = f"{profile.tries:,} tries at a password"
    yield _row(f"{who}: looked at", tries[0], "tries", 10)
    yield _row(f"{who}: refused unseen", tries[1], "tries")


def _p95(values: Sequence[float]) -> float:
    return float(np.quantile(values, 0.95))


if __name__ == "__main__":
    main()
