"""A signature written into the text of a criteria file, every other character as it was."""

from typing import Any

import yaml

from mqlml.criteria.settings import SignOff

_KEY = "signed"


def signed_text(text: str, signature: SignOff) -> str:
    """Return the YAML `text` with `signature` in its list `signed`.

    A signature of the same team is replaced where it stands; otherwise one is
    added at the list's end, or the list at the file's end. Comments, order,
    quotes and line ends of everything else stay.

    Raises:
        TypeError: `text` is no YAML mapping, or `signed` is no list of mappings.

    >>> print(signed_text("version: 1", SignOff(team="sales", who="S", on="2026-03-30")))
    version: 1
    signed:
      - {team: sales, who: S, on: '2026-03-30'}
    <BLANKLINE>
    """
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    if not isinstance(root, yaml.MappingNode):
        raise TypeError("not a mapping of settings")
    end = "\r\n" if "\r\n" in text else "\n"
    shown = _flow(signature)
    listed = next((value for key, value in root.value if key.value == _KEY), None)
    if listed is None:
        gap = "" if not text or text.endswith("\n") else end
        return f"{text}{gap}{_KEY}:{end}  - {shown}{end}"
    if isinstance(listed, yaml.ScalarNode) and listed.value in {"", "~", "null"}:
        return _with(text, listed, f"{end}  - {shown}")
    if not isinstance(listed, yaml.SequenceNode):
        raise TypeError(f"'{_KEY}' is not a list")
    return _in_list(text, listed, signature.team, shown=shown, end=end)


def _in_list(text: str, listed: yaml.SequenceNode, team: str, *, shown: str, end: str) -> str:
    for item in listed.value:
        if not isinstance(item, yaml.MappingNode):
            raise TypeError(f"'{_KEY}' holds something that is no mapping")
        if any(key.value == "team" and value.value == team for key, value in item.value):
            return _with(text, item, shown)
    if not listed.value:
        return _with(text, listed, f"[{shown}]")
    last = _end(listed.value[-1])
    if listed.flow_style:
        return f"{text[:last]}, {shown}{text[last:]}"
    line_end = text.find(end, last)
    line_end = len(text) if line_end < 0 else line_end
    indent = " " * listed.start_mark.column
    return f"{text[:line_end]}{end}{indent}- {shown}{text[line_end:]}"


def _with(text: str, node: yaml.Node, replacement: str) -> str:
    return text[: node.start_mark.index] + replacement + text[_end(node) :]


def _end(node: Any) -> int:
    """Return where a node's own text ends; a block's mark lies after what follows it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        return _end(node.value[-1][1])
    return int(node.end_mark.index)


def _flow(signature: SignOff) -> str:
    values = [(name, value) for name, value in signature.model_dump().items() if value]
    return "{" + ", ".join(f"{name}: {_scalar(value)}" for name, value in values) + "}"


def _scalar(text: str) -> str:
    # Within a list, so that what is special in flow style is quoted.
    shown = yaml.safe_dump([text], default_flow_style=True, allow_unicode=True, width=10**6)
    return str(shown).strip()[1:-1]
