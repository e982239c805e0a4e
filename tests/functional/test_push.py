"""`mqlml push`: the scores of a workspace arrive at a real webhook, once."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

AS_OF = ("--as-of", "2025-12-01")


@pytest.fixture
def webhook():
    """Return the address of a server on this machine, and the rows it was sent."""
    rows = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            rows.extend(body["records"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", rows
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def config(company, tmp_path, webhook):
    """Return the company's config with a delivery to the webhook, its files beside it."""
    text = company.read_text().rstrip("\n")
    path = tmp_path / "push.yaml"
    path.write_text(f"{text}\ndelivery:\n  sales: {{system: webhook, url: {webhook[0]}}}\n")
    return path


def test_scores_are_pushed_once_and_told_again_only_when_they_change(
    mqlml, config, company, workspace, webhook
):
    words = ("--config", config, "--data", company.parent, "--workspace", workspace)
    nothing = mqlml("push", "sales", *words)
    assert (nothing.code != 0, "nothing was scored yet" in nothing.err) == (True, True)
    scored = mqlml("score", *words, *AS_OF, "--json").document
    first = mqlml("push", "sales", *words, "--json").document
    assert (first["sent"], first["unchanged"], first["refused"]) == (scored["rows"], 0, [])
    sent = webhook[1]
    assert len({row["lead_id"] for row in sent}) == scored["rows"]
    assert {row["as_of"] for row in sent} == {"2025-12-01T00:00:00Z"}
    again = mqlml("push", "sales", *words, "--json").document
    assert (again["sent"], again["unchanged"], len(sent)) == (0, scored["rows"], scored["rows"])


def test_a_delivery_that_nobody_configured_is_named_with_the_nearest(
    mqlml, config, company, workspace
):
    words = ("--config", config, "--data", company.parent, "--workspace", workspace)
    told = mqlml("push", "sale", *words)
    assert told.code == 3
    assert "'sales'" in told.err
    assert "Traceback" not in told.err


def test_the_fields_to_set_up_are_listed_without_sending_anything(
    mqlml, config, company, workspace, webhook
):
    words = ("--config", config, "--data", company.parent, "--workspace", workspace)
    listed = mqlml("push", "sales", "--fields", *words, "--json").document
    assert {"field": "score", "label": "MQL score", "type": "number"}.items() <= listed[0].items()
    assert "reasons_up" in mqlml("push", "sales", "--fields", *words).out
    assert webhook[1] == []
