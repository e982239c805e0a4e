"""A YAML file becomes frozen settings, or one ConfigError with every fault and its line.

Scalars reach the settings as the text that was written: `yes`, `007` and
`2018-01-01` keep their spelling, and each field converts what it needs. That
takes away YAML's surprises with outcome values and dates.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator
from pydantic_core import ErrorDetails

from mqlml.criteria.file import content_faults
from mqlml.criteria.settings import Criteria
from mqlml.criteria.versions import version_faults
from mqlml.dataset.points import point_faults
from mqlml.dataset.settings import AuditSettings, PointSettings, SplitSettings, TargetSettings
from mqlml.delivery.settings import DeliveryName, DeliverySettings
from mqlml.engines.settings import EngineSettings
from mqlml.errors import ConfigError, Fault, nearest
from mqlml.features.settings import PlanSettings, SensitiveSettings
from mqlml.modeling.setting_faults import model_faults
from mqlml.modeling.settings import GateSettings, ModelSettings
from mqlml.monitoring.settings import MonitoringSettings
from mqlml.review.settings import ReviewSettings
from mqlml.scoring.settings import PersonaSettings, ScoreSettings
from mqlml.serving.settings import ServeSettings
from mqlml.sources.setting_faults import name_faults, setting_faults, time_range
from mqlml.sources.settings import SourceSettings
from mqlml.sources.zones import checked_zone
from mqlml.tracking.settings import TrackingSettings

Location = tuple[int | str, ...]
Section = TypeVar("Section", bound=BaseModel)

_MAPPING, _LIST = "write settings as 'name: value' lines below it", "write a list: [one, two]"
_NUMBER, _WHOLE = "give a number", "give a whole number"
_WORDS = {
    "model_type": _MAPPING,
    "dict_type": _MAPPING,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "string_type": "give a text",
    "int_parsing": _WHOLE,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "bool_parsing": "give true or false",
    "bool_type": "give true or false",
}


class Settings(BaseModel):
    """Everything one use of mqlml is configured by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    timezone: str | None = None
    sources: SourceSettings
    target: TargetSettings
    points: PointSettings = PointSettings()
    plan: PlanSettings = PlanSettings()
    sensitive: SensitiveSettings = SensitiveSettings()
    split: SplitSettings = SplitSettings()
    audit: AuditSettings = AuditSettings()
    model: ModelSettings = ModelSettings()
    gates: GateSettings = GateSettings()
    criteria: Criteria = Criteria(version=1)
    personas: tuple[PersonaSettings, ...] = ()
    scoring: ScoreSettings = ScoreSettings()
    delivery: dict[DeliveryName, DeliverySettings] = Field(default_factory=dict)
    monitoring: MonitoringSettings = MonitoringSettings()
    tracking: TrackingSettings = TrackingSettings()
    engine: EngineSettings = EngineSettings()
    serve: ServeSettings = ServeSettings()
    review: ReviewSettings = ReviewSettings()

    _versions: tuple[Criteria, ...] = PrivateAttr(())

    @property
    def criteria_versions(self) -> tuple[Criteria, ...]:
        """Return every version that `criteria` lists, oldest first; `criteria` is the last."""
        return self._versions or (self.criteria,)

    @field_validator("name")
    @classmethod
    def _registry_name(cls, name: str) -> str:
        if not name.strip() or set(name) & set("/:\\"):
            raise ValueError("a name without '/', ':' and backslash, since it names the model")
        return name


class _TextLoader(yaml.BaseLoader):
    """Keeps every scalar as text; an empty or `null` plain scalar is None."""

    def construct_scalar(self, node: Any) -> Any:
        is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
        return None if is_plain and _is_null(node.value) else super().construct_scalar(node)


def _construct_text(loader: _TextLoader, node: yaml.Node) -> Any:
    return loader.construct_scalar(node)


_TextLoader.add_constructor("tag:yaml.org,2002:str", _construct_text)


def _is_null(value: str) -> bool:
    return value in {"", "~", "null"}


@dataclass(frozen=True)
class YamlText:
    """A parsed YAML file that can say on which line a setting stands."""

    path: Path
    root: yaml.Node | None
    values: Any

    def where(self, location: Location) -> str:
        """Return `file:line: dotted.path` of a setting, or of its nearest parent."""
        dotted = ".".join(str(part) for part in location)
        line = self._line(location)
        return f"{self.path}:{line}: {dotted}" if dotted else f"{self.path}:{line}"

    def _line(self, location: Location) -> int:
        node, line = self.root, 1
        for part in location:
            found = _child(node, part)
            if found is None:
                if part == 0 and isinstance(node, yaml.MappingNode):
                    continue  # one mapping stands where a list may stand
                break
            node, line = found
        return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        value = node.value[part]
        return value, value.start_mark.line + 1
    return None


def read_yaml(path: Path) -> YamlText:
    """Return the parsed file; ConfigError if it is missing, not UTF-8 or not a YAML mapping."""
    return parse_yaml(_read_text(path), path)


def parse_yaml(text: str, path: Path) -> YamlText:
    """Return the parsed text of the file `path`; ConfigError if it is not a YAML mapping."""
    try:
        loader = _TextLoader(text)
        root = loader.get_single_node()
        values = loader.construct_document(root) if root is not None else {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        found = str(getattr(error, "problem", error))
        mend = "check indentation and colons on this line and the one above"
        raise ConfigError(Fault("not valid YAML", where, found, mend)) from error
    if not isinstance(values, dict):
        found = f"a {'list' if isinstance(values, list) else 'text'}"
        raise ConfigError(Fault("not a mapping of settings", str(path), found, _MAPPING))
    parsed = YamlText(path, root, values)
    repeated = list(_repeated_keys(root, parsed, ()))
    if repeated:
        raise ConfigError(*repeated)
    return parsed


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        mend = "give the path of an existing file, or write one with 'mqlml init'"
        raise ConfigError(Fault("no such file", str(path), mend=mend)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(Fault("cannot be read", str(path), str(error), "save as UTF-8")) from None
    except OSError as error:
        mend = "give the path of a file that you may read"
        found = str(error.strerror)
        raise ConfigError(Fault("cannot be read", str(path), found, mend)) from None


def _repeated_keys(node: yaml.Node | None, parsed: YamlText, location: Location) -> Iterator[Fault]:
    if isinstance(node, yaml.SequenceNode):
        for position, child in enumerate(node.value):
            yield from _repeated_keys(child, parsed, (*location, position))
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, child in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                where = f"{parsed.path}:{line}: {'.'.join(map(str, (*location, key.value)))}"
                found = f"also on line {seen[key.value]}"
                yield Fault("this setting stands twice", where, found, "keep one of the two")
            seen[key.value] = line
            yield from _repeated_keys(child, parsed, (*location, key.value))


def load_settings(path: Path) -> Settings:
    """Return the settings of a config file.

    `criteria` may be a path, relative to the config file, or a list of them, one
    per version. Raises ConfigError with all faults of the file at once.
    """
    parsed = read_yaml(path)
    values = dict(parsed.values)
    versions, faults = _criteria_files(values.get("criteria"), parsed)
    if versions or faults:
        values["criteria"] = versions[-1].model_dump() if versions else {"version": 1}
    if "sources" in values:
        values["sources"] = _listed_sources(values["sources"])
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        faults.extend(_fault(detail, Settings, parsed) for detail in error.errors())
    faults.extend(_located(fault, parsed) for fault in _deeper_faults(values))
    if faults:
        raise ConfigError(*faults)
    settings._versions = versions  # noqa: SLF001 - what the list held, beside the last of it
    return settings


def _criteria_files(named: Any, parsed: YamlText) -> tuple[tuple[Criteria, ...], list[Fault]]:
    """Return the versions in the files that `criteria` names, oldest first, and all faults."""
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return (), []
    if not names:
        mend = "name the file of each version, or leave the setting out"
        return (), [Fault("a list without a file", parsed.where(("criteria",)), "[]", mend)]
    versions: list[Criteria] = []
    faults: list[Fault] = []
    for name in names:
        try:
            versions.append(load_criteria(parsed.path.parent / name))
        except ConfigError as error:
            faults.extend(error.faults)
    faults.extend(_located(fault, parsed) for fault in version_faults(versions))
    return tuple(sorted(versions, key=lambda criteria: criteria.version)), faults


def _deeper_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what types cannot tell: names, zones, clocks, and settings that do not fit together.

    Sections that are sound are looked into even if others are not.
    """
    zone = values.get("timezone")
    if isinstance(zone, str):
        yield from _raised(lambda: checked_zone(zone, "timezone"))
    sources = _section(SourceSettings, values.get("sources"))
    if sources is None and isinstance(values.get("sources"), Mapping):
        yield from name_faults(values["sources"])
    if sources is not None:
        yield from setting_faults(sources)
        if not list(_raised(lambda: checked_zone(zone or "UTC", ""))):
            yield from _raised(lambda: time_range(sources, zone))
    model = _section(ModelSettings, values.get("model", {}))
    if model is not None:
        yield from model_faults(model, has_personas=bool(values.get("personas")))
    criteria = _section(Criteria, values.get("criteria", {"version": 1}))
    if criteria is not None:
        yield from content_faults(criteria)
    target = _section(TargetSettings, values.get("target"))
    points = _section(PointSettings, values.get("points", {}))
    if target is not None and points is not None:
        is_order_time = sources is not None and any(s.order is not None for s in sources.leads)
        yield from point_faults(target, points, is_order_time=is_order_time)


def _section(kind: type[Section], values: Any) -> Section | None:
    try:
        return kind.model_validate(values)
    except ValidationError:
        return None


def _raised(check: Callable[[], object]) -> Sequence[Fault]:
    try:
        check()
    except ConfigError as error:
        return error.faults
    return ()


def _located(fault: Fault, parsed: YamlText) -> Fault:
    """Return the fault with the line of the setting that its `where` names by a dotted path."""
    parts = (int(part) if part.isdigit() else part for part in fault.where.split("."))
    return replace(fault, where=parsed.where(tuple(parts)))


def load_criteria(path: Path) -> Criteria:
    """Return the criteria of a file; ConfigError with all its faults at once."""
    return criteria_of(read_yaml(path))


def criteria_of(parsed: YamlText) -> Criteria:
    """Return the criteria of a parsed file; ConfigError with all its faults at once."""
    try:
        criteria = Criteria.model_validate(parsed.values)
    except ValidationError as error:
        raise ConfigError(*(_fault(d, Criteria, parsed) for d in error.errors())) from None
    inner = (replace(f, where=f.where.partition(".")[2]) for f in content_faults(criteria))
    faults = [_located(fault, parsed) for fault in inner]
    if faults:
        raise ConfigError(*faults)
    return criteria


def settings_digest(settings: BaseModel) -> str:
    """Return the first 16 hex digits of the SHA-256 of the settings' canonical JSON."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:16]


def _listed_sources(sources: Any) -> Any:
    """Allow one mapping where a list of files may stand."""
    if not isinstance(sources, Mapping):
        return sources
    fields = SourceSettings.model_fields
    listed = {name for name, info in fields.items() if get_origin(info.annotation) is tuple}
    return {
        name: [v] if name in listed and isinstance(v, Mapping) else v for name, v in sources.items()
    }


def _fault(detail: ErrorDetails, model: type[BaseModel], parsed: YamlText) -> Fault:
    location: Location = tuple(detail["loc"])
    where = parsed.where(location)
    if detail["type"] == "extra_forbidden":
        valid = _fields_at(model, location[:-1])
        return Fault("unknown setting", where, mend=nearest(str(location[-1]), valid))
    if detail["type"] == "missing":
        return Fault("setting is missing", where, mend=f"add '{location[-1]}:'")
    if detail["type"] == "literal_error":
        expected = str(detail.get("ctx", {}).get("expected", ""))
        valid = [word.strip("' ") for word in expected.replace(" or ", ", ").split(", ")]
        found = repr(detail["input"])
        return Fault("not a valid choice", where, found, nearest(str(detail["input"]), valid))
    found = _shown(detail["input"])
    if detail["type"] in _WORDS:
        return Fault("not of the right kind", where, found, _WORDS[detail["type"]])
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return Fault(message[0].lower() + message[1:], where, found, "see docs/config.md")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _fields_at(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """Return the names valid at a location, following lists, mappings and optionals."""
    current: Any = model
    for part in location:
        current = _inner(current, part)
    models = _models_in(current)
    return sorted({name for found in models for name in found.model_fields})


def _inner(kind: Any, part: int | str) -> Any:
    for found in _models_in(kind):
        if isinstance(part, str) and part in found.model_fields:
            return found.model_fields[part].annotation
    arguments = [a for a in get_args(kind) if a is not Ellipsis]
    if get_origin(kind) in {Union, UnionType}:
        return next((r for a in arguments if (r := _inner(a, part)) is not None), None)
    return arguments[-1] if arguments and not _models_in(kind) else kind if arguments else None


def _models_in(kind: Any) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    if get_origin(kind) in {Union, UnionType}:
        return [m for a in get_args(kind) for m in _models_in(a)]
    return []
