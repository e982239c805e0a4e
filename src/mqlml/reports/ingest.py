"""The page of one ingest: what each source sent, what was refused and why, and who fell silent."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mqlml import timeline
from mqlml.monitoring.silence import Silence
from mqlml.reports.facts import Named, Warned
from mqlml.reports.page import picture_file, rendered
from mqlml.reports.pictures import Box, Curve, Key, Line, Mark, Picture, Scale, Words
from mqlml.reports.tables import Cell, Head, Table, cells, records, shares_of, text_head
from mqlml.reports.words import count, counted, day, figure, listed, percent, sentence, short
from mqlml.tables.ingested import FileCount, Note

_SOURCES = 40
_DRAWN = 12
_SILENCES = 30
_REASONS = 60
_NOTES = 80
_WEEK_DAYS = 7
_LANE, _TOP, _LEFT, _RIGHT = 44, 30, 150, 745


@dataclass(frozen=True)
class IngestFacts:
    """What one ingest did: the account of files, its notes, and what the events' sources sent.

    `sources` and `days` are those of `storage.arrivals`; `refused` holds table, file, column,
    reason, remedy and rows. `last_day` is the last whole day (since 1970-01-01) of the data.
    """

    name: str
    data_end: int
    last_day: int
    counts: Sequence[FileCount]
    sources: pd.DataFrame
    days: pd.DataFrame
    refused: pd.DataFrame
    silences: Sequence[Silence] = ()
    notes: Sequence[Note] = ()
    leads: int = 0
    leads_covered: int = 0
    details: Sequence[Named] = ()


def ingest_page(facts: IngestFacts) -> str:
    """Return the report of an ingest as one offline HTML page; equal facts give equal text."""
    closed = [s for s in facts.silences if not s.is_open]
    types = [note for note in facts.notes if note.column == "type"]
    other = [note for note in facts.notes if note.column != "type"]
    return rendered(
        "ingest.html",
        title=f"{short(facts.name)}: ingest",
        name=short(facts.name),
        subtitle=f"Ingest · data until {day(facts.data_end)}",
        verdict=ingest_verdict(facts),
        warnings=tuple(Warned(silence_words(s)) for s in facts.silences if s.is_open),
        coverage=_coverage_words(facts),
        sources=_source_table(facts.sources) if len(facts.sources) else None,
        weekly=weeks_picture(facts) if len(facts.days) else None,
        gaps=_gap_table(closed[:_SILENCES], len(closed)) if closed else None,
        files=_file_table(facts.counts),
        refused=_refused_table(facts.refused) if len(facts.refused) else None,
        types=tuple(sentence(short(str(note), 200)) for note in types[:_NOTES]),
        notes=tuple(sentence(short(str(note), 300)) for note in other[:_NOTES]),
        more_notes=max(0, len(other) - _NOTES),
        details=facts.details,
    )


def ingest_pictures(facts: IngestFacts) -> dict[str, bytes]:
    """Return the page's pictures as SVG files, by name."""
    return {"weeks.svg": picture_file(weeks_picture(facts))} if len(facts.days) else {}


def ingest_verdict(facts: IngestFacts) -> str:
    """Return the one sentence to remember: how many rows were refused, and who is silent."""
    rows = sum(one.rows for one in facts.counts)
    refused = sum(one.quarantined for one in facts.counts)
    silent = [_source_name(s.source) for s in facts.silences if s.is_open]
    share = f" ({percent(refused / rows)})" if refused else ""
    said = f"{count(refused)} of {counted(rows, 'row', 'rows')} were refused{share}"
    if silent:
        are = "is" if len(silent) == 1 else "are"
        return f"{said}, and {listed(silent)} {are} silent."
    return f"{said}; no source has fallen silent."


def silence_words(silence: Silence) -> str:
    """Return a silence in a sentence.

    >>> silence_words(Silence("ga4", 19_845, 9, 411.6, True)).replace(chr(0x202F), " ")
    'ga4 has sent nothing since 2024-05-02; usual: 412 events a day.'
    """
    since = _day_words(silence.first_day)
    usual = figure(silence.usual, 1) if silence.usual < 10 else count(round(silence.usual))
    if silence.is_open:
        what = f"has sent nothing since {since}"
    else:
        what = f"sent nothing for {counted(silence.days, 'day', 'days')} from {since}"
    return f"{_source_name(silence.source)} {what}; usual: {usual} events a day."


def weeks_picture(facts: IngestFacts) -> Picture:
    """Return the events of each source by week, one lane each, every lane with its own scale."""
    drawn = [str(name) for name in facts.sources["source"].head(_DRAWN)]
    weeks = _weeks(facts, drawn)
    first, last = int(weeks["week"].min()), int(weeks["week"].max())
    x = Scale(first, max(last, first + 1), _LEFT, _RIGHT)
    bottom = _TOP + _LANE * len(drawn)
    marks: list[Mark] = []
    for lane, source in enumerate(drawn):
        own = weeks[weeks["source"] == source].set_index("week")["rows"]
        marks += _silent_boxes(facts, source, x, _TOP + _LANE * lane)
        marks += _lane(source, own.reindex(range(first, last + 1), fill_value=0), x, lane)
    marks.append(Line("axis", _LEFT, bottom, _RIGHT, bottom))
    for week in sorted({first, (first + last) // 2, last}):
        words = _day_words(week * _WEEK_DAYS + 4)
        place = min(max(x.at(week), _LEFT + 30), _RIGHT - 30)
        marks.append(Words("tick", place, bottom + 18, words, "middle"))
    more = len(facts.sources) - len(drawn)
    rest = f"; {counted(more, 'source', 'sources')} with fewer are not drawn" if more > 0 else ""
    return Picture(
        caption="Events by week and source",
        label=f"{_trend_words(facts)}{rest}.",
        width=760,
        height=bottom + 26,
        marks=tuple(marks),
        table=_week_table(weeks, drawn),
        keys=(Key("main", "events a week, each source by its own largest week"),),
        is_wide=True,
    )


def _weeks(facts: IngestFacts, drawn: Sequence[str]) -> pd.DataFrame:
    """Return the events of whole and begun weeks; a week begins on Monday, 1970-01-05 was one."""
    days = facts.days[facts.days["source"].isin(drawn)]
    dated = days.assign(week=(days["day"] - 4) // _WEEK_DAYS)
    return pd.DataFrame(dated.groupby(["source", "week"])["rows"].sum()).reset_index()


def _lane(source: str, weekly: "pd.Series[int]", x: Scale, lane: int) -> list[Mark]:
    low = _TOP + _LANE * (lane + 1)
    y = Scale(0, float(max(weekly.max(), 1)), low - 4, low - _LANE + 12)
    points = " ".join(
        f"{x.at(week):g},{y.at(rows):g}"
        for week, rows in zip(weekly.index.tolist(), weekly.tolist(), strict=True)
    )
    return [
        Words("title", _LEFT - 10, low - 16, short(_source_name(source), 18), "end"),
        Words("tick", _LEFT - 10, low - 2, f"up to {count(int(weekly.max()))}", "end"),
        Line("grid", _LEFT, low, _RIGHT, low),
        Curve("main", points),
    ]


def _silent_boxes(facts: IngestFacts, source: str, x: Scale, top: int) -> list[Mark]:
    boxes: list[Mark] = []
    for silence in facts.silences:
        if silence.source == source:
            start = x.at((silence.first_day - 4) / _WEEK_DAYS)
            end = x.at((silence.first_day + silence.days - 4) / _WEEK_DAYS)
            width = round(max(end - start, 3), 1)
            boxes.append(Box("shade", start, top + 4, width, _LANE - 6))
    return boxes


def _trend_words(facts: IngestFacts) -> str:
    events = int(facts.sources["rows"].sum())
    sources = counted(len(facts.sources), "source", "sources")
    open_ones = sum(s.is_open for s in facts.silences)
    silent = f"{open_ones} of them silent at the end" if open_ones else "none silent at the end"
    return f"{counted(events, 'event', 'events')} from {sources}, {silent}"


def _coverage_words(facts: IngestFacts) -> str:
    if not facts.leads:
        return "There are no leads."
    share = percent(facts.leads_covered / facts.leads)
    return (
        f"{count(facts.leads_covered)} of {counted(facts.leads, 'lead', 'leads')} ({share}) "
        "have at least one event."
    )


def _source_table(sources: pd.DataFrame) -> Table:
    shown = sources.head(_SOURCES)
    bars = shares_of([float(rows) for rows in shown["rows"]])
    rows = tuple(
        cells(
            short(_source_name(row["source"]), 40),
            Cell(count(row["rows"]), bar=bar),
            f"{day(row['first'])[:10]} to {day(row['last'])[:10]}",
            Cell(percent(row["late"] / row["rows"]), f"a tenth waits {_hours(row['delay_h'])}"),
            Cell(
                percent(row["matched"] / row["ids"]),
                f"{count(row['matched'])} of {count(row['ids'])}",
            ),
            count(row["leads"]),
        )
        for row, bar in zip(records(shown), bars, strict=True)
    )
    heads = (
        text_head("Source"),
        Head("Events"),
        text_head("From, to"),
        Head("Arrived late", "over a day after"),
        Head("Ids that match", "a lead or an alias"),
        Head("Leads"),
    )
    return Table("What each source sent", heads, rows)


def _hours(hours: float) -> str:
    if hours < 0:
        return "not at all"
    return (
        f"{figure(hours, 1)} h or more" if hours < 48 else f"{count(round(hours / 24))} d or more"
    )


def _gap_table(gaps: Sequence[Silence], total: int) -> Table:
    rows = tuple(
        cells(
            short(_source_name(gap.source), 40),
            f"{_day_words(gap.first_day)} to {_day_words(gap.first_day + gap.days - 1)}",
            count(gap.days),
            figure(gap.usual, 1),
        )
        for gap in gaps
    )
    heads = (text_head("Source"), text_head("Days"), Head("How many"), Head("Usual events a day"))
    note = f"The {len(gaps)} longest of {total}." if total > len(gaps) else ""
    return Table("Days without events where some are usual", heads, rows, note)


def _file_table(counts: Sequence[FileCount]) -> Table:
    rows = tuple(
        cells(
            Cell(short(one.file, 80), one.table),
            *map(count, (one.rows, one.made, one.kept, one.duplicates)),
            *map(count, (one.quarantined, one.filtered)),
        )
        for one in counts
    )
    heads = (
        text_head("File", "table"),
        Head("Rows"),
        Head("Made of them", "where one row is several, such as a deal of three people"),
        Head("Kept"),
        Head("Duplicates"),
        Head("Quarantined"),
        Head("Not selected"),
    )
    return Table("Where every row went", heads, rows)


def _refused_table(refused: pd.DataFrame) -> Table:
    shown = refused.head(_REASONS)
    rows = tuple(
        cells(
            Cell(short(row["file"], 80), row["table"]),
            Cell(short(row["reason"], 160), f"mend: {short(row['remedy'], 160)}"),
            count(row["rows"]),
        )
        for row in records(shown)
    )
    heads = (text_head("File", "table"), text_head("Reason"), Head("Rows"))
    more = len(refused) - len(shown)
    note = f"{counted(more, 'further reason', 'further reasons')} with fewer rows." if more else ""
    return Table("Why rows were refused", heads, rows, note)


def _week_table(weeks: pd.DataFrame, drawn: Sequence[str]) -> Table:
    wide = weeks.pivot_table(index="week", columns="source", values="rows", aggfunc="sum")
    wide = wide.reindex(columns=list(drawn)).fillna(0)
    rows = tuple(
        cells(_day_words(int(week) * _WEEK_DAYS + 4), *(count(int(v)) for v in values))
        for week, values in zip(wide.index, wide.to_numpy(), strict=True)
    )
    heads = (text_head("Week from"), *(Head(short(_source_name(name), 30)) for name in drawn))
    return Table("Events by week and source", heads, rows)


def _source_name(source: object) -> str:
    return str(source) or "no source named"


def _day_words(number: int) -> str:
    return day(number * timeline.MICROS_PER_DAY)[:10]
