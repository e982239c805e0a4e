"""SQL that turns a column of text into numbers, flags and times, null where it cannot."""

from collections.abc import Mapping, Sequence

from mqlml.errors import ConfigError, Fault
from mqlml.tables.sql import literal

_SPACE = literal(" \t\r\n\u00a0\ufeff")
_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_GROUPED = r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?"
_COMMA_NUMBER = r"[+-]?(\d{1,3}([. \x{00a0}]\d{3})+|\d+)(,\d+)?([eE][+-]?\d+)?"
_NO_NUMBER = ("nan", "+nan", "-nan")
_INFINITE = ("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
_TIME = (
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
    r"([T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?(Z|z|UTC|[+-]\d{2}(:?\d{2})?))?)?"
)
_HAS_OFFSET = r":.*(Z|z|UTC|[+-]\d{2}(:?\d{2})?)$"
_EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
TRUE_WORDS = ("true", "t", "yes", "y", "1", "1.0")
FALSE_WORDS = ("false", "f", "no", "n", "0", "0.0")


def cleaned(column: str, missing: Sequence[str]) -> str:
    """Return SQL for the text without outer spaces; empty and `missing` words are null.

    >>> "nullif" in cleaned('"x"', ())
    True
    """
    # Trimming a set of characters is slow, and most texts show at both ends that they need none.
    ends = " AND ".join(f"({column})[{place}] BETWEEN '!' AND '~'" for place in (1, -1))
    bare = f"CASE WHEN {ends} THEN {column}"
    trimmed = f"nullif({bare} ELSE trim({column}, {_SPACE}) END, '')"
    if not missing:
        return trimmed
    return f"CASE WHEN {trimmed} IN ({words(missing)}) THEN NULL ELSE {trimmed} END"


def words(values: Sequence[str]) -> str:
    """Return the values as a list of SQL strings.

    >>> words(["a", "b"])
    "'a', 'b'"
    """
    return ", ".join(map(literal, values))


def mapped(text: str, mapping: Mapping[str, str]) -> str:
    """Return SQL for the text with some values replaced; what is mapped to "" becomes null."""
    if not mapping:
        return text
    cases = " ".join(f"WHEN {literal(a)} THEN nullif({literal(b)}, '')" for a, b in mapping.items())
    return f"CASE {text} {cases} ELSE {text} END"


def plain_number(text: str, decimal: str) -> str:
    """Return SQL for the text with its number spelled 1234.5; other text stays as it is.

    With a decimal comma "1.234" is 1234, and "1.5", which cannot be grouped, stays 1.5.
    """
    if decimal == ",":
        bare = f"replace(regexp_replace({text}, '[. \\x{{00a0}}]', '', 'g'), ',', '.')"
        return f"CASE WHEN regexp_full_match({text}, '{_COMMA_NUMBER}') THEN {bare} ELSE {text} END"
    bare = f"replace({text}, ',', '')"
    return f"CASE WHEN regexp_full_match({text}, '{_GROUPED}') THEN {bare} ELSE {text} END"


def number(plain: str) -> str:
    """Return SQL for the DOUBLE of a plainly spelled number; `nan` and `inf` words pass."""
    word = f"lower({plain}) IN ({words((*_NO_NUMBER, *_INFINITE))})"
    sound = f"regexp_full_match({plain}, '{_NUMBER}') OR {word}"
    return f"CASE WHEN {sound} THEN TRY_CAST({plain} AS DOUBLE) END"


def flag(text: str) -> str:
    """Return SQL for the BOOLEAN of true/false, yes/no, 1/0 in any case."""
    yes, no = words(TRUE_WORDS), words(FALSE_WORDS)
    return (
        f"CASE WHEN lower({text}) IN ({yes}) THEN true WHEN lower({text}) IN ({no}) THEN false END"
    )


def wall_micros(text: str, time_format: str | None) -> str:
    """Return SQL for a time's microseconds: in UTC if it has an offset, else of its wall clock."""
    if time_format in _EPOCHS:
        return f"TRY_CAST(round(TRY_CAST({text} AS DOUBLE) * {_EPOCHS[time_format]}) AS BIGINT)"
    if time_format is not None:
        return f"epoch_us(try_strptime({text}, {literal(time_format)}))"
    spaceless = f"regexp_replace({text}, ' ([+-]\\d{{2}}(:?\\d{{2}})?)$', '\\1')"
    spelled = f"replace({spaceless}, ',', '.')"
    sound = f"regexp_full_match({text}, '{_TIME}')"
    return f"CASE WHEN {sound} THEN epoch_us(TRY_CAST({spelled} AS TIMESTAMPTZ)) END"


def is_naive(text: str, time_format: str | None) -> str:
    """Return SQL that is true for a time without an offset."""
    if time_format in _EPOCHS or (time_format and _has_zone(time_format)):
        return "false"
    if time_format is not None:
        return "true"
    return f"NOT regexp_matches({text}, '{_HAS_OFFSET}')"


def _has_zone(time_format: str) -> bool:
    return "%z" in time_format or "%Z" in time_format


def check_time_format(time_format: str | None, where: str) -> None:
    """Raise ConfigError if the format is neither a strptime format nor an epoch word."""
    if time_format is None or time_format in _EPOCHS:
        return
    import duckdb

    try:
        with duckdb.connect(":memory:") as connection:
            connection.execute("SELECT try_strptime('x', ?::VARCHAR)", [time_format]).fetchall()
    except duckdb.Error as error:
        found = f"{time_format!r}: {str(error).splitlines()[0]}"
        mend = "for example %d.%m.%Y %H:%M, or epoch_s, epoch_ms, epoch_us"
        raise ConfigError(Fault("not a time format", where, found, mend)) from error
    if "%" not in time_format:
        mend = "for example %d.%m.%Y %H:%M, or epoch_s, epoch_ms, epoch_us"
        raise ConfigError(Fault("not a time format", where, repr(time_format), mend))
