"""Learns from history which marketing leads are worth a salesperson's time.

The command line is the product; these names serve notebooks and programs. They
are looked up when first used, so that importing the package stays light.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Project": "mqlml.workflows.project",
    "open_project": "mqlml.workflows.project",
    "load_settings": "mqlml.config",
    "load_criteria": "mqlml.config",
    "load_bundle": "mqlml.modeling.bundle",
    "MqlmlError": "mqlml.errors",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605 - the table above is the one list
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'mqlml' has no attribute {name!r}")
