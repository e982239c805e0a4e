"""A company whose sales works half of the leads: what scores say of the others."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
from tests.company import CONFIG, write_company

HANDOVERS = """\
  handovers:
    file: handovers.csv
    columns: {lead_id: lead, at: at, route: route}
target:"""
ROUTED = CONFIG.replace("target:", HANDOVERS, 1).replace("model:\n", "model:\n  routed: {}\n")


def read(path):
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


def write(path, rows):
    path.write_text("\n".join(map(",".join, rows)) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """Return the folder of a company of which every other lead is worked, and only these buy."""
    folder = tmp_path_factory.mktemp("half")
    write_company(folder, leads=1_600)
    leads = read(folder / "leads.csv")[1:]
    worked = {lead[0]: place for place, lead in enumerate(leads) if place % 2}
    rows = [["lead", "at", "route"]]
    for lead in leads:
        if lead[0] in worked:
            at = np.datetime64(lead[1]) + np.timedelta64(9, "D")
            route = "explored" if worked[lead[0]] % 5 == 0 else "scored"
            rows.append([lead[0], str(at), route])
    write(folder / "handovers.csv", rows)
    stages = read(folder / "stages.csv")
    write(folder / "stages.csv", [row for row in stages if row[0] in worked or row[0] == "lead"])
    (folder / "routed.yaml").write_text(ROUTED, encoding="utf-8")
    (folder / "blind.yaml").write_text(ROUTED.replace("  routed: {}\n", ""), encoding="utf-8")
    return folder


def test_scores_say_what_leads_would_do_if_sales_worked_them(half, tmp_path, mqlml):
    mean = {}
    for name in ("routed", "blind"):
        words = ("--config", half / f"{name}.yaml", "--workspace", tmp_path / name)
        trained = mqlml("train", *words, "--as-of", "2025-12-01", "--json")
        assert trained.code == 0, trained.err
        scored = mqlml("score", *words, "--as-of", "2025-12-01", "--json")
        assert scored.code == 0, scored.err
        scores = pd.read_parquet(scored.document["path"])
        mean[name] = scores["probability"].mean()
        assert not scores["reasons_up"].str.contains("handed").any()
    # Half of the leads were worked and only these buy: twice as many would, were all worked.
    assert mean["routed"] / mean["blind"] == pytest.approx(2.0, rel=0.25)
    words = ("--config", half / "routed.yaml", "--workspace", tmp_path / "routed")
    facts = min((tmp_path / "routed").rglob("facts.json"))
    told = json.loads(facts.read_text(encoding="utf-8"))["routed"]
    assert told["handed_over_share"] == pytest.approx(0.5, abs=0.1)
    assert told["explored_share"] == pytest.approx(0.1, abs=0.05)
    # Leads that nobody worked did as was to be expected of them: no change, no alarm.
    looked = mqlml("monitor", *words, "--as-of", "2026-01-20", "--json")
    assert looked.code == 0, looked.err
    assert not looked.document["alarm"]


def test_without_handovers_the_setting_is_refused_with_a_word(half, tmp_path, mqlml):
    config = tmp_path / "none.yaml"
    config.write_text(ROUTED.replace(HANDOVERS, "target:"), encoding="utf-8")
    words = ("--config", config, "--data", half, "--workspace", tmp_path / "w")
    answer = mqlml("train", *words, "--as-of", "2025-12-01")
    assert answer.code == 5
    assert "model.routed cannot be learnt" in answer.err
    assert "map a table of handovers to sources.handovers" in answer.err
