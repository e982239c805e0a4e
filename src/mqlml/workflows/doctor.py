"""`mqlml doctor`: what is installed, what is missing, is the workspace sound."""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mqlml.errors import Check
from mqlml.storage.health import check_workspace
from mqlml.storage.workspace import Workspace
from mqlml.wiring import open_store
from mqlml.workflows.catching_up import check_kept_back
from mqlml.workflows.project import Project
from mqlml.workflows.promotions import check_promotion

_NEEDED = ("duckdb", "lightgbm", "mlflow", "numba", "pandas", "pyarrow", "scikit-learn")
_EXTRAS = {"psycopg": "postgres", "pyspark": "spark"}


@dataclass(frozen=True)
class Examination:
    """Every check that was made."""

    checks: tuple[Check, ...]

    @property
    def is_sound(self) -> bool:
        """Return whether every check is good."""
        return all(check.ok for check in self.checks)

    def document(self) -> dict[str, Any]:
        """Return the answer for programs."""
        return {"sound": self.is_sound, "checks": [asdict(check) for check in self.checks]}

    def lines(self) -> Iterator[str]:
        """Yield the answer for people, a line per check."""
        for check in self.checks:
            mend = f" – {check.mend}" if check.mend else ""
            yield f"{'good' if check.ok else 'BAD ':<5} {check.name}: {check.found}{mend}"


def examine(project: Project) -> Examination:
    """Return checks of the installation, the workspace and the MLflow store; changes nothing."""
    from mqlml.tracking.health import check_store

    workspace = project.workspace
    examined = examine_without_store(workspace.root)
    if not workspace.root.exists():
        return examined
    store = open_store(project.settings, workspace, project.secrets)
    checks = (*examined.checks, *check_store(store, project.settings.name))
    if not all(check.ok for check in checks):
        return Examination(checks)  # what cannot be read cannot be compared
    return Examination((*checks, check_promotion(project, store), check_kept_back(project)))


def examine_without_store(workspace: Path) -> Examination:
    """Return checks of the installation and the workspace, which need no config."""
    return Examination((*_installation(), *check_workspace(Workspace(workspace))))


def _installation() -> Iterator[Check]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Check("Python", sys.version_info >= (3, 11), python, "")
    for name in _NEEDED:
        found = _version(name)
        yield Check(name, found is not None, found or "missing", "" if found else "make setup")
    for name, extra in _EXTRAS.items():
        found = _version(name)
        absent = f"not installed; 'mqlml[{extra}]' brings it"
        yield Check(f"{name} (optional)", ok=True, found=found or absent)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
