"""A picture of the measured CPU seconds: ours, the floor, and the peers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write an SVG of every row in CPU seconds, on a logarithmic scale."""
    mpl.use("svg")
    from matplotlib import pyplot as plt

    shown = [row for row in rows if row["unit"] == "CPU s" and row["value"] > 0]
    shown = [row for row in shown if " points" in row["name"]]
    figure, axes = plt.subplots(figsize=(9, 0.6 + 0.3 * len(shown)), layout="constrained")
    values = [row["value"] for row in shown]
    colors = ["#1f6f8b" if row["name"].endswith(": ours") else "#c9ced6" for row in shown]
    bars = axes.barh([row["name"] for row in shown], values, color=colors)
    axes.bar_label(bars, [f" {value:,.1f}" for value in values], fontsize=8)
    axes.set(xscale="log", xlabel="CPU seconds (logarithmic)", xlim=(None, max(values) * 3))
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
