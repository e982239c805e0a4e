import random

import duckdb
import pyarrow as pa
import pytest

from mqlml.tables.robots import RobotSettings, mark_robots, network_faults

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
COLUMNS = (
    *("lead_id", "type", "at", "user_agent", "ip", "url", "message_id", "page", "duration_s"),
)
DAY = 86_400


def marks(rows, settings=None, *, email=None, leads=(), aliases=()):
    """Return the reason of each row, of which the last values of COLUMNS may be left out."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            "CREATE TABLE events_kept (__file BIGINT, __row BIGINT, lead_id VARCHAR, type VARCHAR,"
            " occurred_at TIMESTAMPTZ, campaign VARCHAR, user_agent VARCHAR, ip VARCHAR,"
            " url VARCHAR, message_id VARCHAR, page VARCHAR, duration_s DOUBLE,"
            " is_bot BOOLEAN, bot_reason VARCHAR)"
        )
        connection.execute("CREATE TABLE aliases_kept (alias VARCHAR, lead_id VARCHAR)")
        for alias in aliases:
            connection.execute("INSERT INTO aliases_kept VALUES (?, ?)", alias)
        connection.execute("CREATE TABLE leads_kept (lead_id VARCHAR, mail VARCHAR)")
        for lead in leads:
            connection.execute("INSERT INTO leads_kept VALUES (?, ?)", lead)
        filled = [dict(zip(COLUMNS, row, strict=False)) for row in rows]
        filled = [row | {"at": round(row["at"] * 1_000_000)} for row in filled]
        values = [
            (n, *(row.get(c) for c in COLUMNS), row["lead_id"] == "marked")
            for n, row in enumerate(filled)
        ]
        columns = list(zip(*values, strict=True))
        given = pa.table({f"c{n}": pa.array(list(c)) for n, c in enumerate(columns)})
        connection.register("given", given)
        connection.execute(
            "INSERT INTO events_kept SELECT 0, c0, c1, c2, make_timestamptz(CAST(c3 AS BIGINT)),"
            " NULL, c4, c5, c6, c7, c8, CAST(c9 AS DOUBLE), c10, NULL FROM given"
        )
        mark_robots(connection, RobotSettings.model_validate(settings or {}), email=email)
        found = connection.execute(
            "SELECT is_bot, bot_reason FROM events_kept ORDER BY __row"
        ).fetchall()
        assert len(found) == len(rows)
        assert all(bool(is_bot) == (reason is not None) for is_bot, reason in found)
        return [reason for _, reason in found]


def mail(seconds, agent=CHROME, kind="email_opened", url=None):
    return [
        ("ann", "email_delivered", 1000, None, None, None, "m1"),
        ("ann", kind, 1000 + seconds, agent, None, url, "m1"),
    ]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (mail(3600), None),
        (mail(3600, "Mozilla/5.0"), "apple_privacy"),
        (mail(3600, GMAIL), None),
        (mail(4, GMAIL), "image_proxy"),
        (mail(1), "instant_open"),
        (mail(2), None),
        (mail(1, kind="email_clicked", url="/a"), "link_scanner"),
        (mail(-5, kind="email_clicked", url="/a"), "link_scanner"),
        (mail(3600, kind="email_clicked", url="/a"), None),
        (mail(3600, "BarracudaCentral", kind="email_clicked", url="/a"), "link_scanner"),
        ([("ann", "page_view", 5, "Mozilla/5.0 (compatible; Googlebot/2.1)")], "crawler"),
        ([("ann", "page_view", 5, "Mozilla/5.0 (compatible; bingbot/2.0)")], "crawler"),
        ([("ann", "page_view", 5, "Mozilla/5.0 (Linux; Android 9; CUBOT X19)")], None),
        ([("ann", "page_view", 5, "python-requests/2.31")], "crawler"),
        ([("marked", "page_view", 5, CHROME)], "source"),
        ([("ann", "page_view", 5, None)], None),
    ],
)
def test_each_rule_marks_what_it_is_for_and_nothing_else(rows, reason):
    assert marks(rows)[-1] == reason


def clicks(*seconds, links=None):
    urls = links or [f"/{n}" for n in range(len(seconds))]
    return [
        ("ann", "email_clicked", s, CHROME, None, u, "m1")
        for s, u in zip(seconds, urls, strict=True)
    ]


def test_all_links_at_once_are_a_scanner_and_what_a_person_clicks_later_is_not():
    rows = [("ann", "email_delivered", 0, None, None, None, "m1"), *clicks(60, 61, 62, 4000)]
    assert marks(rows) == [None, "link_scanner", "link_scanner", "link_scanner", None]


def test_one_link_clicked_again_and_again_is_a_person():
    assert marks(clicks(60, 61, 62, links=["/a", "/a", "/a"])) == [None] * 3


def test_links_read_one_after_the_other_are_a_person():
    assert marks(clicks(60, 75, 100)) == [None] * 3


def views(*seconds, stayed=None, who="ann"):
    return [
        (who, "page_view", s, CHROME, None, None, None, f"/{n}", stayed)
        for n, s in enumerate(seconds)
    ]


def test_six_pages_with_pauses_of_two_seconds_are_read_by_nobody_and_five_may_be():
    assert marks(views(0, 2, 4, 6, 8, 10)) == ["page_burst"] * 6
    assert marks(views(0, 2, 4, 6, 8)) == [None] * 5
    assert marks(views(0, 2, 4, 7, 9, 11)) == [None] * 6


def test_one_page_counted_again_and_again_is_a_tag_that_fires_twice():
    rows = [(*row[:7], "/same", None) for row in views(*range(10))]
    assert marks(rows) == [None] * 10


def test_twenty_pages_in_a_row_on_none_of_which_anybody_stayed_are_a_robots():
    walk = [25 * n for n in range(20)]
    assert marks(views(*walk)) == ["page_burst"] * 20
    assert marks(views(*walk[:19])) == [None] * 19
    assert marks(views(*walk, stayed=0.4)) == [None] * 20


def test_the_page_that_a_scanner_opened_with_its_click_is_the_scanners_too():
    click = ("email:ann@x.io", "email_clicked", 100, "BarracudaCentral", None, "/0", "m1")
    links = [("email:ann@x.io", "7"), ("ga4:1.2", "7")]
    rows = [click, *views(101, 111, who="ga4:1.2"), *views(99, who="7"), *views(105, who="8")]
    found = marks(rows, aliases=links)
    assert found == ["link_scanner", "scanner_visit", None, None, None]
    read = views(101, stayed=8, who="7")
    assert marks([click, *read], aliases=links) == ["link_scanner", None]
    assert (
        marks([click, *views(101, who="7")], {"rules": ["link_scanner"]}, aliases=links)[1] is None
    )


def test_people_inside_are_told_by_domain_address_and_network():
    rows = [
        ("email:joe@own.example", "page_view", 5),
        ("email:test@else.example", "page_view", 5),
        ("7", "page_view", 5),
        ("8", "page_view", 5, None, "10.1.2.3"),
        ("8", "page_view", 5, None, "203.0.113.9"),
        ("8", "page_view", 5, None, "no address"),
    ]
    settings = {
        "own_domains": ["@Own.example"],
        "own_addresses": ["test@else.example"],
        "own_ips": ["10.0.0.0/8", "2001:db8::/32"],
    }
    found = marks(rows, settings, email="mail", leads=[("7", " Amy@own.example"), ("8", None)])
    assert found == ["internal"] * 4 + [None, None]


def test_a_rule_that_is_switched_off_marks_nothing():
    rows = mail(3600, "Mozilla/5.0")
    assert marks(rows, {"rules": ["crawler"]})[-1] is None
    assert marks(rows, {"rules": []})[-1] is None


def test_bounds_and_agents_are_the_configs():
    assert marks(mail(4), {"instant_seconds": 5})[-1] == "instant_open"
    own = [("ann", "page_view", 5, "AcmeMonitor 1.0")]
    assert marks(own, {"agents": ["acmemonitor"]}) == ["crawler"]


def test_what_is_no_network_is_named():
    assert network_faults(RobotSettings(own_ips=("10.0.0.0/8", "office"))) == ["office"]


def traffic(seed):  # noqa: C901 - one kind of reader after the other
    """Return (rows, is planted) of people who read mail and pages, and robots among them."""
    draw = random.Random(seed)
    rows, planted = [], []

    def add(is_robot, *row):
        rows.append(row)
        planted.append(is_robot)

    for n in range(3000):
        lead, message, sent = f"p{n}", f"m{n}", n * 7000
        add(False, lead, "email_delivered", sent, None, None, None, message)
        if draw.random() < 0.5:
            wait = max(0.5, draw.lognormvariate(8, 2))
            add(
                False,
                lead,
                "email_opened",
                sent + wait,
                draw.choice([CHROME, GMAIL]),
                None,
                None,
                message,
            )
            for link in draw.sample(range(6), draw.randint(0, 3)):
                wait += max(0.8, draw.lognormvariate(3, 1))
                add(False, lead, "email_clicked", sent + wait, CHROME, None, f"/{link}", message)
        if draw.random() < 0.3:
            add(
                True,
                lead,
                "email_opened",
                sent + draw.uniform(0, DAY),
                "Mozilla/5.0",
                None,
                None,
                message,
            )
        if draw.random() < 0.2:
            begin = sent + draw.choice([-1, 0.2, 20, 300])
            for link in range(6):
                begin += draw.uniform(0, 0.5)
                add(True, lead, "email_clicked", begin, CHROME, None, f"/{link}", message)
        if draw.random() < 0.2:
            agent = draw.choice(
                ["Googlebot/2.1", "AhrefsBot/7.0", "curl/8.0", "HeadlessChrome/120"]
            )
            add(True, lead, "page_view", sent + draw.uniform(0, DAY), agent)
        for _ in range(draw.randint(0, 4)):
            add(False, lead, "page_view", sent + draw.uniform(0, DAY), CHROME)
        at = sent + draw.uniform(0, DAY)
        if draw.random() < 0.1:  # tabs that a person opens one after the other, to read later
            for tab in range(draw.randint(2, 5)):
                at += draw.uniform(0.3, 3)
                add(False, lead, "page_view", at, CHROME, None, None, None, f"/tab{tab}")
        if draw.random() < 0.02:  # a person who looks for something, page after page
            for page in range(draw.randint(5, 40)):
                at += draw.lognormvariate(2, 0.8)
                stayed = draw.choice([None, draw.uniform(0.1, 9)])
                add(False, lead, "page_view", at, CHROME, *[None] * 3, f"/found{page}", stayed)
        if draw.random() < 0.02:
            pause = draw.choice([1, 1, 20])
            for page in range(draw.randint(30, 200) if pause > 1 else draw.randint(8, 200)):
                at += draw.uniform(0.1, pause)
                add(True, f"v{n}", "page_view", at, CHROME, None, None, None, f"/{page}")
    return rows, planted


@pytest.mark.parametrize("seed", [1, 2])
def test_planted_robots_are_found_and_people_are_left_alone(seed):
    rows, planted = traffic(seed)
    found = [reason is not None for reason in marks(rows)]
    recall = sum(f for f, p in zip(found, planted, strict=True) if p) / sum(planted)
    wrong = sum(f for f, p in zip(found, planted, strict=True) if not p) / planted.count(False)
    assert recall >= 0.98
    assert wrong <= 0.002
