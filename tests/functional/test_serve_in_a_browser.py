"""A rep at work in a real Chromium, with nothing but a keyboard."""

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.browser import Tab, chromium_path, tab
from tests.serving_browser import shown, sign_in
from tests.serving_site import served, write_site

from mqlml.serving.roles import Role
from mqlml.storage.workspace import Workspace

pytestmark = pytest.mark.skipif(
    chromium_path() is None,
    reason="NO CHROMIUM on this machine: the page for sales is not looked at in a browser",
)
LONG = "https://" + "w" * 300


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_site(tmp_path_factory.mktemp("site"), leads=14, odd=LONG)


@pytest.fixture
def page(written, tmp_path):
    target = tmp_path / "w"
    shutil.copytree(written.workspace.root, target)
    with served(replace(written, workspace=Workspace(target))) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Tab]:
    with tab(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def test_a_rep_signs_in_and_judges_ten_leads_by_keyboard(page, browser):
    sign_in(page, browser, "Ann")
    assert "To judge (13)" in shown(browser)
    browser.type("j")
    browser.type_and_wait("\n")  # opens the first lead
    for key in ("a", "1", "2", "3", "4", "5", "6", "7", "8"):
        browser.type_and_wait(key)
        assert "Saved: L" in shown(browser)
    browser.type("n")
    browser.type("moved to 1 Long Road")  # in the note, keys write and do not judge
    browser.press("Escape")
    browser.type_and_wait("0")
    assert "rejected: other" in shown(browser)
    rows = page.rows("SELECT lead_id, coalesce(reason, verdict) FROM review_verdicts")
    assert rows == [
        *(("L00", "accepted"), ("L01", "not_icp"), ("L02", "no_budget"), ("L03", "no_authority")),
        *(("L04", "no_need"), ("L05", "not_now"), ("L06", "unreachable"), ("L07", "wrong_data")),
        *(("L08", "duplicate"), ("L09", "other")),
    ]
    assert page.rows("SELECT note FROM review_verdicts WHERE reason = 'other'") == [
        ("moved to 1 Long Road",)
    ]
    browser.type_and_wait("u")
    assert "Taken back: the verdict counts no longer." in shown(browser)
    assert page.rows("SELECT count(*) FROM review_standing") == [(9,)]
    assert browser.complaints() == []


def test_single_keys_can_be_turned_off_and_stay_off(page, browser):
    base = sign_in(page, browser, "Ben")
    link = page.signed_in("rep-x").get("/").links("/lead/")[0]
    browser.open(f"{base}{link}")
    browser.value("document.getElementById('keys-toggle').click()")
    browser.open(f"{base}{link}")
    browser.type("a")
    assert browser.value("document.getElementById('keys-toggle').ariaPressed") == "false"
    assert page.rows("SELECT count(*) FROM review_verdicts") == [(0,)]
    browser.value("document.getElementById('keys-toggle').click()")


def test_the_page_loads_only_from_itself_and_never_scrolls_sideways(page, browser):
    base = sign_in(page, browser, "Eve", Role.SALES_LEAD)
    lead = page.signed_in("rep-x").get("/").links("/lead/")[1]
    for path in ("/", lead, "/verdicts", "/keys"):
        for width, dark in ((320, False), (1200, True)):
            browser.open(f"{base}{path}", width=width, dark=dark)
            asked = [one for one in browser.requested() if not one.startswith("data:")]
            assert all(one.startswith(base) for one in asked), asked
            assert browser.complaints() == []
            assert browser.value("document.documentElement.scrollWidth") <= width
    browser.open(f"{base}{lead}", width=360)
    sizes = browser.value(
        "[...document.querySelectorAll('.judge button')].map(b => b.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 44  # a thumb's width
    browser.open(f"{base}{lead}", dark=True)
    ground = browser.value("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(21, 24, 28)"
