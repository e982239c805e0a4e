"""One HTTP call by urllib3: no redirects, no retries of its own, no body in any message."""

import urllib3

from mqlml.delivery.push import Answer, Send
from mqlml.delivery.shapes import Request


def sender(timeout_s: float, token: str | None) -> Send:
    """Return the function that makes a call; no answer is status 0."""
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(timeout_s), retries=False)
    common = {"Content-Type": "application/json", "User-Agent": "mqlml"}
    if token is not None:
        common["Authorization"] = f"Bearer {token}"

    def send(request: Request) -> Answer:
        headers = {**common, **request.headers}
        try:
            response = pool.request(
                request.method, request.url, body=request.body, headers=headers, redirect=False
            )
        except urllib3.exceptions.HTTPError:
            return Answer(0)
        after = response.headers.get("Retry-After", "")
        return Answer(response.status, response.data, float(after) if after.isdigit() else None)

    return send
