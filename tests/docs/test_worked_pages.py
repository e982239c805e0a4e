"""The files and configs that pages on the generic mapping show, read as they stand there."""

import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from mqlml.sources.generic import read_sources
from mqlml.sources.settings import SourceSettings

PAGES = Path(__file__).parents[2] / "docs" / "exports"
FILE = re.compile(r"^`([\w./-]+\.csv)`[^\n]*:\n\n```csv\n(.*?)```", re.DOTALL | re.MULTILINE)
CONFIG = re.compile(r"^```yaml\n(sources:.*?)```", re.DOTALL | re.MULTILINE)
LEADS = "lead_id,created_at\na,2024-01-01T00:00Z\nb,2024-01-01T00:00Z\n"
ALIASES = (
    "alias,lead_id,known_at\n"
    "email:ann@example.com,a,2024-01-01T00:00Z\nemail:bo@example.com,b,2024-01-01T00:00Z\n"
)


@pytest.fixture
def read_page(tmp_path):
    """Return a function that reads the files of a page by one of its configs."""

    def read(page, number=0):
        text = (PAGES / page).read_text(encoding="utf-8")
        for name, content in [*FILE.findall(text), ("leads.csv", LEADS), ("known.csv", ALIASES)]:
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
        given = yaml.safe_load(CONFIG.findall(text)[number])["sources"]
        given["aliases"] = [*given.get("aliases", []), {"file": "known.csv"}]
        leads = [{"file": "leads.csv", "columns": {"created_at": "created_at"}}]
        settings = SourceSettings.model_validate({"leads": leads, **given})
        done = read_sources(settings, tmp_path, timezone=None, workdir=tmp_path / "work")
        assert all(count.is_balanced and not count.quarantined for count in done.counts)
        return lambda table, *names: [
            tuple(str(row[name])[:16] if name.endswith("_at") else row[name] for name in names)
            for row in pq.read_table(done.path(table)).to_pylist()
        ]

    return read


def people(rows):
    """Return rows with the leads that addresses mean, whether or not ids were resolved."""
    whose = {"email:ann@example.com": "a", "email:bo@example.com": "b"}
    return [(whose.get(row[0], row[0]), *row[1:]) for row in rows]


@pytest.mark.parametrize("number", [0, 1], ids=["zoom", "gotowebinar"])
def test_webinars_have_who_registered_and_who_came(read_page, number):
    rows = read_page("webinars.md", number)("events", "lead_id", "type", "occurred_at")
    # Berlin is two hours ahead in July.
    assert people(rows) == [
        ("a", "webinar_registered", "2024-07-01 07:00"),
        ("b", "webinar_registered", "2024-07-02 09:30"),
        ("a", "webinar_attended", "2024-07-10 13:58"),
    ]


def test_zooms_minutes_are_a_property(read_page):
    rows = read_page("webinars.md")("events", "type", "minutes", "asset")
    assert rows[2] == ("webinar_attended", 33.0, "Lean days")


def test_linkedins_forms_are_submissions(read_page):
    rows = read_page("lead-forms.md")("events", "lead_id", "type", "occurred_at", "asset")
    assert people(rows) == [
        ("a", "form_submit", "2024-07-10 10:12", "Lean guide"),
        ("b", "form_submit", "2024-07-11 08:00", "Book a demo"),
    ]


def test_facebooks_forms_keep_their_offset_and_network(read_page):
    names = ("lead_id", "event_id", "occurred_at", "channel", "company_size")
    assert people(read_page("lead-forms.md", 1)("events", *names)) == [
        ("a", "l:77", "2024-07-10 10:12", "instagram", "51-200"),
        ("b", "l:78", "2024-07-10 11:00", "facebook", "1-10"),
    ]


def test_clicks_are_found_by_the_gclid_of_the_crm(read_page):
    rows = read_page("google-ads.md")
    aliases = rows("aliases", "alias", "lead_id", "source")
    assert ("gclid:Gx1", "a", "crm") in aliases
    assert not any(alias == "gclid:" for alias, _, _ in aliases)
    names = ("lead_id", "type", "campaign", "keyword")
    whose = {"gclid:Gx1": "a"}
    found = [(whose.get(row[0], row[0]), *row[1:]) for row in rows("events", *names)]
    assert found == [
        ("a", "ad_click", "Brand", "lean software"),
        ("gclid:Gx2", "ad_click", "Generic", "project tool"),
    ]


def test_social_interactions_are_found_by_the_profile(read_page):
    rows = read_page("social.md")
    assert ("linkedin:ann-smith", "a") in rows("aliases", "alias", "lead_id")
    names = ("type", "asset", "source")
    assert rows("events", *names) == [
        ("social_comment", "Five lean habits", "linkedin"),
        ("social_like", "Five lean habits", "linkedin"),
        ("social_follow", None, "linkedin"),
    ]


def test_sign_ups_start_trials_and_the_products_ids_lead_to_addresses(read_page):
    rows = read_page("signups.md")
    assert people([row[::-1] for row in rows("aliases", "alias", "lead_id")])[:2] == [
        ("a", "product:u1"),
        ("b", "product:u2"),
    ]
    whose = {"product:u1": "a"}
    found = people(rows("events", "lead_id", "type", "duration_s"))
    assert [(whose.get(lead, lead), *rest) for lead, *rest in found] == [
        ("a", "product_signup", None),
        ("b", "product_signup", None),
        ("a", "trial_start", None),
        ("a", "product_login", None),
        ("a", "product_use", 240.0),
    ]
