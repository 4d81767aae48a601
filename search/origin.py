"""Who made the rows of an index, and who else may ask it and add to it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from search.canaries import Canaries
from search.encoder import Encoder, Passport
from search.errors import IndexFolderError

__all__ = ["Maker", "Origin"]


@dataclass(frozen=True, slots=True)
class Maker:
    """An encoder that has made rows of an index: its name then, its fingerprint, and what ran it."""

    name: str
    fingerprint: str
    backend: str

    def to_json(self) -> dict[str, Any]:
        """Return the maker as a manifest holds it."""
        return {"name": self.name, "fingerprint": self.fingerprint, "backend": self.backend}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who made the rows of an index.

    Attributes:
        passport: the encoder that wrote to it last, which is the one that is looked for.
        makers: all that have made rows, the first one first.
        canaries: what the first of them made of the canaries; None in an index of an earlier version. They stay what
            they are, so that encoders cannot drift away from the first one by one.
    """

    passport: Passport
    makers: tuple[Maker, ...]
    canaries: Canaries | None = None

    @classmethod
    def of(cls, passport: Passport) -> "Origin":
        """Return the origin of rows that an encoder is about to make."""
        return cls(passport, ())

    def knows(self, passport: Passport) -> bool:
        """Say whether this is one of the makers, whatever its name is now and whatever runs it."""
        known = {self.passport.fingerprint, *(maker.fingerprint for maker in self.makers)}
        return passport.fingerprint in known

    def check(self, folder: Path, encoder: Encoder) -> None:
        """Refuse an encoder that makes other rows; one whose files are another's is asked for the canaries.

        Raises:
            IndexFolderError: naming both, in what they differ, and what to do.
        """
        mine, other = self.passport, encoder.passport
        if self.knows(other):
            return
        if reason := self._structure(other) or self._rows(encoder):
            raise IndexFolderError(
                f"{folder} was made by the encoder {mine.name} ({mine.fingerprint[:12]}); {other.name} "
                f"({other.fingerprint[:12]}) is another, whose scores would mean nothing here: {reason}. Name the "
                f"first with --encoder, or index the files again with --encoder {other.name} --overwrite."
            )

    def written_by(self, passport: Passport) -> "Origin":
        """Return the origin once an encoder that was not refused has been opened for writing."""
        return replace(self, passport=passport)

    def added_to(self) -> "Origin":
        """Return the origin once the encoder that writes has made rows."""
        mine = Maker(self.passport.name, self.passport.fingerprint, self.passport.backend)
        known = {(maker.fingerprint, maker.backend) for maker in self.makers}
        return self if (mine.fingerprint, mine.backend) in known else replace(self, makers=(*self.makers, mine))

    def to_json(self) -> dict[str, Any]:
        """Return the origin as a manifest holds it."""
        value = {**self.passport.to_json(), "makers": [maker.to_json() for maker in self.makers]}
        return value if self.canaries is None else {**value, "canaries": self.canaries.to_json()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Origin":
        """Read what `to_json` gave, or a passport alone, as earlier versions wrote it.

        Raises:
            IndexFolderError: a field is missing or of another kind.
        """
        passport = Passport.from_json(value)
        try:
            first = {"name": passport.name, "fingerprint": passport.fingerprint, "backend": passport.backend}
            makers = tuple(Maker(**maker) for maker in value.get("makers", [first]))
        except TypeError as exc:
            raise IndexFolderError(f"the encoder's makers are damaged ({exc!r}).") from exc
        canaries = value.get("canaries")
        return cls(passport, makers, None if canaries is None else Canaries.from_json(canaries))

    def _structure(self, other: Passport) -> str:
        """Say in what rows of another encoder are made otherwise, "" where they are alike."""
        mine = self.passport
        if other.meaning_dim != mine.meaning_dim:
            return f"it gives {other.meaning_dim} numbers of meaning, the index has {mine.meaning_dim}"
        if other.labels == mine.labels:
            return ""
        theirs, ours = (_labels(passport) for passport in (other, mine))
        same = other.labels and mine.labels and sorted(other.labels.names) == sorted(mine.labels.names)
        return f"its labels are {theirs}, the index's {ours}{', in another order' if same else ''}"

    def _rows(self, encoder: Encoder) -> str:
        """Say in what an encoder's rows are others, "" where they are the same."""
        if self.canaries is None:
            return "it has other files, and this index, of an earlier version, holds no canaries to compare its rows by"
        likeness = self.canaries.compare(encoder)
        return "" if likeness.same else f"another model, or the same one trained further; {likeness}"


def _labels(passport: Passport) -> str:
    return f"{', '.join(passport.labels.names)} ({passport.labels.scale})" if passport.labels else "none"
