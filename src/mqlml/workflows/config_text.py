"""A config's text with another section in it: everything else, remarks too, stays as written."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from mqlml.config import read_yaml
from mqlml.errors import Fault, UsageError

_PLAN = "plan"
_REMARK = "# Proposed and pruned by 'mqlml plan suggest' on what was known before the test.\n"


def refuse_existing(out: Path, *, replaces: bool) -> None:
    """Raise UsageError if there is a file at `out` that nobody said to replace."""
    if out.exists() and not replaces:
        mend = "choose another --out, or --force to replace it"
        raise UsageError(Fault("the file exists", str(out), mend=mend))


def config_with_plan(config: Path, out: Path, plan: Mapping[str, Any]) -> str:
    """Return the text of `config` for a file at `out`, its section `plan` replaced."""
    return config_with_section(config, out, _PLAN, plan_text(plan))


def config_with_section(config: Path, out: Path, name: str, section: str) -> str:
    """Return the text of `config` for a file at `out`, a section replaced by another text.

    Without such a section the new one comes last. The path of a criteria file is written
    anew when `out` lies in another folder.
    """
    parsed = read_yaml(config)
    text = config.read_text(encoding="utf-8-sig")
    nodes = {key.value: (key, value) for key, value in getattr(parsed.root, "value", ())}
    parts: list[tuple[int, int, str]] = []
    if name in nodes:
        key, value = nodes[name]
        parts.append((key.start_mark.index, _end_of(text, value), section))
    else:
        text = text if text.endswith("\n") else text + "\n"
        parts.append((len(text), len(text), "\n" + section))
    criteria = nodes.get("criteria", (None, None))[1]
    if isinstance(criteria, yaml.ScalarNode) and criteria.value:
        moved = os.path.relpath(config.parent / criteria.value, out.parent)
        if moved != os.path.normpath(criteria.value):
            start, stop = criteria.start_mark.index, criteria.end_mark.index
            parts.append((start, stop, yaml.safe_dump(moved).removesuffix("...\n").strip()))
    for start, stop, new in sorted(parts, reverse=True):
        text = text[:start] + new + text[stop:]
    return text


def _end_of(text: str, node: yaml.Node) -> int:
    """Return where a section's own lines end: remarks after it belong to the next one."""
    own = text[: node.end_mark.index].splitlines(keepends=True)
    while own and (not own[-1].strip() or own[-1].lstrip().startswith("#")):
        own.pop()
    return len("".join(own))


def plan_text(plan: Mapping[str, Any]) -> str:
    """Return the section `plan` as YAML, a line per signal and per line of features."""
    return _REMARK + f"{_PLAN}:" + ("\n" + "".join(_entries(plan)) if plan else " {}\n")


def _entries(plan: Mapping[str, Any]) -> Iterator[str]:
    for name, value in plan.items():
        if name in {"signals", "icp"}:
            yield f"  {name}:\n"
            yield from (f"    {_key(k)}: {_flow(v)}\n" for k, v in value.items())
        elif isinstance(value, list) and isinstance(value[0], Mapping):
            yield f"  {name}:\n"
            yield from (f"    - {_flow(line)}\n" for line in value)
        else:
            yield f"  {name}: {_flow(value)}\n"


def _key(name: str) -> str:
    return _flow(name)


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    dumped = yaml.safe_dump(
        value, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False
    )
    return dumped.removesuffix("...\n").strip()
