"""One contract for both encoders, and what the fast one adds: bitwise equal rows in any company, and clear refusals."""

import json
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.agreement import compare
from search.checkpoint import Card
from search.compiling import bundled_sentences, compile_encoder
from search.encoder import Encoder
from search.encoder_huggingface import HuggingFaceEncoder
from search.encoder_openvino import OpenVINOEncoder
from search.encoders import Backend, choose, load_encoder
from search.errors import EncoderError, OptionError, OutputError
from search.fast_build import GRAPH, REPORT, TOKENIZER, WEIGHTS, FastBuild, build_folder
from search.files import sha256_of_file
from search.openvino_engine import Engine
from search.openvino_queries import COMPILING
from search.similarity import Labels, Scale
from tests.cli_runner import tree

pytestmark = pytest.mark.slow

TEXTS = [
    "the room was good",
    "bad food",
    "the staff were rude and loud, again",
    "bad food",
    "caf\u00e9 \u2764 \u6e29\u6cc9",
    "x" * 3000,
    "very",
    "the room\nwas good",
    "",
    "the breakfast was cold and we were not happy, never again in this hotel " * 9,
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a user's cache of its own."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep compiled models out of the real cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


def _checkpoint(small_bert: Path, folder: Path) -> Path:
    """Put three feelings on the small BERT, as a fine-tuned checkpoint has them."""
    import torch

    from search.joint import joint_model, load_base

    labels = Labels(("low", "middle", "high"), Scale.ORDINAL)
    model = joint_model(load_base(small_bert), None, labels)
    dense: Any = model[2]
    with torch.no_grad():
        dense.linear.weight[32:, :32] = torch.randn(3, 32, generator=torch.Generator().manual_seed(3))
    model.save(str(folder), create_model_card=False)
    Card(labels, temperature=2.0, default_weight=0.45).write(folder)
    return folder


@pytest.fixture(scope="module", params=["plain", "labelled"])
def built(
    request: pytest.FixtureRequest, small_bert: Path, tmp_path_factory: pytest.TempPathFactory, cache: Path
) -> Path:
    """Build a checkpoint, plain or with labels, once for this file."""
    folder: Path = tmp_path_factory.mktemp("built") / request.param
    if request.param == "plain":
        shutil.copytree(small_bert, folder)
    else:
        _checkpoint(small_bert, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        patch.setattr("search.agreement.LEAST_OVERLAP", 0.85)  # to a model of random weights all texts are near
        compile_encoder(str(folder))
    return folder


@pytest.fixture(params=["torch", "openvino"])
def encoder(request: pytest.FixtureRequest, built: Path) -> Encoder:
    """Load the same checkpoint with each backend."""
    return load_encoder(str(built), backend=Backend(request.param), device="cpu")


def test_rows_are_unit_blocks_in_the_order_of_the_texts(encoder: Encoder) -> None:
    """float32 in one piece, as wide as the passport says, each block of length 1; the order given is kept."""
    encoded = encoder.encode(TEXTS)
    dim = encoder.passport.meaning_dim
    assert encoded.rows.dtype == np.dtype(np.float32)
    assert encoded.rows.flags["C_CONTIGUOUS"]
    assert encoded.rows.shape == (len(TEXTS), encoder.passport.width)
    np.testing.assert_allclose(np.linalg.norm(encoded.rows[:, :dim], axis=1), 1.0, atol=1e-6)
    if encoder.passport.labels:
        np.testing.assert_allclose(np.linalg.norm(encoded.rows[:, dim:], axis=1), 1.0, atol=1e-6)
        np.testing.assert_allclose(encoded.probabilities.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(encoder.encode(TEXTS[::-1]).rows[::-1], encoded.rows, atol=2e-6)


def test_equal_texts_have_equal_rows_whatever_the_batch(encoder: Encoder) -> None:
    """Twice in one call, a newline for a space, alone, or among others: the same row, to rounding."""
    rows = encoder.encode(TEXTS).rows
    np.testing.assert_array_equal(rows[1], rows[3])
    np.testing.assert_allclose(rows[0], rows[7], atol=2e-6)
    for text, row in zip(TEXTS, rows, strict=True):
        np.testing.assert_allclose(encoder.encode([text]).rows[0], row, atol=2e-6)


def test_no_texts_give_no_rows_of_the_full_width(encoder: Encoder) -> None:
    """The empty list gives (0, d+s), and as many columns of probabilities as there are labels."""
    encoded = encoder.encode([])
    classes = len(encoder.passport.labels.names) if encoder.passport.labels else 0
    assert (encoded.rows.shape, encoded.probabilities.shape) == ((0, encoder.passport.width), (0, classes))


def test_long_texts_are_cut_where_the_reference_cuts_them(encoder: Encoder) -> None:
    """What comes after the 64 tokens that the model reads changes nothing."""
    long = "the room was good . " * 30
    whole, longer = encoder.encode([long, long + "bad food"]).rows
    np.testing.assert_allclose(whole, longer, atol=2e-6)


def test_both_are_one_encoder(built: Path) -> None:
    """One fingerprint, width and labels; the backend tells them apart; rows agree to a cosine of 0.995 and more."""
    fast, reference = OpenVINOEncoder(str(built)), HuggingFaceEncoder(str(built), device="cpu")
    assert (fast.passport.backend, reference.passport.backend) == ("openvino", "torch")
    for name in ("name", "fingerprint", "meaning_dim", "labels", "default_weight", "width"):
        assert getattr(fast.passport, name) == getattr(reference.passport, name)
    texts = bundled_sentences()[:300]
    agreement = compare(reference.encode(texts), fast.encode(texts), fast.passport)
    assert (agreement.sentences, agreement.overlap is None) == (300, False)
    assert agreement.cosine_mean >= 0.999
    assert agreement.labels is None or agreement.labels >= 0.96


def test_the_fast_rows_are_bitwise_equal_in_any_company(built: Path) -> None:
    """On one core or on all, forwards, backwards or in part: not a bit differs."""
    encoder = OpenVINOEncoder(str(built))
    texts = bundled_sentences()[:400] + TEXTS
    rows = encoder.encode(texts).rows
    np.testing.assert_array_equal(encoder.encode(texts[::-1]).rows[::-1], rows)
    np.testing.assert_array_equal(encoder.encode(texts[350:]).rows, rows[350:])
    np.testing.assert_array_equal(encoder.encode([texts[5]]).rows[0], rows[5])


def test_a_query_is_run_alone(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One text is one row of a batch; rows of nothing beside it would take as long as it does."""
    encoder = OpenVINOEncoder(str(built))
    run, sizes = encoder._run, set[int]()

    def noted(batches: Any, *others: Any) -> None:
        batches = list(batches)
        sizes.update(len(batch.numbers) for batch in batches)
        run(iter(batches), *others)

    monkeypatch.setattr(encoder, "_run", noted)
    for text in TEXTS:
        encoder.encode([text])
    assert sizes == {1}


def _compiled() -> None:
    """Wait until what is compiled for queries is there."""
    for thread in threading.enumerate():
        if thread.name == COMPILING:
            thread.join()


def test_many_queries_are_run_by_models_of_their_length_with_the_same_bits(built: Path) -> None:
    """From the sixteenth query on, texts of up to 32 tokens have a model for about their length; no row changes."""
    encoder = OpenVINOEncoder(str(built))
    texts = [" ".join(["room"] * count) for count in range(1, 62)] + TEXTS
    rows = encoder.encode(texts).rows
    for number in range(15):
        encoder.encode([TEXTS[number % len(TEXTS)]])
        _compiled()
    assert not encoder._queries._requests
    encoder.encode(["very"])
    _compiled()
    lengths = [(found := encoder._queries.find(tokens)) and found[0] for tokens in (1, 16, 17, 32, 33)]
    assert lengths == [16, 16, 24, 32, None]
    for text, row in zip(texts, rows, strict=True):
        np.testing.assert_array_equal(encoder.encode([text]).rows[0], row)


def test_a_build_that_is_not_known_to_be_calibrated_is_run_in_one_way(built: Path, tmp_path: Path) -> None:
    """One of an earlier version, or with ranges of each row, could give a query other bits than its text among many."""
    shutil.copytree(built, tmp_path / "checkpoint")
    report = build_folder(tmp_path / "checkpoint") / REPORT
    assert json.loads(report.read_text(encoding="utf-8"))["made"]["calibrated"] is True
    _change(report, made={"recipe": "int8"})
    encoder = OpenVINOEncoder(str(tmp_path / "checkpoint"))
    for number in range(20):
        encoder.encode([TEXTS[number % len(TEXTS)]])
    _compiled()
    assert not encoder._queries._requests


def test_a_checkpoint_that_goes_away_leaves_queries_as_they_were(
    built: Path, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """Without its files nothing is compiled for lengths; queries are answered, and no thread ends with an error."""
    folder = tmp_path / "checkpoint"
    shutil.copytree(built, folder)
    encoder = OpenVINOEncoder(str(folder))
    row = encoder.encode(["very"]).rows
    (build_folder(folder) / WEIGHTS).rename(tmp_path / "away")
    for _ in range(20):
        np.testing.assert_array_equal(encoder.encode(["very"]).rows, row)
    _compiled()
    assert not encoder._queries._requests
    assert not [warned for warned in recwarn if "thread" in str(warned.category).lower()]


def test_the_encoder_that_ships_gives_a_text_the_same_bits_in_every_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone, by a model for its length, among few and among many; some 20 to 100 tokens, which a small model hides."""
    monkeypatch.setattr("search.encoder_openvino._MANY", 200)
    encoder = OpenVINOEncoder()
    some = bundled_sentences()[:600]
    texts = some[::2] + [" ".join(some[at : at + 2 + at % 3]) for at in range(0, 600, 6)]
    rows = encoder.encode(texts).rows
    few = [encoder.encode(texts[at : at + 50]).rows for at in range(0, len(texts), 50)]
    np.testing.assert_array_equal(np.concatenate(few), rows)
    for text in texts[:20]:
        encoder.encode([text])
    _compiled()
    assert encoder._queries._requests
    for text, row in zip(texts, rows, strict=True):
        np.testing.assert_array_equal(encoder.encode([text]).rows[0], row)


def test_more_texts_than_a_window_stay_in_order(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are sorted by length within a window only; the rows come back in the order given."""
    encoder = OpenVINOEncoder(str(built))
    texts = bundled_sentences()[:60]
    expected = encoder.encode(texts).rows
    monkeypatch.setattr("search.encoder_openvino._WINDOW", 7)
    np.testing.assert_array_equal(encoder.encode(texts).rows, expected)


def test_a_build_says_what_it_is(built: Path) -> None:
    """The report holds fingerprint, width, hashes and agreement; the fingerprint leaves the build out."""
    report = FastBuild.read(build_folder(built))
    assert report is not None
    assert report.fingerprint == HuggingFaceEncoder(str(built)).passport.fingerprint
    assert report.max_length == 64
    assert report.agreement["cosine_mean"] is not None
    assert report.agreement["cosine_mean"] >= 0.995
    report.check(build_folder(built))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / WEIGHTS).write_bytes(b"short"), "openvino_model.bin is damaged"),
        (lambda f: (f / GRAPH).unlink(), "openvino_model.xml is missing"),
        (lambda f: (f / TOKENIZER).write_text("{}"), "tokenizer.json is damaged"),
        (lambda f: (f / REPORT).write_text("{}"), "report.json: damaged"),
        (lambda f: (f / REPORT).write_text("no"), "report.json: damaged"),
        (lambda f: _change(f / REPORT, format=9), "format 9, this version reads 1"),
        (lambda f: _change(f / REPORT, fingerprint="0" * 64), "was made of other weights"),
        (lambda f: (f / REPORT).unlink(), "has no fast build; make one with: kindred compile"),
    ],
)
def test_a_damaged_build_is_refused(
    damage: Callable[[Path], object], said: str, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind of damage is named with its file and what to do, where nothing compiled is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copytree(built, tmp_path / "checkpoint")
    damage(build_folder(tmp_path / "checkpoint"))
    with pytest.raises(EncoderError, match="kindred compile") as told:
        OpenVINOEncoder(str(tmp_path / "checkpoint"))
    assert said in str(told.value)


def _change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def test_what_openvino_cannot_read_is_our_error(built: Path, tmp_path: Path) -> None:
    """A graph that is whole by its hash but no graph is refused with OpenVINO's version and reason."""
    folder = build_folder(tmp_path)
    shutil.copytree(build_folder(built), folder)
    report = FastBuild.read(folder)
    assert report is not None
    (folder / GRAPH).write_text("<net></net>", encoding="utf-8")
    files = {**report.files, GRAPH: sha256_of_file(folder / GRAPH)}
    changed = FastBuild(report.fingerprint, report.width, report.max_length, files)
    with pytest.raises(EncoderError, match=r"cannot be run by OpenVINO 2026.*kindred compile"):
        Engine(folder, changed).compiled({})


def test_the_compiled_model_is_kept_and_made_anew_where_it_is_damaged(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file in the user's cache; cut short, or where none can be written, the rows are the same."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rows = OpenVINOEncoder(str(built)).encode(TEXTS).rows
    (kept,) = (tmp_path / "kindred" / "compiled").iterdir()
    start = kept.read_bytes()[:1000]
    kept.unlink()
    kept.write_bytes(start)
    np.testing.assert_array_equal(OpenVINOEncoder(str(built)).encode(TEXTS).rows, rows)
    assert kept.stat().st_size > 1000
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    np.testing.assert_array_equal(OpenVINOEncoder(str(built)).encode(TEXTS).rows, rows)


def test_a_build_that_does_not_agree_is_refused_with_its_figures(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the least cosine nothing is written, a build that was there stays, and both figures are named."""
    folder = tmp_path / "checkpoint"
    shutil.copytree(built, folder)
    before = tree(folder)
    monkeypatch.setattr("search.agreement.LEAST_COSINE", 1.1)
    with pytest.raises(EncoderError, match=r"mean cosine [01]\.\d+ \(at least 1\.1\).*careful int8: mean cosine"):
        compile_encoder(str(folder))
    assert tree(folder) == before


def test_a_folder_of_another_origin_is_not_replaced(built: Path, tmp_path: Path) -> None:
    """`openvino/` without our report stays, unless asked."""
    folder = tmp_path / "checkpoint"
    shutil.copytree(built, folder)
    (build_folder(folder) / REPORT).unlink()
    with pytest.raises(OutputError, match="was not made by kindred; replace it with --overwrite"):
        compile_encoder(str(folder))


def test_a_missing_library_is_named(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without nncf there is no build, and the message carries the pip line."""
    monkeypatch.setattr("search.compiling._NEEDED", ("nncf", "no_such_library"))
    with pytest.raises(OptionError, match=r"no_such_library; install with: pip install 'kindred\[compile\]'"):
        compile_encoder(str(built))


def test_the_backend_is_chosen_and_the_reason_told(
    built: Path, small_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build is used where there is one; not on a device, nor without openvino; the option overrides."""
    assert choose(str(built)).backend is Backend.OPENVINO
    assert choose(str(built), backend=Backend.TORCH).backend is Backend.TORCH
    on_device = choose(str(built), device="cpu")
    assert (on_device.backend, on_device.reason) == (Backend.TORCH, "on cpu")
    bare = choose(str(small_bert))
    assert (bare.backend, bare.reason) == (Backend.TORCH, f"faster after: kindred compile {small_bert}")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert choose(str(built)).reason == "faster after: pip install openvino"


def test_nothing_reports_its_use() -> None:
    """Neither building nor running imported what would report it to OpenVINO's maker."""
    assert "openvino_telemetry" not in sys.modules
