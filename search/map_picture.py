"""A map as a picture: PNG or SVG."""

from typing import BinaryIO

import numpy as np

from search.index_map import IndexMap

__all__ = ["draw_map"]

_MARKERS = {"down": "v", "up": "^", "diamond": "D", "disc": "o", "square": "s", "cross": "X", "plus": "P", "star": "*"}
_INCHES, _DOTS = (11.0, 7.6), 160
_TURNS = 24
"""Labels are drawn in so many turns, so that none lies over all of another."""


def draw_map(drawn: IndexMap, file: BinaryIO, *, title: str, kind: str) -> None:
    """Draw a map to a file that is open for writing.

    Args:
        drawn: the map.
        file: the file.
        title: stands above it, as text.
        kind: "png" or "svg".
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, dpi=_DOTS, layout="constrained")
    axes = figure.subplots()
    size = float(np.clip(60_000 / len(drawn), 2.5, 42))
    for turn in range(_TURNS):
        for code, mark in enumerate(drawn.marks):
            own = np.flatnonzero(drawn.codes == code)[turn::_TURNS]
            if not len(own):
                continue
            axes.scatter(
                drawn.points[own, 0],
                drawn.points[own, 1],
                s=size,
                c=mark.light,
                marker=_MARKERS[mark.shape],
                linewidths=0.3 if size > 8 else 0,  # noqa: PLR2004 - square points
                edgecolors="white",
                zorder=2 + turn,
                rasterized=True,
            )
    handles = [
        axes.scatter([], [], s=60, c=mark.light, marker=_MARKERS[mark.shape], label=_plain(f"{mark.name} {count:,}"))
        for mark, count in zip(drawn.marks, drawn.counts, strict=True)
        if mark.name
    ]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=min(6, len(handles)), frameon=False)
    axes.set_title(_plain(f"{title}: {len(drawn):,} sentences"), loc="left", fontsize=14)
    axes.set_xlabel(drawn.about(), fontsize=9, color="#5f6068", loc="left")
    axes.set(xticks=[], yticks=[], xlim=(-1.04, 1.04), ylim=(-1.04, 1.04))
    for side in axes.spines.values():
        side.set_color("#dcdad5")
    with mpl.rc_context({"svg.hashsalt": "kindred"}):
        figure.savefig(file, format=kind, metadata={"Date": None} if kind == "svg" else None)


def _plain(text: str) -> str:
    """Return a text in which matplotlib finds no mathematics."""
    return text.replace("$", r"\$")
