"""The model card: what a checkpoint holds, and how to use it, which runs as it is printed."""

import ast
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from search.checkpoint import SHIPPED_ENCODER, Card, Layout, find
from search.encoder_huggingface import HuggingFaceEncoder
from search.files import read_json
from search.finetune import finetune
from search.model_card import model_card
from search.pairs import PairKind
from search.training_options import FinetuneOptions, Method
from tests.test_finetune import checkpoint, labels, options
from tests.test_finetune_pairs import for_pairs, write_pairs

__all__ = ["checkpoint", "for_pairs", "labels", "options"]

pytestmark = pytest.mark.slow

TEXT = "the room was bad"


def _used(card: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the Python that a card shows, of another text than its own; return what it prints."""
    (code,) = re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL)
    capsys.readouterr()
    exec(compile(code.replace('"a text"', repr(TEXT)), "README.md", "exec"), {})  # noqa: S102 - our own
    return ast.literal_eval(capsys.readouterr().out.partition("#")[0].strip())


def _card(folder: Path) -> str:
    return Layout(folder).model_card.read_text(encoding="utf-8")


def _probabilities(folder: Path) -> dict[str, float]:
    card = Card.read(folder)
    assert card is not None
    (given,) = HuggingFaceEncoder(str(folder)).encode([TEXT]).probabilities
    return dict(zip(card.labels.names, given.tolist(), strict=True))


def test_labels(
    checkpoint: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """How many numbers, which are logits and of which labels; the code gives the probabilities that kindred gives."""
    folder, report = checkpoint
    told = _card(folder)
    assert "A text becomes 34 numbers. The first 32 are its meaning" in told
    assert "The last 2 are logits, one for each label (ordinal, from lowest to highest): negative, positive." in told
    assert f"softmax(logits / {report['validation']['temperature']:g})" in told
    assert f"Kept epoch {report['best_epoch']}." in told
    monkeypatch.chdir("/")
    assert _used(told, capsys) == pytest.approx(_probabilities(folder), abs=1e-5)


@pytest.mark.parametrize("kind", list(PairKind))
def test_pairs(
    kind: PairKind,
    checkpoint: tuple[Path, dict[str, Any]],
    for_pairs: FinetuneOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Which kind of pairs, and the logits that stay the base's; a place is named as it was given, also with spaces."""
    monkeypatch.chdir(tmp_path)
    pairs, out = write_pairs(tmp_path / "pairs.tsv", kind), Path("my checkpoints/pairs")
    finetune([str(pairs)], out, options=replace(for_pairs, base=str(checkpoint[0]), epochs=1, validation=0.0))
    told = _card(out)
    assert f"Its meaning was trained on pairs: {kind} ones, " in told
    assert "The labels are its base's." in told
    assert "The last 2 are logits, one for each label" in told
    assert "kindred index FILES --encoder 'my checkpoints/pairs'" in told
    assert _used(told, capsys) == pytest.approx(_probabilities(out), abs=1e-5)


def test_pairs_alone(
    small_bert: Path, for_pairs: FinetuneOptions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without labels all numbers are meaning."""
    out = tmp_path / "out"
    pairs = write_pairs(tmp_path / "pairs.tsv", PairKind.POSITIVE)
    finetune([str(pairs)], out, options=replace(for_pairs, base=str(small_bert), epochs=1, validation=0.0))
    told = _card(out)
    assert "A text becomes 32 numbers, its meaning" in told
    assert "logits" not in told
    assert _used(told, capsys) == 32


def test_nominal_labels_of_any_name(small_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names hold what Markdown and Python read as their own, and are shown and given as they are."""
    names = ['say "no"', "a*b|c", "ärgerlich 😀"]
    words = zip(("bad", "good", "loud"), names, strict=True)
    rows = [{"text": f"the {thing} was {word}", "label": name} for word, name in words for thing in ("room", "bed")]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    out = tmp_path / "out"
    finetune([str(path)], out, options=FinetuneOptions(base=str(small_bert), method=Method.HEAD))
    told = _card(out)
    assert '(nominal): a\\*b|c, say "no", ärgerlich 😀.' in told
    assert _used(told, capsys) == pytest.approx(_probabilities(out), abs=1e-5)


def test_what_ships(capsys: pytest.CaptureFixture[str]) -> None:
    """Its card is that of its report and its labels, and is used by its name."""
    folder = find(SHIPPED_ENCODER)
    told = _card(folder)
    assert told == model_card(SHIPPED_ENCODER, read_json(Layout(folder).report), Card.read(folder), 384, at=None)
    assert "A text becomes 387 numbers." in told
    assert (
        "The last 3 are logits, one for each label (ordinal, from lowest to highest): negative, neutral, positive."
        in told
    )
    assert _used(told, capsys) == pytest.approx(_probabilities(folder), abs=1e-4)
