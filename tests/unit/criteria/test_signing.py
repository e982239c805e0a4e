from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqlml.config import parse_yaml
from mqlml.criteria.settings import SignOff
from mqlml.criteria.signing import signed_text

SALES = SignOff(team="sales", who="Ö. Lead, MBA", role="head", on="2026-03-30", digest="00ff")
SHOWN = "{team: sales, who: 'Ö. Lead, MBA', role: head, on: '2026-03-30', digest: 00ff}"


def read(text: str) -> Any:
    return parse_yaml(text, Path("criteria.yaml")).values


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("version: 1\n", f"version: 1\nsigned:\n  - {SHOWN}\n"),
        ("version: 1 # one", f"version: 1 # one\nsigned:\n  - {SHOWN}\n"),
        ("signed:\n# who\nversion: 1\n", f"signed:\n  - {SHOWN}\n# who\nversion: 1\n"),
        ("signed: null # none\nversion: 1\n", f"signed: \n  - {SHOWN} # none\nversion: 1\n"),
        ("signed: []\nversion: 1\n", f"signed: [{SHOWN}]\nversion: 1\n"),
        (
            "signed: [{team: marketing, who: M}] # m\n",
            f"signed: [{{team: marketing, who: M}}, {SHOWN}] # m\n",
        ),
        (
            "signed:\n- {team: marketing, who: M} # m\n\n# rules\nversion: 1\n",
            f"signed:\n- {{team: marketing, who: M}} # m\n- {SHOWN}\n\n# rules\nversion: 1\n",
        ),
        (
            "signed:\n  - team: marketing\n    who: M # m\n# rules\nversion: 1\n",
            f"signed:\n  - team: marketing\n    who: M # m\n  - {SHOWN}\n# rules\nversion: 1\n",
        ),
        (
            "signed:\n  - team: sales\n    who: old # s\n  # next\n  - {team: marketing}\n",
            f"signed:\n  - {SHOWN} # s\n  # next\n  - {{team: marketing}}\n",
        ),
        (
            "signed:\r\n  - {team: marketing}\r\nversion: 1\r\n",
            f"signed:\r\n  - {{team: marketing}}\r\n  - {SHOWN}\r\nversion: 1\r\n",
        ),
    ],
)
def test_a_signature_changes_its_own_place_and_nothing_else(before: str, after: str) -> None:
    assert signed_text(before, SALES) == after
    assert SALES.model_dump() in read(after)["signed"]


def test_signing_twice_is_signing_once() -> None:
    once = signed_text("version: 1\n", SALES)
    assert signed_text(once, SALES) == once


@pytest.mark.parametrize("text", ["", "- 1", "signed: yes", "signed: [sales]"])
def test_a_text_without_a_place_for_signatures_is_refused(text: str) -> None:
    with pytest.raises(TypeError, match=r"not a|no mapping"):
        signed_text(text, SALES)


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(who=names, role=names, team=st.sampled_from(["sales", "marketing"]))
def test_whatever_people_are_called_the_file_gives_them_back(who, role, team) -> None:
    text = "# agreed\nversion: 1\nsigned:\n  - {team: sales, who: S, on: 2026-03-30}\nnote: x\n"
    signature = SignOff(team=team, who=who, role=role, on="2026-04-01", digest="0123")
    values = read(signed_text(text, signature))
    assert values["note"] == "x"
    assert signature.model_dump() in values["signed"]
    assert len(values["signed"]) == (1 if team == "sales" else 2)
