"""The pages in a real Chromium: light and dark, wide and at a phone's width."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.browser import Tab, chromium_path, tab
from tests.report_facts import (
    HOSTILE,
    ingest_facts,
    monitor_facts,
    preview_facts,
    review_facts,
    scored,
    scoring_facts,
    training_facts,
)

from mqlml.reports.ingest import ingest_page
from mqlml.reports.monitor import monitor_page
from mqlml.reports.preview import preview_page
from mqlml.reports.review import review_page
from mqlml.reports.scoring import scoring_page
from mqlml.reports.training import training_page

pytestmark = pytest.mark.skipif(
    chromium_path() is None,
    reason="NO CHROMIUM on this machine: the pages are not looked at in a browser",
)
PAGES = ("training", "scoring", "monitor", "review", "ingest", "preview", "hostile")


def _hostile() -> str:
    scores = scored(40).assign(
        lead_id=[f"{HOSTILE}{'x' * 10_000}{n}" for n in range(40)],
        persona="W" * 10_000,
        reasons_up=f"{HOSTILE}; {'y' * 10_000}",
    )
    return scoring_page(scoring_facts(name="Z" * 10_000, scores=scores, previous=scores))


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    texts = (
        training_page(training_facts()),
        scoring_page(scoring_facts()),
        monitor_page(monitor_facts()),
        review_page(review_facts()),
        ingest_page(ingest_facts()),
        preview_page(preview_facts()),
        _hostile(),
    )
    for name, text in zip(PAGES, texts, strict=True):
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Tab]:
    with tab(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_loads_only_itself_and_the_console_stays_silent(browser, pages, name, dark):
    browser.open(pages / f"{name}.html", dark=dark)
    asked = [address for address in browser.requested() if not address.startswith("data:")]
    assert asked == [(pages / f"{name}.html").as_uri()]
    assert browser.complaints() == []
    assert browser.value("document.querySelectorAll('main h2').length") > 2


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [320, 360, 768, 1400])
def test_no_page_scrolls_sideways_even_with_every_table_open(browser, pages, name, width):
    browser.open(pages / f"{name}.html", width=width)
    browser.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("innerWidth") == width


def test_a_phone_shows_readable_pictures_and_text(browser, pages):
    browser.open(pages / "training.html", width=360)
    size = browser.value(
        "Math.min(...[...document.querySelectorAll('figure > svg text')]"
        ".map(t => t.getBoundingClientRect().height))"
    )
    assert size >= 9


def test_dark_mode_turns_the_ground_dark(browser, pages):
    grounds = []
    for dark in (False, True):
        browser.open(pages / "monitor.html", dark=dark)
        grounds.append(browser.value("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(21, 24, 28)"]


def test_the_first_tab_key_reaches_the_skip_link_and_shows_it(browser, pages):
    browser.open(pages / "training.html")
    browser.press("Tab")
    assert browser.value("document.activeElement.textContent") == "Skip to the content"
    assert browser.value("document.activeElement.getBoundingClientRect().left") >= 0


def test_every_scrolling_box_can_be_focused_and_shows_it(browser, pages):
    browser.open(pages / "training.html", width=360)
    browser.press("Tab")  # from here on the browser knows that keys are used
    styles = browser.value(
        "[...document.querySelectorAll('.scroll')].filter(b => b.checkVisibility())"
        ".map(b => { b.focus(); return getComputedStyle(b).outlineStyle })"
    )
    assert styles
    assert set(styles) == {"solid"}


def test_no_picture_writes_outside_itself(browser, pages):
    outside = (
        "[...document.querySelectorAll('figure svg[role=img]')].flatMap(s => {"
        " const b = s.getBoundingClientRect();"
        " return [...s.querySelectorAll('text')].filter(t => {"
        "  const r = t.getBoundingClientRect();"
        "  return r.left < b.left - 1 || r.right > b.right + 1 || r.bottom > b.bottom + 1"
        "   || r.top < b.top - 1 }).map(t => t.textContent) })"
    )
    for name in ("training", "monitor", "review", "ingest", "preview"):
        browser.open(pages / f"{name}.html")
        assert browser.value(outside) == [], name


def test_printing_leaves_out_what_needs_a_screen(browser, pages):
    browser.open(pages / "training.html")
    browser.print_mode()
    shown = browser.value("getComputedStyle(document.querySelector('nav')).display")
    assert shown == "none"
    assert browser.value("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
