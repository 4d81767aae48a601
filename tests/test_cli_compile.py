"""`kindred compile`, the build that `kindred finetune` makes, and `--backend`."""

import json
import shutil
from pathlib import Path

import pytest

from search.errors import OutputError
from search.fast_build import build_folder
from tests.cli_runner import refuse, run, succeed

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep compiled models out of the real cache; to a model of random weights all texts are near."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr("search.agreement.LEAST_OVERLAP", 0.5)
    monkeypatch.setattr("search.agreement.LEAST_LABELS", 0.5)


@pytest.fixture
def bare(small_bert: Path, tmp_path: Path) -> Path:
    """Give a plain model without a build."""
    return Path(shutil.copytree(small_bert, tmp_path / "bare"))


def test_compile_makes_the_build_that_the_other_commands_use(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused before, used after, overridden by the option; each time the backend is told on standard error."""
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("the room was good\nbad food\nvery kind staff\n", encoding="utf-8")
    index = ["index", corpus, "--encoder", bare, "--out", tmp_path / "index", "--overwrite"]
    assert "has no fast build; make one with: kindred compile" in refuse(capsys, *index, "--backend", "openvino")
    assert f"{bare}, torch (faster after: kindred compile {bare})" in run(capsys, *index).err

    told = succeed(capsys, "compile", bare, "--sentences", corpus, "--json")
    assert json.loads(told)["sentences"] == 1000
    assert json.loads(told)["cosine_mean"] >= 0.995
    assert f"Encoder: {bare}, openvino\n" in run(capsys, *index).err
    (info,) = (json.loads(line) for line in succeed(capsys, "info", tmp_path / "index", "--json").splitlines())
    assert info["encoder"]["backend"] == "openvino"
    assert f"Encoder: {bare}, torch\n" in run(capsys, "query", tmp_path / "index", "food", "--backend", "torch").err
    assert "openvino" in run(capsys, "duplicates", corpus, "--encoder", bare).err


def test_compile_says_how_the_build_agrees(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line with the three figures that were measured; without labels there are two."""
    told = succeed(capsys, "compile", bare)
    assert told.startswith("Fast build: on 1,000 sentences it keeps mean cosine ")
    assert "of the 10 nearest" in told
    assert "labels" not in told


def test_compile_refuses_what_is_no_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without configuration is named."""
    assert "is no checkpoint" in refuse(capsys, "compile", tmp_path)


def test_figures_come_before_the_build_whose_failure_loses_nothing(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever keeps the build from being made, figures are printed, the checkpoint stays, and the exit code is 0."""
    printed = ""

    def fail(*_: object, **__: object) -> None:
        nonlocal printed
        printed = capsys.readouterr().out
        raise OutputError("There is no room.")

    monkeypatch.setattr("search.compiling.compile_encoder", fail)
    labels, out = tmp_path / "labels.csv", tmp_path / "checkpoint"
    labels.write_text("text,label\ngood,1\nlovely,1\nbad,0\nawful,0\n", encoding="utf-8")
    outcome = run(capsys, "finetune", labels, "--base", bare, "--out", out, "--method", "head")
    assert outcome.code == 0
    assert printed.startswith("Nothing was held back; cross-validated on the base's features, 4 rows: accuracy ")
    assert "No fast build: There is no room. The checkpoint is whole and runs with torch" in outcome.err
    assert outcome.out.startswith(f"Checkpoint: {out}")
    assert (out / "modules.json").exists()


def test_an_interrupted_build_leaves_the_checkpoint_and_says_how_to_go_on(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command would be refused, for the checkpoint is there: the one that makes the build is named."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("search.compiling.compile_encoder", interrupt)
    labels, out = tmp_path / "labels.csv", tmp_path / "checkpoint"
    labels.write_text("text,label\ngood,1\nlovely,1\nbad,0\nawful,0\n", encoding="utf-8")
    outcome = run(capsys, "finetune", labels, "--base", bare, "--out", out, "--method", "head")
    assert outcome.code == 130
    assert f"No fast build yet. The checkpoint is whole and runs with torch; kindred compile {out}" in outcome.err
    assert (out / "modules.json").exists()


@pytest.mark.parametrize(
    ("least", "extra", "said"),
    [
        (0.5, [], "Fast build: on 1,000 sentences it keeps mean cosine"),
        (1.1, [], "No fast build: No int8 build of"),
        (0.5, ["--no-fast"], ""),
    ],
)
def test_finetune_makes_the_build_or_says_why_not(
    least: float,
    extra: list[str],
    said: str,
    bare: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The build is made at the end; where it does not agree, or is not wanted, the checkpoint is there without it."""
    monkeypatch.setattr("search.agreement.LEAST_COSINE", least)
    labels = tmp_path / "labels.csv"
    rows = [f"very {word} {end},{label}" for label, word in (("1", "good"), ("0", "bad")) for end in ".!?abcdef"]
    labels.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    out = tmp_path / "checkpoint"
    outcome = run(capsys, "finetune", labels, "--base", bare, "--out", out, "--epochs", 1, *extra)
    assert outcome.code == 0, outcome.err
    assert said in outcome.out + outcome.err
    assert (out / "modules.json").exists()
    assert build_folder(out).exists() == (least < 1 and not extra)
