import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from mqlml.config import Settings
from mqlml.tables.contracts import CONTRACTS

PAGE = (Path(__file__).parents[2] / "docs" / "config.md").read_text(encoding="utf-8")

# What stands as code: a word of plain prose that happens to be a setting's name is no help.
CODE = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]*`", PAGE))))


def models_in(kind):
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for inner in get_args(kind):
        yield from models_in(inner)


def settings_of(model):
    for name, info in model.model_fields.items():
        yield info.alias or name
        for inner in models_in(info.annotation):
            yield from settings_of(inner)


@pytest.mark.parametrize("name", sorted(set(settings_of(Settings))))
def test_the_page_explains_every_setting(name):
    assert name in CODE


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_the_page_lists_every_canonical_column(contract):
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{contract.table}` | "))
    for column in contract.columns:
        if column.name != "outcome":
            assert column.name in row
