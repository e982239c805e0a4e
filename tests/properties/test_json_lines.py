"""Lines that are cut at once give, byte for byte, what reading each of them with care gives."""

import json

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqlml.sources import json_blocks
from mqlml.sources.json_blocks import cut_block, lines_of
from mqlml.sources.json_objects import object_columns, read_objects
from mqlml.sources.ndjson import stage_ndjson

NUMBERS = (
    *(
        "0",
        "-0",
        "7",
        "-5",
        "01",
        "1.50",
        "0.5",
        "-0.0",
        "0.00001",
        "0.0001",
        "1e3",
        "2.5E-7",
        "1.",
    ),
    *("9007199254740993", "123456789.1234567", "1" + "0" * 310, "NaN", "-Infinity", ".5", "+1"),
)
TEXTS = (
    *('""', '"x"', '"a \\u0026\\u003d\\u00e4\\u20ac"', '"\\n\\"\\\\\\/\\u0000\\u001f\\u007f"'),
    *('"ä€😀"', '"\\ud83d"', '"\\ud83d\\ude00"', '"\\x"', '"a\tb"', '"open', "true", "null", "tru"),
)
KEYS = ('"a"', '"b"', '"A"', '"key"', '"ä"', '"\\u0061"', '"x y"', '""', "a")
ENDS = ("\n", "\r\n", "\r", " \n", "\n\n", "\u2028\n", "\xa0\n", "\n\ufeff")
spaces = st.sampled_from(["", "", " ", "\t "])


def joined(sign, parts, opening, closing):
    return st.builds(
        lambda listed, space: f"{opening}{space}{f'{space}{sign}'.join(listed)}{closing}",
        st.lists(parts, max_size=4),
        spaces,
    )


def objects(values):
    pairs = st.builds(
        lambda key, space, value: f"{key}{space}:{space}{value}",
        st.sampled_from(KEYS),
        spaces,
        values,
    )
    return joined(",", pairs, "{", "}")


values = st.recursive(
    st.sampled_from((*NUMBERS, *TEXTS)),
    lambda inner: objects(inner) | joined(",", inner, "[", "]"),
    max_leaves=6,
)
lines = objects(values) | values | st.text(max_size=5)
blocks = st.lists(st.tuples(lines, st.sampled_from(ENDS)), min_size=1, max_size=12).map(
    lambda listed: "".join(line + end for line, end in listed)
)


def with_care(block, names):
    found = read_objects(lines_of(block, 3), names)
    columns = {name: texts.to_pylist() for name, texts in object_columns(found, names)}
    return list(found.lines), columns, dict(found.faults)


def at_once(block, names):
    found = cut_block(block, 3, names, has_lists=False)
    for texts in found.columns.values():
        texts.validate(full=True)
    return found.lines, {n: t.to_pylist() for n, t in found.columns.items()}, found.faults


@settings(max_examples=150, deadline=None)
@given(blocks, st.sampled_from([(), ("b",), ("zz", "a")]))
def test_whatever_the_lines_hold_cutting_them_is_reading_them_with_care(block, known):
    careful, quick = ({key: key for key in known} for _ in range(2))
    block = block.encode("utf-8", "replace").decode()
    assert with_care(block, careful) == at_once(block, quick)
    assert list(careful.items()) == list(quick.items())


def test_sound_lines_are_cut_and_none_of_them_is_read_with_care(monkeypatch):
    row = {"a": "x", "b": [{"key": "k", "value": {"int_value": "1"}}], "c": None, "d": 1.5}
    read = []
    monkeypatch.setattr(
        "mqlml.sources.json_blocks.read_objects",
        lambda taken, names: read.append(taken) or read_objects(taken, names),
    )
    found = cut_block((json.dumps(row) + "\n") * 50, 1, {}, has_lists=False)
    assert len(read) == 1  # the first line, whose keys are new
    assert found.columns["b"].to_pylist() == [json.dumps(row["b"])] * 50
    assert found.columns["c"].null_count == 50


def test_a_block_with_bodies_that_are_lists_is_not_cut():
    assert cut_block('{"a": 1}\n[{"a": 2}]\n', 1, {}, has_lists=True) is None
    assert cut_block('{"a": 1}\n{}\n', 1, {}, has_lists=True) is None
    assert cut_block('{"a": 1}\n{"a": 2}\n', 1, {}, has_lists=True).lines == [1, 2]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_of_several_blocks_has_the_rows_and_lines_of_careful_reading(
    tmp_path, monkeypatch, end
):
    odd = ['{"a": 1', "[1]", '{"a": 1, "a": 2}', '{"late": "\\ud83d"}', "", '{"b": [1e3]}']
    listed = [odd[n // 9 % 6] if n % 9 == 0 else json.dumps({"a": n, "b": "ä"}) for n in range(200)]
    (tmp_path / "x.ndjson").write_bytes(end.join(listed).encode())
    monkeypatch.setattr(json_blocks, "_CHARACTERS", 500)
    found = []
    for least in (1, 1 << 40):
        monkeypatch.setattr(json_blocks, "_WORTH_LOADING", least)
        monkeypatch.setattr(json_blocks, "_WORTH_CUTTING", least)
        staged = stage_ndjson(tmp_path / "x.ndjson", "x", tmp_path / str(least))
        parts = [pq.read_table(part).to_pylist() for part in sorted(staged.folder.iterdir())]
        found.append(
            (staged.columns, [{n: v for n, v in r.items() if v} for p in parts for r in p])
        )
    assert found[0] == found[1]
    assert len(found[0][1]) == 200 - listed.count("")
