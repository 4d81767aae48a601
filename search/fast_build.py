"""The int8 build of a checkpoint, for OpenVINO: the folder `openvino/` in it, in sentence-transformers' own place.

    openvino_model.xml, .bin   the graph: token numbers and mask in, the whole raw row (meaning and logits) out
    tokenizer.json             the tokenizer, with the checkpoint's own truncation
    report.json                which weights it was made of, its files, and how it agrees with the reference

The checkpoint's fingerprint leaves the folder out: a build is another way to run the same encoder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from search.errors import EncoderError, InputError
from search.files import read_json, sha256_of_file, write_json

__all__ = [
    "CALIBRATED",
    "FILES",
    "FORMAT",
    "GRAPH",
    "REPORT",
    "ROW_OUTPUT",
    "TOKENIZER",
    "TOKENS_OUTPUT",
    "WEIGHTS",
    "FastBuild",
    "build_folder",
]

FORMAT = 1

GRAPH, WEIGHTS, TOKENIZER, REPORT = "openvino_model.xml", "openvino_model.bin", "tokenizer.json", "report.json"

FILES = (GRAPH, WEIGHTS, TOKENIZER)
"""What the report holds the hashes of."""

ROW_OUTPUT = "row"
"""The graph's output that is the (n, d + C) meaning and logits."""

CALIBRATED = "calibrated"
"""What `made` says of a build all of whose ranges are calibrated: it gives the same bits for one shape as for any."""

TOKENS_OUTPUT = "last_hidden_state"
"""The graph's output that is the (n, length, d) token vectors; sentence-transformers' own backend reads it too."""


def build_folder(checkpoint: Path) -> Path:
    """Return where a checkpoint's build is."""
    return checkpoint / "openvino"


@dataclass(frozen=True, slots=True)
class FastBuild:
    """What `report.json` says of a build.

    Attributes:
        fingerprint: the fingerprint of the checkpoint that it was made of.
        width: the d + C numbers of a raw row.
        max_length: the tokens of a text that are read.
        files: the SHA-256 of each file, by name.
        made: how: versions, recipe, calibration, whether all ranges are calibrated.
        agreement: how it agrees with the reference.
    """

    fingerprint: str
    width: int
    max_length: int
    files: Mapping[str, str]
    made: Mapping[str, Any] = field(default_factory=dict)
    agreement: Mapping[str, float | None] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "FastBuild | None":
        """Read the report of a build's folder, or None where there is no build.

        Raises:
            EncoderError: the report is damaged or of a newer format.
        """
        path = folder / REPORT
        if not path.exists():
            return None
        try:
            value = read_json(path)
            written = value.pop("format")
            build = cls(**value)
            whole = set(build.files) == set(FILES) and build.width > 0 and build.max_length > 0
        except (InputError, KeyError, TypeError) as exc:
            raise EncoderError(f"{path}: damaged ({exc!r}). {_again(folder)}") from exc
        if written != FORMAT:
            raise EncoderError(f"{path}: format {written}, this version reads {FORMAT}. {_again(folder)}")
        if not whole:
            raise EncoderError(f"{path}: damaged (files {sorted(build.files)}). {_again(folder)}")
        return build

    def write(self, folder: Path) -> None:
        """Write the report into the build's folder."""
        write_json(folder / REPORT, {"format": FORMAT, **asdict(self)})

    def check(self, folder: Path, names: Sequence[str] = FILES) -> None:
        """Compare files with their hashes.

        Raises:
            EncoderError: one is missing, or not what was written.
        """
        for name in names:
            path = folder / name
            if not path.exists():
                raise EncoderError(f"{path} is missing. {_again(folder)}")
            if sha256_of_file(path) != self.files[name]:
                raise EncoderError(f"{path} is damaged: it is not what was written. {_again(folder)}")


def _again(folder: Path) -> str:
    return f"Make the build again with: kindred compile {folder.parent}; or leave it aside with --backend torch."
