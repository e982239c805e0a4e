"""The order of the list, the names of leads in addresses, and whom a request may name."""

import pytest

from mqlml.serving.cases import Case, Worklist, lead_token, named
from mqlml.serving.desk import Desk
from mqlml.serving.outside import Place
from mqlml.tables.tombstones import Tombstones


def case(lead, outcome="mql", score=50.0, since=0, **more):
    return Case(lead, since, outcome, score, **more)


def ids(found):
    return [one.lead_id for _, one in found.listed]


def test_new_leads_come_first_then_hand_raisers_then_score_then_who_waits_longest():
    cases = (
        case("old mql", score=99.0),
        case("old raiser", "hand_raiser", score=1.0),
        case("late", score=50.0, since=9, is_new=True),
        case("early", score=50.0, since=5, is_new=True),
        case("high", score=60.0, since=9, is_new=True),
        case("raiser", "hand_raiser", score=2.0, since=9, is_new=True),
        case("gone", score=100.0, is_listed=False),
    )
    found = named(Worklist(cases=cases), b"key")
    assert ids(found) == ["raiser", "high", "early", "late", "old raiser", "old mql"]
    assert set(found.token_of) == {one.lead_id for one in cases}


def test_a_leads_token_is_the_keys_own_and_holds_nothing_of_the_id():
    tokens = {lead_token(key, one) for key in (b"a", b"b") for one in ("L1", "L2")}
    assert len(tokens) == 4
    assert all(len(token) == 32 and int(token, 16) >= 0 for token in tokens)


def test_who_was_erased_is_in_no_list():
    gone = Tombstones("salt").with_ids(["L1"])
    found = named(Worklist(cases=(case("L1"), case("L2")), erased=gone), b"key")
    assert (ids(found), list(found.token_of)) == (["L2"], ["L2"])


def test_the_neighbours_of_a_lead_are_walked_both_ways():
    found = named(Worklist(cases=tuple(case(f"L{n}") for n in range(4))), b"key")
    token = found.token_of["L2"]
    assert [one.lead_id for _, one in found.walk(token, 1)] == ["L3"]
    assert [one.lead_id for _, one in found.walk(token, -1)] == ["L1", "L0"]
    assert list(found.walk("unknown", 1)) == []


def test_the_desk_loads_again_only_when_its_stamp_changed():
    stamps, loads = ["a"], []

    def load():
        loads.append(1)
        return Worklist(as_of=len(loads))

    desk = Desk(load, lambda: stamps[-1], key=b"key")
    assert [desk.worklist().worklist.as_of for _ in range(3)] == [1, 1, 1]
    stamps.append("b")
    assert desk.worklist().worklist.as_of == 2


@pytest.mark.parametrize(
    ("place", "host", "accepted"),
    [
        (Place(), "127.0.0.1:8321", True),
        (Place(), "localhost", True),
        (Place(), "[::1]:8321", True),
        (Place(), "evil.example:8321", False),
        (Place(), "", False),
        (Place("0.0.0.0"), "leads.firm.example", True),  # noqa: S104 - nothing listens here
        (Place(public="https://leads.firm.example"), "leads.firm.example", True),
        (Place(public="https://leads.firm.example:8443"), "leads.firm.example:8443", True),
        (Place(public="https://leads.firm.example"), "other.example", False),
    ],
)
def test_a_request_may_name_only_our_hosts(place, host, accepted):
    assert place.accepts(host) is accepted


def test_addresses_are_shown_as_people_type_them():
    assert Place().address == "http://127.0.0.1:8321"
    assert Place("::1", 80).address == "http://[::1]:80"
    assert Place(public="https://leads.firm.example/").address == "https://leads.firm.example"
