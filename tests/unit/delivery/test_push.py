"""Deliveries to a real HTTP server on this machine that behaves as the systems document it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from mqlml.delivery.fields import Record, records_of
from mqlml.delivery.http import sender
from mqlml.delivery.memory import read_told, without_leads
from mqlml.delivery.push import Line, Pushed, push
from mqlml.delivery.settings import DeliverySettings
from mqlml.delivery.shapes import batch_size, field_names, request_of
from mqlml.errors import DataError


class Crm:
    """A server that keeps what it is sent, refuses ids it does not know, and can be busy."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, str], dict]] = []
        self.known: set[str] = set()
        self.busy: list[tuple[int, dict[str, str]]] = []
        self.rows: dict[str, dict] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path: str, body: dict) -> tuple[int, object]:
        if "crm/v3" in path:
            return self.hubspot(body["inputs"])
        if "composite" in path:
            return 200, [self.salesforce(row) for row in body["records"]]
        self.rows |= {row["lead_id"]: row for row in body["records"]}
        return 202, None

    def hubspot(self, inputs: list[dict]) -> tuple[int, object]:
        if any(one["id"] not in self.known for one in inputs):
            return 400, {"category": "VALIDATION_ERROR"}
        self.rows |= {one["id"]: one["properties"] for one in inputs}
        return 200, {"status": "COMPLETE"}

    def salesforce(self, row: dict) -> dict:
        if row["id"] in self.known:
            self.rows[row["id"]] = row
            return {"id": row["id"], "success": True, "errors": []}
        error = {"statusCode": "NOT_FOUND", "message": "no such lead"}
        return {"success": False, "errors": [error]}


def handler_of(crm: Crm) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            crm.calls.append((self.command, self.path, dict(self.headers), body))
            status, headers = crm.busy.pop(0) if crm.busy else (0, {})
            content: object = None
            if not status:
                status, content = crm.answer(self.path, body)
            data = json.dumps(content).encode()
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(data))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_PATCH = answer  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def crm() -> Iterator[Crm]:
    one = Crm()
    thread = threading.Thread(target=one.server.serve_forever, args=(0.01,))
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


def scores(*leads: tuple[str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(leads, columns=["lead_id", "score"])
    return frame.assign(
        as_of=pd.Timestamp("2026-03-02", tz="UTC"),
        outcome="mql",
        grade="A1",
        because="probability 40 % reaches the MQL threshold of 9 %",
        reasons_up="3 visits, usually 0",
        reasons_down=None,
        trend=1.5,
        persona="other",
        model_version="3",
        criteria_version=2,
        fit_part=0.25,
    )


class Waits(list):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def deliver(
    crm: Crm, told: Path, frame: pd.DataFrame, waits: Waits | None = None, **settings: object
) -> Pushed:
    made = DeliverySettings(**({"system": "hubspot", "url": crm.url} | settings))
    line = Line(made, sender(made.timeout_s, "s3cret"), Waits() if waits is None else waits)
    return push(records_of(frame), line, told)


def test_hubspot_gets_text_properties_of_contacts_by_id(crm: Crm, tmp_path: Path) -> None:
    crm.known = {"1", "2"}
    found = deliver(crm, tmp_path / "told", scores(("2", 41.5), ("1", 7.0)))
    assert (found.sent, found.unchanged, found.refused) == (2, 0, ())
    method, path, headers, body = crm.calls[0]
    assert (method, path) == ("POST", "/crm/v3/objects/contacts/batch/update")
    assert headers["Authorization"] == "Bearer s3cret"
    assert [one["id"] for one in body["inputs"]] == ["1", "2"]
    assert crm.rows["2"] == {
        "mqlml_score": "41.5",
        "mqlml_outcome": "mql",
        "mqlml_grade": "A1",
        "mqlml_because": "probability 40 % reaches the MQL threshold of 9 %",
        "mqlml_reasons_up": "3 visits, usually 0",
        "mqlml_reasons_down": "",
        "mqlml_trend": "1.5",
        "mqlml_persona": "other",
        "mqlml_as_of": "2026-03-02T00:00:00Z",
        "mqlml_model_version": "3",
        "mqlml_criteria_version": "2",
    }


def test_salesforce_gets_typed_fields_and_each_record_stands_for_itself(
    crm: Crm, tmp_path: Path
) -> None:
    crm.known = {"00Q1"}
    found = deliver(
        crm, tmp_path / "told", scores(("00Q1", 41.5), ("00Q2", 7.0)), system="salesforce"
    )
    assert found.sent == 1
    assert [(one.record.lead_id, one.why) for one in found.refused] == [("00Q2", "NOT_FOUND")]
    method, path, _, body = crm.calls[0]
    assert (method, path) == ("PATCH", "/services/data/v61.0/composite/sobjects")
    assert body["allOrNone"] is False
    row = crm.rows["00Q1"]
    assert row["attributes"] == {"type": "Lead"}
    assert (row["MQL_Score__c"], row["MQL_Reasons_Down__c"]) == (41.5, None)


def test_only_leads_with_news_are_sent_again(crm: Crm, tmp_path: Path) -> None:
    crm.known, told = {"1", "2"}, tmp_path / "told"
    deliver(crm, told, scores(("1", 7.0), ("2", 41.5)))
    later = scores(("1", 7.0), ("2", 42.0)).assign(
        as_of=pd.Timestamp("2026-03-03", tz="UTC"), model_version="4", trend=0.5
    )
    found = deliver(crm, told, later)
    assert (found.sent, found.unchanged) == (1, 1)
    assert [one["id"] for one in crm.calls[-1][3]["inputs"]] == ["2"]
    again = deliver(crm, told, later)
    assert (again.sent, again.unchanged, len(crm.calls)) == (0, 2, 2)


def test_one_bad_record_does_not_hold_back_its_batch(crm: Crm, tmp_path: Path) -> None:
    crm.known, told = {"1", "2", "4"}, tmp_path / "told"
    frame = scores(("1", 1.0), ("2", 2.0), ("3", 3.0), ("4", 4.0))
    found = deliver(crm, told, frame)
    assert found.sent == 3
    assert found.reasons == {"refused with HTTP 400": 1}
    assert set(crm.rows) == {"1", "2", "4"}
    crm.known.add("3")
    assert deliver(crm, told, frame).sent == 1


def test_a_busy_server_is_asked_again_as_late_as_it_says(crm: Crm, tmp_path: Path) -> None:
    crm.known, waits = {"1"}, Waits()
    crm.busy = [(429, {"Retry-After": "7"}), (503, {}), (502, {"Retry-After": "soon"})]
    assert deliver(crm, tmp_path / "told", scores(("1", 1.0)), waits).sent == 1
    assert waits == [7.0, 2.0, 4.0]


def test_a_server_that_stays_away_is_a_clear_error_and_what_was_taken_stays(
    crm: Crm, tmp_path: Path
) -> None:
    crm.known, told = {"1", "2"}, tmp_path / "told"
    crm.busy = []
    deliver(crm, told, scores(("1", 1.0)))
    crm.busy = [(500, {})] * 2
    with pytest.raises(DataError, match=r"(?s)does not take the scores.*HTTP 500"):
        deliver(crm, told, scores(("1", 1.0), ("2", 2.0)), tries=2)
    assert deliver(crm, told, scores(("1", 1.0), ("2", 2.0))).unchanged == 1


def test_no_server_at_all_is_no_answer(tmp_path: Path) -> None:
    settings = DeliverySettings(system="webhook", url="http://127.0.0.1:9", tries=1)
    line = Line(settings, sender(settings.timeout_s, None), Waits())
    with pytest.raises(DataError, match="no answer"):
        push(records_of(scores(("1", 1.0))), line, tmp_path / "told")


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_token_is_named_and_never_shown(crm: Crm, tmp_path: Path, status: int) -> None:
    crm.busy = [(status, {})]
    with pytest.raises(DataError, match="denies access") as caught:
        deliver(crm, tmp_path / "told", scores(("1", 1.0)))
    assert "s3cret" not in str(caught.value)


def test_a_redirect_is_not_followed_with_the_token(crm: Crm, tmp_path: Path) -> None:
    crm.busy = [(302, {"Location": f"{crm.url}/elsewhere"})]
    with pytest.raises(DataError, match="HTTP 302"):
        deliver(crm, tmp_path / "told", scores(("1", 1.0)))
    assert len(crm.calls) == 1


def test_a_webhook_gets_a_key_that_names_the_content(crm: Crm, tmp_path: Path) -> None:
    frame = scores(("1", 1.0), ("2", 2.0))
    deliver(crm, tmp_path / "a", frame, system="webhook")
    deliver(crm, tmp_path / "b", frame, system="webhook")
    deliver(crm, tmp_path / "c", frame.assign(score=3.0), system="webhook")
    first, second, third = (call[2]["Idempotency-Key"] for call in crm.calls)
    assert first == second != third
    assert crm.rows["2"]["score"] == 3.0


def test_a_delivery_that_was_cut_off_goes_on_where_it_was(crm: Crm, tmp_path: Path) -> None:
    crm.known, told = {str(i) for i in range(6)}, tmp_path / "told"
    frame = scores(*((str(i), float(i)) for i in range(6)))
    deliver(crm, told, frame.head(4), batch=2)
    # Killed while a line was written: the last one is torn, its lead is sent again.
    told.write_bytes(told.read_bytes()[:-9])
    crm.calls.clear()
    found = deliver(crm, told, frame, batch=2)
    assert (found.sent, found.unchanged) == (3, 3)
    assert deliver(crm, told, frame).unchanged == 6


def test_what_is_remembered_holds_no_id_and_no_score(crm: Crm, tmp_path: Path) -> None:
    crm.known, told = {"ann@example.com"}, tmp_path / "told"
    deliver(crm, told, scores(("ann@example.com", 41.5)))
    text = told.read_text()
    assert "ann" not in text
    assert "41.5" not in text
    assert len(text) == 32 + 1 + 16 + 1


def test_an_erased_lead_is_forgotten_and_the_others_are_not(crm: Crm, tmp_path: Path) -> None:
    crm.known, told = {"1", "2"}, tmp_path / "crm.txt"
    frame = scores(("1", 1.0), ("2", 2.0))
    deliver(crm, told, frame)
    told.write_text(without_leads(told.read_text(), ["1", "nobody"]))
    assert list(read_told(told)) == [next(r.key for r in records_of(frame) if r.lead_id == "2")]


def test_fields_are_renamed_or_left_out_by_the_config() -> None:
    settings = DeliverySettings(
        system="hubspot", url="https://x.io", fields={"score": "lead_score", "persona": None}
    )
    names = field_names(settings)
    assert names["score"] == "lead_score"
    assert "persona" not in names
    body = json.loads(request_of(settings, list(records_of(scores(("1", 1.0))))).body)
    assert body["inputs"][0]["properties"]["lead_score"] == "1.0"


def test_batches_never_exceed_what_the_system_takes() -> None:
    def size(system: str, batch: int | None) -> int:
        return batch_size(DeliverySettings(system=system, url="https://x.io", batch=batch))

    assert (size("hubspot", None), size("hubspot", 500), size("hubspot", 7)) == (100, 100, 7)
    assert (size("salesforce", None), size("webhook", None)) == (200, 500)


def test_long_reasons_are_cut_to_what_a_crm_takes() -> None:
    frame = scores(("1", 1.0)).assign(reasons_up="x" * 2000)
    (record,) = records_of(frame)
    assert isinstance(record, Record)
    assert record.values["reasons_up"] == "x" * 999 + "…"
