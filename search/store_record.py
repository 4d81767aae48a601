"""What a manifest says of how an index is searched: exactly, or with a structure, which one and how good it is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from search.errors import OptionError

__all__ = ["AUTO", "DEFAULT_RECALL", "FLAT", "StoreRecord", "StoreWish", "StructureFile", "store_wish"]

AUTO, FLAT = "auto", "flat"

DEFAULT_RECALL = 0.98


@dataclass(frozen=True, slots=True)
class StoreWish:
    """What is asked of an index's store.

    Attributes:
        spec: "auto" (exact while that is quick, else the fastest structure with the recall), "flat" (exact always), or
            a structure in FAISS's words, for example "IVF1024,SQ8".
        recall: the least share of the ten nearest that a structure must find, in (0, 1].
    """

    spec: str = AUTO
    recall: float = DEFAULT_RECALL

    def __post_init__(self) -> None:
        """Refuse a recall that is none.

        Raises:
            OptionError: naming it and the range.
        """
        if not 0.0 < self.recall <= 1.0:
            raise OptionError(f"recall is {self.recall:g}; it must be above 0 and at most 1.")


def store_wish(last: StoreWish, spec: str | None, recall: float | None) -> StoreWish:
    """Return what is asked for, where what is None is as the last time.

    Raises:
        OptionError: the recall is none.
    """
    return StoreWish(last.spec if spec is None else spec, last.recall if recall is None else recall)


@dataclass(frozen=True, slots=True)
class StructureFile:
    """The file of a structure in the index's folder `faiss`: bytes, hash, and time of change in nanoseconds."""

    name: str
    size: int
    sha256: str
    modified: int


@dataclass(frozen=True, slots=True)
class StoreRecord:
    """How an index is searched.

    Attributes:
        wish: what was asked for.
        rows: the rows, from the first, that it was chosen for; a structure has just these.
        spec: "flat", or the structure in FAISS's words.
        efforts: for each weight that was measured, how many lists of the structure are looked at; of a graph, how many
            rows are kept in sight.
        spare: how many candidates are scored for each row asked for.
        recalls: the share of the ten nearest that it found, for each sentiment and weight that was measured.
        milliseconds: what a query takes, the median of those measured; None: not measured.
        exact_milliseconds: what an exact one takes.
        file: the structure's.
    """

    wish: StoreWish = field(default_factory=StoreWish)
    rows: int = 0
    spec: str = FLAT
    efforts: Mapping[str, int] = field(default_factory=dict)
    spare: int = 1
    recalls: Mapping[str, float] = field(default_factory=dict)
    milliseconds: float | None = None
    exact_milliseconds: float | None = None
    file: StructureFile | None = None

    @property
    def recall(self) -> float:
        """Return the least recall that was measured."""
        return min(self.recalls.values(), default=1.0)

    def __str__(self) -> str:
        """Say how the index is searched, in a line."""
        if self.file is None:
            return "flat, exact"
        efforts = "/".join(str(one) for one in dict.fromkeys(self.efforts.values()))
        return (
            f"{self.spec}, effort {efforts}, recall {self.recall:.3f} (asked {self.wish.recall:g}), "
            f"{self.milliseconds:.1f} ms a query (exact {self.exact_milliseconds:.1f})"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the record as a manifest holds it."""
        told = {name: one for name, one in asdict(self).items() if name != "spec" and one != _DEFAULT[name]}
        return {"kind": self.spec, "recall": self.recall, **told}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "StoreRecord":
        """Read what `to_json` gave.

        Raises:
            KeyError, TypeError: it is damaged.
        """
        given = {name: one for name, one in value.items() if name in _DEFAULT}
        if "effort" in value:  # as it was when one was enough for all weights
            given["efforts"] = {"0": value["effort"]}
        if "wish" in given:
            given["wish"] = StoreWish(**given["wish"])
        if given.get("file"):
            given["file"] = StructureFile(**given["file"])
        return cls(spec=value["kind"], **given)


_DEFAULT = asdict(StoreRecord())
