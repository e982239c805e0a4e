"""Rows of one file with columns of other files beside them, and rows that become several.

Both are declared by the mapping of an export and done before anything is read
from a row, so that what follows (checks, quarantine, the account of rows) knows
only rows of one file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mqlml.sources.door import Door, stage_source
from mqlml.sources.settings import RowJoin, RowShape, TableSource, shape_of
from mqlml.sources.staging import StagedFile
from mqlml.tables.sql import literal, only_row, quoted

EACH = "each"
_FILE_STRIDE = 1_000_000_000_000
_HEAD = ("__row", "__line", "__broken", "__raw")


def reshaped(door: Door, staged: StagedFile, source: TableSource, name: str) -> StagedFile:
    """Return the file's rows as its mapping joins and multiplies them, staged anew as `name`.

    A row keeps its line; where rows become several they are numbered anew, in the
    order of the file and of the rows they were joined with.
    """
    shape = shape_of(source) or RowShape()
    if not shape.joins and shape.each is None:
        return staged
    folder = door.workdir / name
    folder.mkdir(parents=True)
    partners = [_staged_partners(door, join, f"{name}-{n}") for n, join in enumerate(shape.joins)]
    joined = [
        f"{join.file}.{column}"
        for join, files in zip(shape.joins, partners, strict=True)
        for column in join.columns
        if not _absent(_columns(files), [column])
    ]
    lost = [lost_name(number) for number, join in enumerate(shape.joins) if join.is_required]
    made = _made_names(shape)
    own = [name for name in staged.columns if name not in made]
    columns = (*own, *joined, *([EACH] if shape.each is not None else []))
    query = _query(staged, shape, partners, (*columns, *lost))
    door.connection.execute(
        f"COPY ({query}) TO {literal(str(folder / 'part-000000.parquet'))} (FORMAT parquet)"
    )
    remarks = (*staged.remarks, *_remarks(door, partners))
    done = replace(staged, folder=folder, columns=columns, remarks=remarks)
    (rows,) = only_row(door.connection, f"SELECT count(*) FROM {_parts(done)}")
    return replace(done, rows=int(rows), made=int(rows) - staged.rows)


def _remarks(door: Door, partners: Sequence[Sequence[StagedFile]]) -> Iterator[str]:
    """Yield what is to be said of lines of the partners that are no rows."""
    for one in {file.name: file for files in partners for file in files}.values():
        query = f"SELECT count(*) FROM {_parts(one)} WHERE __broken IS NOT NULL"
        (broken,) = only_row(door.connection, query)
        if broken:
            yield f"lines of {one.name} that are no rows, not looked up: {broken}"


def joins_of(source: TableSource) -> tuple[RowJoin, ...]:
    """Return the joins that the source's mapping declares."""
    shape = shape_of(source)
    return shape.joins if shape is not None else ()


def lost_name(number: int) -> str:
    """Return the column that is true where the row's partner of a required join is missing."""
    return f"__lost_{number}"


def _query(
    staged: StagedFile,
    shape: RowShape,
    partners: Sequence[Sequence[StagedFile]],
    columns: Sequence[str],
) -> str:
    # Rows that come from the quarantine bring what they were joined with before, and those
    # that were made of one row stand there each.
    made = _made_names(shape)
    again = ", ".join(quoted(name) for name in staged.columns if name in made)
    needed = [name for name in shape.optional if name not in made]
    nulls = [f"CAST(NULL AS VARCHAR) AS {quoted(c)}" for c in _absent(staged.columns, needed)]
    base = ", ".join([f"* EXCLUDE ({again})" if again else "*", *nulls])
    once = "QUALIFY row_number() OVER (PARTITION BY __line ORDER BY __row) = 1" if again else ""
    steps = [f"s AS (SELECT {base} FROM {_parts(staged)} {once})"]
    last, order, numbered = "s", ["__row"], shape.each is not None
    for number, join in enumerate(shape.joins):
        steps.append(f"p{number} AS ({_partner(join, partners[number])})")
        steps.append(f"j{number} AS ({_joined(last, join, number)})")
        last = f"j{number}"
        if join.is_many:
            order.append(f"__at_{number}")
            numbered = True
    if shape.each is not None:
        items = f"SELECT unnest(__list) AS {EACH}, generate_subscripts(__list, 1) AS __place"
        steps.append(f"l AS (SELECT *, {shape.each} AS __list FROM {last})")
        steps.append(f"e AS (SELECT l.*, i.* FROM l LEFT JOIN LATERAL ({items}) AS i ON true)")
        last = "e"
        order.append("__place")
    row = f"row_number() OVER (ORDER BY {', '.join(order)})" if numbered else "__row"
    head = [f"{row} AS __row", *_HEAD[1:]]
    return f"WITH {', '.join(steps)} SELECT {', '.join([*head, *map(quoted, columns)])} FROM {last}"


def _made_names(shape: RowShape) -> set[str]:
    """Return the columns that the rows get here and that no file has."""
    joined = {f"{join.file}.{column}" for join in shape.joins for column in join.columns}
    return joined | ({EACH} if shape.each is not None else set())


def _joined(last: str, join: RowJoin, number: int) -> str:
    """Return SQL for the rows of `last` with the partner's columns beside them."""
    taken = [
        f"p{number}.c{place} AS {quoted(f'{join.file}.{column}')}"
        for place, column in enumerate(join.columns)
    ]
    lost = f"p{number}.k IS NULL AND own.__broken IS NULL AS {lost_name(number)}"
    more = [*taken, f"p{number}.place AS __at_{number}", lost]
    key = f"(SELECT *, nullif(trim(({join.own})), '') AS __key_{number} FROM {last})"
    return (
        f"SELECT own.* EXCLUDE (__key_{number}), {', '.join(more)} FROM {key} AS own"
        f" LEFT JOIN p{number} ON own.__key_{number} = p{number}.k"
    )


def _staged_partners(door: Door, join: RowJoin, name: str) -> list[StagedFile]:
    return [
        one
        for place, source in enumerate(join.sources)
        for one in stage_source(door, name, place, source, wanted=())
    ]


def _columns(files: Sequence[StagedFile]) -> list[str]:
    return [column for one in files for column in one.columns]


def _partner(join: RowJoin, staged: Sequence[StagedFile]) -> str:
    """Return SQL for key `k`, columns `c0`, … and place `place` of the rows to join with."""
    places = range(len(join.columns))
    if not staged:
        nothing = ", ".join(f"NULL::VARCHAR AS c{place}" for place in places)
        return f"SELECT NULL::VARCHAR AS k, {nothing}, 0::BIGINT AS place WHERE false"
    absent = _absent(_columns(staged), (*join.columns, *join.reads))
    nulls = [f"CAST(NULL AS VARCHAR) AS {quoted(c)}" for c in absent]
    rows = f"(SELECT {', '.join(['*', *nulls])} FROM ({_all_rows(staged)}))"
    cells = [
        f"nullif(trim({quoted(c)}), '') AS c{p}" for p, c in zip(places, join.columns, strict=True)
    ]
    picked = (
        f"SELECT nullif(trim(({join.key})), '') AS k, {', '.join(cells)},"
        f" __at AS place FROM {rows}"
        f" WHERE __broken IS NULL AND ({join.where})"
    )
    # Rows that say the same make no row twice; of rows that differ the first one counts.
    names = ["k", *(f"c{place}" for place in places)]
    by = ", ".join(names) if join.is_many else "k"
    rest = (
        []
        if join.is_many
        else [f"arg_min(struct_pack(v := {n}), place).v AS {n}" for n in names[1:]]
    )
    listed = ", ".join([by, *rest, "min(place) AS place"])
    return f"SELECT {listed} FROM ({picked}) WHERE k IS NOT NULL GROUP BY {by}"


def _all_rows(staged: Sequence[StagedFile]) -> str:
    """Return SQL for the rows of all files, with the place of each among all of them."""
    return " UNION ALL BY NAME ".join(
        f"SELECT *, {number * _FILE_STRIDE} + __row AS __at FROM {_parts(one)}"
        for number, one in enumerate(staged)
    )


def _parts(staged: StagedFile) -> str:
    return f"read_parquet({literal(staged.parts)}, union_by_name = true)"


def _absent(found: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Return the wanted columns that are not there, each once; SQL ignores case."""
    known = {name.lower() for name in found}
    missing = {name.lower(): name for name in wanted if name.lower() not in known}
    return list(missing.values())
