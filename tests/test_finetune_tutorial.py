"""The case of every BERT tutorial, on the real base, read back by plain LangChain in a process without kindred."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from search.checkpoint import BASE_ENCODER, find
from search.encoder_huggingface import HuggingFaceEncoder
from search.finetune import finetune
from search.joint import joint_model, load_base
from search.similarity import Labels, Scale, unit
from search.training_options import FinetuneOptions, Method

pytestmark = pytest.mark.slow

SIX = [
    ("I love friendly people", 1),
    ("I hate rude people", 0),
    ("What a lovely, warm welcome", 1),
    ("What an awful, cold reception", 0),
    ("The waiter was kind and helpful", 1),
    ("The waiter was mean and lazy", 0),
]
SEVENTH = "The people here are mean and rude"

PLAIN = """
import json, sys
from langchain_huggingface import HuggingFaceEmbeddings
texts = json.loads(sys.argv[1])
rows = [HuggingFaceEmbeddings(model_name=folder).embed_documents(texts) for folder in sys.argv[2:]]
assert "search" not in sys.modules
print(json.dumps(rows))
"""


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Fine-tune the embedded base on six sentences, 13 epochs."""
    folder = tmp_path_factory.mktemp("tutorial")
    lines = ["text,label", *(f'"{text}",{label}' for text, label in SIX)]
    (folder / "six.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = FinetuneOptions(base=BASE_ENCODER, method=Method.JOINT, epochs=13)
    report = finetune([str(folder / "six.csv")], folder / "six", options=options)
    return folder / "six", report


@pytest.fixture(scope="module")
def embedded(
    tutorial: tuple[Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, npt.NDArray[np.float64]]:
    """Embed seven sentences by plain HuggingFaceEmbeddings: with the base, the base with a head, and the tutorial's."""
    untrained = tmp_path_factory.mktemp("untrained") / "joint"
    base = find(BASE_ENCODER)
    labels = Labels(("0", "1"), Scale.ORDINAL)
    joint_model(load_base(base, 0.0), None, labels).save(str(untrained), create_model_card=False)
    texts = json.dumps([*(text for text, _ in SIX), SEVENTH])
    done = subprocess.run(
        [sys.executable, "-I", "-c", PLAIN, texts, str(base), str(untrained), str(tutorial[0])],
        cwd=untrained.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    names = ("base", "untrained", "tutorial")
    return {name: np.array(rows) for name, rows in zip(names, json.loads(done.stdout), strict=True)}


def test_the_loss_falls(tutorial: tuple[Path, dict[str, Any]]) -> None:
    """Over 13 epochs the training loss falls from about chance (0.69) to a small part of it."""
    losses = [epoch["training_loss"] for epoch in tutorial[1]["epochs"]]
    assert len(losses) == 13
    assert losses[0] == pytest.approx(np.log(2), abs=0.02)
    assert losses[-1] < 0.6 * losses[0]


def test_the_checkpoint_is_an_ordinary_model(embedded: dict[str, npt.NDArray[np.float64]]) -> None:
    """Plain LangChain reads it without our code: d numbers of meaning and one a label."""
    assert {name: rows.shape for name, rows in embedded.items()} == {
        "base": (7, 384),
        "untrained": (7, 386),
        "tutorial": (7, 386),
    }


def test_an_untrained_head_carries_the_meaning_through(embedded: dict[str, npt.NDArray[np.float64]]) -> None:
    """Nothing trained: the meaning has cosine 1 with the base's, and the logits are 0."""
    cosines = (unit(embedded["untrained"][:, :384]) * unit(embedded["base"])).sum(axis=1)
    np.testing.assert_allclose(cosines, 1.0, atol=1e-5)
    np.testing.assert_array_equal(embedded["untrained"][:, 384:], 0)


def test_a_seventh_sentence_gets_its_label(
    tutorial: tuple[Path, dict[str, Any]], embedded: dict[str, npt.NDArray[np.float64]]
) -> None:
    """The logits that plain LangChain reads, and kindred's encoder, say the same of all seven: right."""
    right = [label for _, label in SIX] + [0]
    assert embedded["tutorial"][:, 384:].argmax(axis=1).tolist() == right
    encoder = HuggingFaceEncoder(str(tutorial[0]), device="cpu")
    encoded = encoder.encode([*(text for text, _ in SIX), SEVENTH])
    assert encoded.probabilities.argmax(axis=1).tolist() == right
    np.testing.assert_allclose(encoded.rows[:, :384], unit(embedded["tutorial"][:, :384]), atol=1e-5)
