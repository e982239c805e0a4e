"""The demo's own configs, wherever mqlml is installed."""

from pathlib import Path

CRITERIA_FILES = ("demo_criteria.yaml", "demo_criteria_v2.yaml")
CONFIG_FILES = ("demo.yaml", *CRITERIA_FILES)


def demo_config(name: str) -> bytes:
    """Return one of CONFIG_FILES, from the installed package or from the repository."""
    packaged = Path(__file__).parents[1] / "demo" / "configs"
    home = packaged if packaged.is_dir() else Path(__file__).parents[3] / "configs"
    return (home / name).read_bytes()
