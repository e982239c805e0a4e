"""Alerts as a POST of JSON: to a program, or to a chat's incoming webhook."""

import json
from dataclasses import dataclass
from typing import Literal

from mqlml.delivery.alerts import Alert, Taken, facts, message
from mqlml.delivery.push import Send
from mqlml.delivery.shapes import Request
from mqlml.timeline import MICROS_PER_SECOND

_BUSY, _TIMEOUT, _SERVER = 429, 408, 500
# Slack's own marks, which a text must not hold by chance.
_MARKS = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))


@dataclass(frozen=True)
class Webhook:
    """The way to a URL; neither the URL nor a token is ever quoted."""

    url: str
    call: Send
    shape: Literal["json", "slack"] = "json"

    def send(self, alert: Alert) -> Taken:
        """Send the alert, with its key as `Idempotency-Key`."""
        headers = {"Idempotency-Key": alert.key}
        status = self.call(Request("POST", self.url, self._body(alert), headers)).status
        if 200 <= status < 300:
            return Taken(ok=True)
        why = f"HTTP {status}" if status else "no answer"
        again = status in {0, _BUSY, _TIMEOUT} or status >= _SERVER
        return Taken(ok=False, why=why, again=again)

    def _body(self, alert: Alert) -> bytes:
        if self.shape == "json":
            return json.dumps(facts(alert, shown=_iso), ensure_ascii=False).encode()
        text = message(alert)
        for mark, written in _MARKS:
            text = text.replace(mark, written)
        return json.dumps({"text": text}, ensure_ascii=False).encode()


def _iso(micros: int) -> str:
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(micros // MICROS_PER_SECOND, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
