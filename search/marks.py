"""How the labels of a map look: a colour that is light or dark by the label's order, and a shape.

Colour is never alone: neighbours in the order differ in lightness, and every label has a shape of its own, as far as
there are shapes. The colours of ordered labels go from dark red over grey to light blue, which no usual kind of
colour blindness confuses; those of others are from Okabe and Ito, "Color Universal Design" (2008).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search.similarity import Labels, Scale

__all__ = ["SHAPES", "Mark", "marks_of"]

SHAPES = ("down", "diamond", "disc", "square", "up", "cross", "plus", "star")
"""The shapes: triangles that point down and up, and others."""

_ORDERED = {1: (4,), 2: (0, 4), 3: (0, 2, 4), 4: (0, 1, 3, 4), 5: (0, 1, 2, 3, 4)}
"""Which shapes as many ordered labels have: down is the lowest, up the highest, whatever is between."""

_Colour = tuple[int, int, int]

_LIGHT: tuple[_Colour, ...] = ((128, 18, 18), (118, 116, 124), (12, 137, 190))
_DARK: tuple[_Colour, ...] = ((226, 76, 52), (150, 149, 156), (126, 212, 255))
"""The lowest, the middle and the highest label, on white and on black."""

_NAMED: tuple[_Colour, ...] = (
    (0, 114, 178), (213, 94, 0), (0, 128, 96), (168, 74, 130), (134, 102, 0), (60, 60, 66), (30, 140, 190),
    (150, 40, 30),
)  # fmt: skip
_NAMED_DARK: tuple[_Colour, ...] = (
    (86, 180, 233), (240, 130, 40), (40, 190, 140), (222, 140, 190), (240, 228, 66), (205, 205, 210), (120, 150, 255),
    (255, 140, 120),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """How a label looks: its shape, and its colour (#rrggbb) on a light ground and on a dark one."""

    name: str
    shape: str
    light: str
    dark: str


def marks_of(labels: Labels | None) -> tuple[Mark, ...]:
    """Return a mark for each label, in their order; without labels one for all sentences, without a name.

    >>> [(mark.name, mark.shape) for mark in marks_of(Labels(("bad", "so so", "good"), Scale.ORDINAL))]
    [('bad', 'down'), ('so so', 'disc'), ('good', 'up')]
    """
    if labels is None:
        return (Mark("", "disc", _hex(_NAMED[0]), _hex(_NAMED_DARK[0])),)
    count = len(labels.names)
    if labels.scale is Scale.NOMINAL:
        # Once the colours are used up they begin again, with other shapes.
        shapes = [SHAPES[(number + number // len(_NAMED)) % len(SHAPES)] for number in range(count)]
        colours = [(_NAMED[one % len(_NAMED)], _NAMED_DARK[one % len(_NAMED)]) for one in range(count)]
    else:
        kinds = _ORDERED.get(count, range(count))
        shapes = [SHAPES[one % len(SHAPES)] for one in kinds]
        colours = list(zip(_between(_LIGHT, count), _between(_DARK, count), strict=True))
    return tuple(
        Mark(name, shape, _hex(light), _hex(dark))
        for name, shape, (light, dark) in zip(labels.names, shapes, colours, strict=True)
    )


def _between(colours: Sequence[_Colour], count: int) -> list[_Colour]:
    """Return so many colours at even steps from the first over the middle to the last."""
    at = np.linspace(0, len(colours) - 1, count)
    parts = [np.interp(at, range(len(colours)), [colour[one] for colour in colours]).round() for one in range(3)]
    return [(int(red), int(green), int(blue)) for red, green, blue in zip(*parts, strict=True)]


def _hex(colour: _Colour) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
