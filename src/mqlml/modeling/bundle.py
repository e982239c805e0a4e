"""The bundle: a folder that holds a model and all it needs, and no pickle.

LightGBM's own text and JSON, listed with their SHA-256 in `manifest.json`. Equal
bundles have equal bytes.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mqlml.errors import BundleError, Fault
from mqlml.features.plan import Plan
from mqlml.modeling.files import json_bytes, json_value
from mqlml.modeling.intervals import Spread, spread_from_files
from mqlml.modeling.model import Model, model_from_files

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
_PLAN, _CRITERIA, _PERSONAS, _FACTS = "plan.json", "criteria.json", "personas.json", "facts.json"
_EXPORT_AGAIN = "train or export it again, or take an earlier version"

Found = TypeVar("Found")


@dataclass(frozen=True)
class Bundle:
    """A model with its plan, criteria and personas (as JSON values) and facts of its training.

    `spread` gives each score its interval; bundles of earlier versions have none.
    """

    model: Model
    plan: Plan
    criteria: dict[str, Any]
    personas: list[dict[str, Any]]
    facts: dict[str, Any]
    name: str
    format_version: int = FORMAT_VERSION
    spread: Spread | None = None


def bundle_files(bundle: Bundle) -> dict[str, bytes]:
    """Return the bundle's files by name, the manifest last; equal bundles give equal bytes."""
    files = {
        **bundle.model.to_files(),
        **(bundle.spread.to_files() if bundle.spread else {}),
        _PLAN: bundle.plan.to_json().encode(),
        _CRITERIA: json_bytes(bundle.criteria),
        _PERSONAS: json_bytes(bundle.personas),
        _FACTS: json_bytes(bundle.facts),
    }
    manifest = {
        "files": {name: _digest(content) for name, content in files.items()},
        "format_version": bundle.format_version,
        "name": bundle.name,
    }
    return {**dict(sorted(files.items())), MANIFEST: json_bytes(manifest)}


def save_bundle(bundle: Bundle, folder: Path) -> None:
    """Write the bundle into `folder`, the manifest last.

    A caller that replaces a bundle writes beside it and swaps the folders.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in bundle_files(bundle).items():
        (folder / name).write_bytes(content)


def load_bundle(folder: Path) -> Bundle:
    """Return the bundle in `folder`, every byte checked against the manifest.

    Raises:
        BundleError: no bundle there, written by a newer mqlml, a file missing,
            cut short or altered; all such files are named at once.
    """
    manifest = _manifest(folder)
    files = _checked_files(folder, manifest["files"])
    return _read(folder, lambda: _bundle_from(manifest, files))


def _bundle_from(manifest: dict[str, Any], files: Mapping[str, bytes]) -> Bundle:
    return Bundle(
        model=model_from_files(files),
        plan=Plan.from_json(files[_PLAN].decode()),
        criteria=json_value(files[_CRITERIA]),
        personas=json_value(files[_PERSONAS]),
        facts=json_value(files[_FACTS]),
        name=manifest["name"],
        format_version=manifest["format_version"],
        spread=spread_from_files(files),
    )


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        found = "no manifest.json" if folder.is_dir() else "no such folder"
        mend = "give the folder of a bundle, as mqlml export writes it"
        raise BundleError(Fault("not a bundle", str(folder), found, mend))
    found_value = _read(path, lambda: json_value(path.read_bytes()))
    manifest: dict[str, Any] = found_value if isinstance(found_value, dict) else {}
    version = manifest.get("format_version")
    if not isinstance(version, int) or not isinstance(manifest.get("files"), dict):
        raise BundleError(Fault("manifest is damaged", str(path), "", _EXPORT_AGAIN))
    if version > FORMAT_VERSION:
        found = f"format {version}, this mqlml reads up to {FORMAT_VERSION}"
        raise BundleError(Fault("bundle is from a newer mqlml", str(folder), found, "update mqlml"))
    return manifest


def _checked_files(folder: Path, digests: Mapping[str, Any]) -> dict[str, bytes]:
    files, faults = {}, []
    for name, digest in sorted(digests.items()):
        path = folder / name
        if Path(name).name != name or not path.is_file():
            faults.append(Fault("file of the bundle is missing", str(path), "", _EXPORT_AGAIN))
            continue
        files[name] = path.read_bytes()
        if _digest(files[name]) != digest:
            found = f"{len(files[name])} bytes that are not the ones that were written"
            faults.append(Fault("file of the bundle was altered", str(path), found, _EXPORT_AGAIN))
    if faults:
        raise BundleError(*faults)
    return files


def _read(where: Path, read: Callable[[], Found]) -> Found:
    """Return what `read` gives; content that makes no sense becomes a BundleError."""
    try:
        return read()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise BundleError(
            Fault("bundle cannot be read", str(where), found, _EXPORT_AGAIN)
        ) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
