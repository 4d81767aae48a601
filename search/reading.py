"""How a file is cut into sentences: what was asked for, noted with every source, to be the same the next time."""

import json
from dataclasses import astuple, dataclass, fields

from search.units import Unit

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is asked of the reading of files; None where nothing is.

    Attributes:
        unit: what becomes a sentence.
        text_column: the column of tables.
        encoding: Python's name of the encoding.
    """

    unit: Unit | None = None
    text_column: str | None = None
    encoding: str | None = None

    def or_as(self, before: "Reading") -> "Reading":
        """Return this, where nothing is asked as it was before."""
        return Reading(*(old if new is None else new for new, old in zip(astuple(self), astuple(before), strict=True)))

    def left_open_by(self, asked: "Reading") -> "Reading":
        """Return what of this another does not say."""
        return Reading(*(old if new is None else None for new, old in zip(astuple(asked), astuple(self), strict=True)))

    def to_json(self, reader: str | None = None) -> str:
        """Return what an index notes of a source; `reader` is the version of what reads a document."""
        how: dict[str, str | None] = {"unit": self.unit, "text_column": self.text_column}
        if self.encoding is not None:
            how["encoding"] = self.encoding
        if reader is not None:
            how["reader"] = reader
        return json.dumps(how)

    @classmethod
    def from_json(cls, noted: str) -> "Reading":
        """Read what an index has noted; of an earlier version, and of what is no file, that says nothing."""
        try:
            how = json.loads(noted)
            unit = how.get("unit")
            return cls(None if unit is None else Unit(unit), how.get("text_column"), how.get("encoding"))
        except (ValueError, AttributeError):
            return cls()

    def __str__(self) -> str:
        """Return the options of the command line that ask for it."""
        given = ((field.name, getattr(self, field.name)) for field in fields(self))
        return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in given if value is not None)
