"""What somebody just said, for the bar on top of the next page."""

from collections.abc import Mapping
from typing import Any

from mqlml.reports.words import short
from mqlml.serving.board import Board
from mqlml.serving.history import UNDONE, Given
from mqlml.serving.people import everyone
from mqlml.serving.phrases import said
from mqlml.serving.site import Asked, Site


def last_said(site: Site, asked: Asked, board: Board) -> dict[str, Any] | None:
    """Return what the person said last in words, and who else said something meanwhile."""
    number = asked.number("said")
    given = next((g for g in _own(board, asked) if g.number == number), None)
    if given is None or board.is_undone(number):
        return None
    seen = asked.number("seen")
    others = [
        other
        for other in board.history(given.lead_id)
        if seen < other.number < number and other.who != given.who and other.verdict != UNDONE
    ]
    names = names_of(site) if others else {}
    return {
        "number": number,
        "lead_id": short(given.lead_id, 40),
        "words": said(given.verdict, given.reason),
        "others": [
            f"{short(names.get(o.who, o.who), 40)} said: {said(o.verdict, o.reason)}"
            for o in others
        ],
    }


def names_of(site: Site) -> Mapping[str, str]:
    """Return the names of all people by their ids."""
    with site.store.database.read() as cursor:
        return {person.id: person.name for person in everyone(cursor)}


def _own(board: Board, asked: Asked) -> list[Given]:
    given = board.of_number(asked.number("said"))
    return [given] if given is not None and given.who == asked.signed_in.id else []
