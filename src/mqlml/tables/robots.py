"""Which events no person did: marks with a reason, never deletions.

The rules look at what mail systems and browsers say of themselves (`user_agent`), at how
soon after the delivery of its message something happened, at how many links of a message
were opened at once, at pages that are opened faster than anyone reads, and at who is inside
the company. The kept rows of events get `is_bot` and `bot_reason`; the rows stay. Reading
the sources again by other rules undoes every mark.
"""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import duckdb
from pydantic import BaseModel, ConfigDict, Field

from mqlml.tables.robot_visits import Pace, find_page_bursts, find_scanner_visits
from mqlml.tables.sql import literal, only_row, quoted

Rule = Literal[
    "internal",
    "crawler",
    "apple_privacy",
    "image_proxy",
    "instant_open",
    "link_scanner",
    "page_burst",
    "scanner_visit",
]
RULES: tuple[Rule, ...] = get_args(Rule)
OF_SOURCE = "source"
_READ = ("user_agent", "ip", "url", "message_id", "email")

# A word that ends in "bot" is a robot, but for the telephones that are called Cubot.
_CRAWLERS = (
    r"(^|[^u])bot\b|bot[/;_-]|crawl|spider|slurp|mediapartners|facebookexternalhit|headlesschrome"
    r"|phantomjs|lighthouse|pingdom|uptime|python-requests|python-urllib|aiohttp|curl/|wget"
    r"|go-http-client|^java/|okhttp|scrapy|libwww|httpclient|node-fetch|axios/"
)
_PROXIES = r"googleimageproxy|ggpht\.com|yahoomailproxy|yahoocachesystem|mailruimageproxy"
_SCANNERS = (
    r"barracuda|proofpoint|mimecast|safelinks|symantec|messagelabs|trend ?micro|fortinet|forcepoint"
    r"|sophos|cloudmark|urlscan|virustotal|bitdefender|fireeye|trellix|zscaler"
)


class RobotSettings(BaseModel):
    """Which rules mark events, and where their bounds lie.

    `own_domains`, `own_addresses` and `own_ips` (addresses or networks) are of people inside
    the company and of tests. `agents` are further words in the user agent of machines.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[Rule, ...] = RULES
    agents: tuple[str, ...] = ()
    own_domains: tuple[str, ...] = ()
    own_addresses: tuple[str, ...] = ()
    own_ips: tuple[str, ...] = ()
    proxy_seconds: float = Field(default=10, ge=0)
    instant_seconds: float = Field(default=1, ge=0)
    scanner_seconds: float = Field(default=2, ge=0)
    scanner_links: int = Field(default=3, ge=2)
    burst_pages: int = Field(default=6, ge=2)
    burst_seconds: float = Field(default=2, ge=0)
    walk_pages: int = Field(default=20, ge=2)
    walk_seconds: float = Field(default=30, ge=0)
    visit_seconds: float = Field(default=10, ge=0)


def network_faults(settings: RobotSettings) -> list[str]:
    """Return the texts among `own_ips` that are neither an address nor a network."""
    return [text for text in settings.own_ips if _network(text) is None]


def mark_robots(
    connection: duckdb.DuckDBPyConnection, settings: RobotSettings, *, email: str | None = None
) -> None:
    """Mark the kept rows of events; `email` is the column of leads with their address.

    What the source itself marked keeps its mark, with the reason `source` if it gives none.
    Of several rules that hold the first in the order of RULES is the reason.
    """
    connection.execute(
        f"UPDATE events_kept SET bot_reason = {literal(OF_SOURCE)}"
        " WHERE is_bot AND bot_reason IS NULL"
    )
    connection.execute("CREATE TABLE found (__file BIGINT, __row BIGINT, rule BIGINT)")
    names = _filled(connection, _READ)
    if names or settings.own_domains or settings.own_addresses:
        _find_by_row(connection, settings, names, email)
    _find_visits(connection, settings)
    connection.execute(
        "CREATE TABLE robots AS SELECT __file, __row, min(rule) AS rule FROM found GROUP BY ALL"
    )
    words = ", ".join(map(literal, RULES))
    connection.execute(
        f"UPDATE events_kept AS e SET is_bot = true, bot_reason = [{words}][r.rule + 1]"
        " FROM robots AS r"
        " WHERE e.__file = r.__file AND e.__row = r.__row AND coalesce(e.is_bot, false) = false"
    )
    for name in ("found", "robots"):
        connection.execute(f"DROP TABLE {name}")


def _filled(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[str]:
    """Return which of the columns the events have, and not empty in every row."""
    there = [name for name in names if name in connection.table("events_kept").columns]
    counts = ", ".join(["count(*)", *(f"count({quoted(name)})" for name in there)])
    _, *filled = only_row(connection, f"SELECT {counts} FROM events_kept")
    return [name for name, count in zip(there, filled, strict=True) if count]


def _find_by_row(
    connection: duckdb.DuckDBPyConnection,
    settings: RobotSettings,
    names: Sequence[str],
    email: str | None,
) -> None:
    """Add to `found` what the rules on agents, mails and people inside find."""
    _know_agents(connection, names, settings)
    _make_view(connection, names, email)
    _find_bursts(connection, settings)
    conditions = {rule: sql(settings) for rule, sql in _CONDITIONS.items()}
    conditions["internal"] = _internal(connection, settings)
    chosen = [rule for rule in RULES if rule in conditions and rule in settings.rules]
    cases = " ".join(f"WHEN {conditions[r]} THEN {RULES.index(r)}" for r in chosen)
    if cases:
        connection.execute(
            f"INSERT INTO found SELECT * FROM"
            f" (SELECT __file, __row, CASE {cases} END AS rule FROM looked_at)"
            " WHERE rule IS NOT NULL"
        )
    for name in ("bursts", "looked_at", "delivered", "agents"):
        connection.execute(f"DROP TABLE {name}")


def _find_visits(connection: duckdb.DuckDBPyConnection, settings: RobotSettings) -> None:
    """Add to `found` the page views that nobody read."""
    if "page_burst" in settings.rules:
        walk = Pace(settings.walk_pages, settings.walk_seconds, is_unread=True)
        find_page_bursts(connection, [Pace(settings.burst_pages, settings.burst_seconds), walk])
        _take(connection, "page_bursts", "page_burst")
    if "scanner_visit" in settings.rules:
        of_rule = f"SELECT __file, __row FROM found WHERE rule = {RULES.index('link_scanner')}"
        clicks = (
            "(SELECT * FROM events_kept WHERE type = 'email_clicked'"
            f" AND (is_bot OR (__file, __row) IN (SELECT (__file, __row) FROM ({of_rule}))))"
        )
        find_scanner_visits(connection, clicks=clicks, seconds=settings.visit_seconds)
        _take(connection, "scanner_visits", "scanner_visit")


def _take(connection: duckdb.DuckDBPyConnection, table: str, rule: Rule) -> None:
    """Move the rows of a table to `found` as those of a rule."""
    connection.execute(f"INSERT INTO found SELECT *, {RULES.index(rule)} FROM {table}")
    connection.execute(f"DROP TABLE {table}")


def _know_agents(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], settings: RobotSettings
) -> None:
    """Make `agents`: what each user agent is, looked at once however often it comes."""
    agents = "SELECT CAST(NULL AS VARCHAR) AS agent WHERE false"
    if "user_agent" in names:
        agents = "SELECT DISTINCT CAST(user_agent AS VARCHAR) AS agent FROM events_kept"
    own = [f"contains(lower(agent), {literal(word.lower())})" for word in settings.agents]
    matches = {
        "is_crawler": " OR ".join([_agent(_CRAWLERS), *own]),
        "is_proxy": _agent(_PROXIES),
        "is_scanner": _agent(_SCANNERS),
        # Apple's proxy fetches every picture and says nothing but this.
        "is_apple": "trim(agent) = 'Mozilla/5.0'",
    }
    columns = ", ".join(f"{sql} AS {name}" for name, sql in matches.items())
    connection.execute(
        f"CREATE TABLE agents AS SELECT agent, {columns} FROM ({agents}) WHERE agent IS NOT NULL"
    )


def _make_view(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], email: str | None
) -> None:
    """Make `looked_at`: what the rules read of every event, with when its message came."""
    read = [
        f"CAST(e.{quoted(name)} AS VARCHAR) AS {name}"
        if name in names
        else f"CAST(NULL AS VARCHAR) AS {name}"
        for name in _READ
        if name not in {"email", "user_agent"}
    ]
    own = ["CAST(e.email AS VARCHAR)"] if "email" in names else []
    own.append("CASE WHEN e.lead_id LIKE 'email:%' THEN substr(e.lead_id, 7) END")
    join = ""
    if email is not None:
        own.append(f"CAST(l.{quoted(email)} AS VARCHAR)")
        join = "LEFT JOIN leads_kept AS l USING (lead_id)"
    agent = f"CAST({'e.user_agent' if 'user_agent' in names else 'NULL'} AS VARCHAR)"
    message = f"CAST({'e.message_id' if 'message_id' in names else 'NULL'} AS VARCHAR)"
    connection.execute(
        f"CREATE TABLE delivered AS SELECT e.lead_id, {message} AS message_id,"
        " min(e.occurred_at) AS delivered_at FROM events_kept AS e"
        f" WHERE e.type = 'email_delivered' AND {message} IS NOT NULL GROUP BY ALL"
    )
    connection.execute(
        f"""
        CREATE TABLE looked_at AS
        SELECT e.__file, e.__row, e.lead_id, e.type, e.campaign, e.occurred_at,
            {", ".join(read)}, lower(trim(coalesce({", ".join(own)}))) AS email,
            is_crawler, is_proxy, is_scanner, is_apple,
            epoch_us(e.occurred_at) / 1e6 - epoch_us(d.delivered_at) / 1e6 AS waited_s
        FROM events_kept AS e {join} LEFT JOIN delivered AS d
        ON d.lead_id = e.lead_id AND d.message_id = {message}
        LEFT JOIN agents AS a ON a.agent = {agent}
        """
    )


def _find_bursts(connection: duckdb.DuckDBPyConnection, settings: RobotSettings) -> None:
    """Make `bursts`: clicks on several links of one message, hardly a moment apart.

    A burst has `scanner_links` different links, or all the links of the message if those
    are fewer, two at least.
    """
    gap = round(settings.scanner_seconds * 1_000_000)
    connection.execute(
        f"""
        CREATE TABLE bursts AS
        WITH clicks AS (
            SELECT *, coalesce(campaign, message_id) AS mailing FROM looked_at
            WHERE type = 'email_clicked' AND message_id IS NOT NULL AND url IS NOT NULL
        ), links AS (
            SELECT mailing, count(DISTINCT url) AS links FROM clicks GROUP BY mailing
        ), steps AS (
            SELECT *, epoch_us(occurred_at) - lag(epoch_us(occurred_at)) OVER w AS gap
            FROM clicks WINDOW w AS (PARTITION BY lead_id, message_id ORDER BY occurred_at, url)
        ), runs AS (
            SELECT *, count(*) FILTER (gap > {gap}) OVER (PARTITION BY lead_id, message_id
                ORDER BY occurred_at, url ROWS UNBOUNDED PRECEDING) AS run
            FROM steps
        ), many AS (
            SELECT lead_id, message_id, run FROM runs JOIN links USING (mailing)
            GROUP BY lead_id, message_id, run
            HAVING count(DISTINCT url) >= greatest(2, least({settings.scanner_links}, min(links)))
        )
        SELECT __file, __row FROM runs SEMI JOIN many USING (lead_id, message_id, run)
        """
    )


def _agent(pattern: str) -> str:
    return f"regexp_matches(lower(agent), {literal(pattern)})"


def _crawler(_: RobotSettings) -> str:
    # An image proxy may call itself a robot and fetch for a person who reads.
    return "(is_crawler AND type NOT IN ('email_opened', 'email_delivered', 'email_sent'))"


def _apple_privacy(_: RobotSettings) -> str:
    return "(is_apple AND type = 'email_opened')"


def _image_proxy(settings: RobotSettings) -> str:
    return f"(is_proxy AND type = 'email_opened' AND waited_s <= {settings.proxy_seconds})"


def _instant_open(settings: RobotSettings) -> str:
    return f"(type = 'email_opened' AND waited_s <= {settings.instant_seconds})"


def _link_scanner(settings: RobotSettings) -> str:
    early = f"waited_s <= {settings.instant_seconds}"
    burst = "(__file, __row) IN (SELECT (__file, __row) FROM bursts)"
    return f"(type = 'email_clicked' AND (is_scanner OR {early} OR {burst}))"


_CONDITIONS: dict[Rule, Callable[[RobotSettings], str]] = {
    "crawler": _crawler,
    "apple_privacy": _apple_privacy,
    "image_proxy": _image_proxy,
    "instant_open": _instant_open,
    "link_scanner": _link_scanner,
}


def _internal(connection: duckdb.DuckDBPyConnection, settings: RobotSettings) -> str:
    domains = [d.lower().removeprefix("@") for d in settings.own_domains]
    parts = [_one_of("regexp_extract(email, '@(.*)$', 1)", domains)]
    parts.append(_one_of("email", [a.lower() for a in settings.own_addresses]))
    networks = [n for text in settings.own_ips if (n := _network(text)) is not None]
    if networks:
        rows = connection.execute("SELECT DISTINCT ip FROM looked_at WHERE ip IS NOT NULL")
        inside = [ip for (ip,) in rows.fetchall() if _is_in(ip, networks)]
        parts.append(_one_of("ip", inside))
    return f"({' OR '.join(parts)})"


def _one_of(text: str, words: Sequence[str]) -> str:
    return f"{text} IN ({', '.join(map(literal, words))})" if words else "false"


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _is_in(ip: str, networks: Sequence[_Network]) -> bool:
    try:
        address = ipaddress.ip_address(ip.strip())
    except ValueError:
        return False
    return any(address.version == n.version and address in n for n in networks)
