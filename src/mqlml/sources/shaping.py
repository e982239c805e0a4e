"""From the cleaned texts of a file to the columns its mapping speaks of."""

from collections.abc import Sequence

from mqlml.sources import casting
from mqlml.sources.reshaping import lost_name
from mqlml.sources.settings import RowShape, TableSource, shape_of
from mqlml.sources.staging import StagedFile
from mqlml.tables.sql import literal, quoted


def numbered_rows(files: Sequence[tuple[int, StagedFile]]) -> str:
    """Return SQL for the rows of staged files, each with its file's number as `__file`."""
    if len(files) == 1:
        ((number, one),) = files
        parts = f"read_parquet({literal(one.parts)}, union_by_name = true)"
        return f"(SELECT {number} AS __file, * FROM {parts})"
    listed = ", ".join(literal(one.parts) for _, one in files)
    numbers = ", ".join(f"({literal(one.folder.as_posix())}, {number})" for number, one in files)
    return (
        "(SELECT n.__file, r.* EXCLUDE (__path)"
        f" FROM read_parquet([{listed}], union_by_name = true, filename = '__path') AS r"
        f" JOIN (VALUES {numbers}) AS n(folder, __file) ON n.folder = parse_dirpath(r.__path))"
    )


def cleaned_rows(source: TableSource, staged: StagedFile, rows: str) -> tuple[str, str]:
    """Return SQL (common table expressions) for a file's rows, and the name of the last one.

    `rows` is SQL for the rows of all files that are read together with the staged one.
    A derived value that cannot be computed for a row is null there.
    """
    cells = [f"{casting.cleaned(quoted(c), source.missing)} AS {quoted(c)}" for c in staged.columns]
    cells += [f"CAST(NULL AS VARCHAR) AS {quoted(c)}" for c in _absent(source, staged)]
    shape = shape_of(source) or RowShape()
    lost = [lost_name(n) for n, join in enumerate(shape.joins) if join.is_required]
    head = ", ".join(["__file", "__row", "__line", "__broken", *lost])
    steps = [f"cleaned AS (SELECT {', '.join([head, *cells])} FROM {rows})"]
    # SQL does not tell names apart by their case.
    known = {name.lower() for name in (*staged.columns, *_absent(source, staged))}
    last = "cleaned"
    for number, (name, sql) in enumerate(shape.derived.items()):
        others = f"* EXCLUDE ({quoted(name)})" if name.lower() in known else "*"
        text = f"nullif(TRY(CAST(({sql}) AS VARCHAR)), '')"
        steps.append(f"derived_{number} AS (SELECT {others}, {text} AS {quoted(name)} FROM {last})")
        known.add(name.lower())
        last = f"derived_{number}"
    for number, (name, sql) in enumerate(shape.windows.items()):
        text = f"CAST(({sql}) AS VARCHAR)"
        steps.append(f"window_{number} AS (SELECT *, {text} AS {quoted(name)} FROM {last})")
        last = f"window_{number}"
    return ", ".join(steps), last


def _absent(source: TableSource, staged: StagedFile) -> Sequence[str]:
    shape = shape_of(source) or RowShape()
    found = {name.lower() for name in staged.columns}
    return [name for name in dict.fromkeys(shape.optional) if name.lower() not in found]
