"""Somebody at the page for sales in a real browser: invited, signed in, looking."""

from tests.browser import Tab
from tests.serving_site import Clock, Served, outside

from mqlml.serving.roles import Role
from mqlml.workflows.verdicts import invite_person

PASSWORD = "four words are plenty"
_IN_A_FIELD = """new Promise(done => {
  const look = () => document.activeElement.matches("input") ? done(1) : setTimeout(look, 10);
  look();
})"""


def invited(page: Served, name: str, role: Role) -> str:
    """Return the address at which somebody chooses a password."""
    base = f"http://127.0.0.1:{page.port}"
    told = invite_person(
        page.project, name, role, who=name, address=base, outside=outside(Clock(page.clock.now + 7))
    )
    return told.address


def sign_in(page: Served, browser: Tab, name: str, role: Role = Role.REP) -> str:
    """Choose a password by keyboard alone; return the page's address."""
    browser.open(invited(page, name, role))
    browser.value(_IN_A_FIELD)  # a page is loaded before its first field has the focus
    browser.type(PASSWORD)
    browser.press("Tab")
    browser.type_and_wait(f"{PASSWORD}\n")
    return f"http://127.0.0.1:{page.port}"


def shown(browser: Tab) -> str:
    return " ".join(browser.value("document.body.innerText").split())
