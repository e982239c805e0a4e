"""What a lead did, drawn and told."""

from mqlml.reports.lead_story import Step, story_picture
from mqlml.reports.pictures import Dot, Line, Words

DAY = 86_400_000_000
MONDAY = 1_772_409_600_000_000  # 2026-03-02T00:00:00Z


def steps(*days_and_types):
    return [Step(MONDAY + day * DAY, kind, of) for day, kind, of in days_and_types]


def lanes(picture):
    return [m.text for m in picture.marks if isinstance(m, Words) and m.anchor == "end"][:-1]


def test_the_most_frequent_kind_of_event_has_the_first_lane_and_each_event_its_day():
    did = steps((0, "demo_request", ""), (5, "page_view", "/a"), (10, "page_view", "/b"))
    picture = story_picture(did, handed_over_at=MONDAY + 10 * DAY, end=MONDAY + 10 * DAY)
    assert lanes(picture) == ["Page view", "Demo request"]
    dots = [(m.kind, m.x) for m in picture.marks if isinstance(m, Dot)]
    # Ten days lie on the places from 130 to 408.
    assert dots == [("main", 269.0), ("main", 408.0), ("second", 130.0)]
    assert [m.x for m in picture.marks if isinstance(m, Line) and m.kind == "axis"] == [408.0]
    assert picture.label == ("3 events from 2026-03-02 to 2026-03-12; last looked at a page: /b.")


def test_beyond_six_kinds_the_rarest_share_a_lane():
    did = steps(*((n, f"kind_{n}", "") for n in range(8)))
    assert lanes(story_picture(did, handed_over_at=0, end=did[-1].at)) == [
        *(f"Kind {n}" for n in range(5)),
        "Other",
    ]


def test_the_table_tells_everything_newest_first_in_words():
    did = steps((0, "email_clicked", "spring"), (1, "talked_at_fair", ""))
    table = story_picture(did, handed_over_at=0, end=did[-1].at).table
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["2026-03-03", "talked at fair"],
        ["2026-03-02", "clicked in an e-mail: spring"],
    ]


def test_one_event_and_a_handover_before_it_make_a_picture_too():
    picture = story_picture(steps((0, "call", "")), handed_over_at=MONDAY - DAY, end=MONDAY)
    assert [key.text for key in picture.keys] == ["what the lead did"]
    assert len([m for m in picture.marks if isinstance(m, Dot)]) == 1
