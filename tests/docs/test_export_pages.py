import re
from pathlib import Path

import pytest

from mqlml.sources.vendors.registry import SYSTEMS
from mqlml.tables.vocabulary import EVENT_TYPES

DOCS = Path(__file__).parents[2] / "docs"
EXPORTS = (DOCS / "exports" / "README.md").read_text(encoding="utf-8")
EVENTS = (DOCS / "events.md").read_text(encoding="utf-8")


def test_the_page_of_event_types_explains_exactly_the_vocabulary():
    rows = [line.split("|")[1] for line in EVENTS.splitlines() if line.startswith("| `")]
    assert re.findall(r"`(\w+)`", " ".join(rows)) == list(EVENT_TYPES)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_every_system_is_listed_and_has_a_page_that_names_its_files_and_ids(system):
    rows = [line for line in EXPORTS.splitlines() if line.startswith("| `")]
    row = next(line for line in rows if f"`{system.name}`" in line.split("|")[1])
    (page,) = re.findall(r"\]\((\S+\.md)\)", row)
    text = (DOCS / "exports" / page).read_text(encoding="utf-8")
    assert f"`{system.lead_id}`" in text
    for mapping in system.files:
        assert not mapping.file or f"`{mapping.file}`" in text
        assert all(f"`{name}`" in text for name in mapping.properties)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_the_types_that_a_mapping_gives_are_canonical(system):
    for mapping in system.files:
        given = {*mapping.values.get("type", {}).values(), mapping.constants.get("type", "call")}
        assert given <= set(EVENT_TYPES)
