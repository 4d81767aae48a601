"""A checkpoint to its int8 build: converted, quantised, compared with the reference, and kept only if it agrees."""

import importlib.util
import random
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from search.agreement import compare
from search.checkpoint import find
from search.corpus import Corpus, expand
from search.encoder_huggingface import HuggingFaceEncoder
from search.encoder_openvino import OpenVINOEncoder
from search.errors import EncoderError, OptionError, OutputError
from search.fast_build import CALIBRATED, FILES, REPORT, ROW_OUTPUT, FastBuild, build_folder
from search.files import new_folder, sha256_of_file
from search.labelled import LabelledCorpus
from search.openvino_graph import Recipe, convert, quantise, quiet
from search.pairs import PairCorpus, holds_pairs
from search.progress import SILENT, Progress

__all__ = [
    "CALIBRATION",
    "COMPARED",
    "RECIPES",
    "bundled_sentences",
    "compile_encoder",
    "some_sentences",
    "training_sentences",
]

CALIBRATION = 300
"""Sentences that the ranges of the activations are taken from."""

_JOINED, _LONG = range(2, 14), 5
"""How many of them are also put together to longer texts, whose ranges are others; how many texts of each number."""

COMPARED = 1000
"""Other sentences, at most, that the build is compared with the reference on."""

_SEED = 7

_READ = 10_000

_NEEDED = ("nncf", "openvino")
_SENTENCES = Path(__file__).with_name("sentences.txt")

RECIPES = (Recipe("int8", smooth=0.7), Recipe("careful int8", smooth=0.7, careful=True))
"""Tried in this order; the first whose build agrees with the checkpoint is kept."""


def bundled_sentences() -> list[str]:
    """Return sentences of this project's own corpora: reviews, talk and questions."""
    return _SENTENCES.read_text(encoding="utf-8").splitlines()


def some_sentences(patterns: Sequence[str], *, text_column: str | None = None) -> list[str]:
    """Return the first few thousand sentences of some files.

    Raises:
        InputError: a file cannot be used.
    """
    return [sentence.text for sentence in islice(Corpus(patterns, text_column=text_column), _READ)]


def training_sentences(
    patterns: Sequence[str], *, text_column: str | None = None, label_column: str | None = None
) -> list[str]:
    """Return the first few thousand texts that an encoder was fine-tuned on; of pairs, the first of each.

    Raises:
        InputError: a file cannot be used.
    """
    if holds_pairs(expand(patterns)[0]):
        return [pair.a for pair in islice(PairCorpus(patterns), _READ)]
    rows = LabelledCorpus(patterns, text_column=text_column, label_column=label_column)
    return [row.text for row in islice(rows, _READ)]


def compile_encoder(
    name: str,
    *,
    sentences: Sequence[str] = (),
    recipes: Sequence[Recipe] = RECIPES,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> FastBuild:
    """Make a checkpoint's int8 build, in its folder `openvino/`.

    Args:
        name: a checkpoint's folder, or a model of the Hugging Face hub.
        sentences: texts of the kind it is for; a bundled mix fills up what is missing to 1,300.
        recipes: how to quantise; the first whose build agrees is kept.
        overwrite: replace a folder `openvino/` that kindred did not make.
        progress: is told what goes on.

    Raises:
        EncoderError: the checkpoint cannot be found, loaded or converted, or no build agrees with it: nothing is kept.
        OptionError: a library that makes builds is not installed.
        OutputError: there is a folder `openvino/` of another origin.
    """
    if missing := _missing():
        raise OptionError(f"A fast build needs {', '.join(missing)}; install with: pip install 'kindred[compile]'.")
    checkpoint = find(name)
    target = build_folder(checkpoint)
    if target.exists() and any(target.iterdir()) and not (target / REPORT).exists() and not overwrite:
        raise OutputError(f"{target} was not made by kindred; replace it with --overwrite.")
    calibration, held_back = _split(sentences)
    calibration += _longer(calibration)
    progress.start("compiling", 2 + len(recipes), "steps")
    reference = HuggingFaceEncoder(name, device="cpu")
    expected = reference.encode(held_back)
    with new_folder(target) as aside, quiet():
        progress.advance(1, "converting")
        graph, max_length = convert(checkpoint, aside)
        tried: list[str] = []
        for number, recipe in enumerate(recipes):
            progress.advance(2 + number, f"quantising: {recipe.name}")
            quantise(graph, recipe, calibration, aside)
            build = FastBuild(
                fingerprint=reference.passport.fingerprint,
                width=int(graph.output(ROW_OUTPUT).get_partial_shape()[1].get_length()),
                max_length=max_length,
                files={one: sha256_of_file(aside / one) for one in FILES},
                made={
                    "recipe": recipe.name,
                    CALIBRATED: not recipe.careful,
                    "calibration": len(calibration),
                    **{package: version(package) for package in _NEEDED},
                },
            )
            build.write(aside)
            agreement = compare(expected, OpenVINOEncoder(name, build=aside).encode(held_back), reference.passport)
            if not agreement.complaints:
                build = replace(build, agreement=asdict(agreement))
                build.write(aside)
                progress.finish()
                return build
            tried.append(f"{recipe.name}: {', '.join(agreement.complaints)}")
        raise EncoderError(
            f"No int8 build of {name} agrees with it, on {len(held_back)} sentences: {'; '.join(tried)}. Nothing was "
            "written; it is used with torch."
        )


def _missing() -> list[str]:
    return [name for name in _NEEDED if importlib.util.find_spec(name) is None]


def _split(sentences: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return sentences to calibrate with, and others to compare on, both spread evenly over what there is."""
    own = _spread([text for text in dict.fromkeys(sentences) if text.strip()], CALIBRATION + COMPARED)
    pool = list(dict.fromkeys([*own, *bundled_sentences()]))[: CALIBRATION + COMPARED]
    calibration = _spread(pool, CALIBRATION)
    taken = set(calibration)
    return calibration, [text for text in pool if text not in taken]


def _longer(sentences: Sequence[str]) -> list[str]:
    """Return texts of several of the sentences, as those that are not split into sentences have."""
    draw = random.Random(_SEED)  # noqa: S311 - the same sentences make the same build
    return [" ".join(draw.choices(sentences, k=count)) for count in _JOINED for _ in range(_LONG)]


def _spread(texts: Sequence[str], count: int) -> list[str]:
    """Return at most `count` of the texts, evenly spaced."""
    if len(texts) <= count:
        return list(texts)
    return [texts[number * len(texts) // count] for number in range(count)]
