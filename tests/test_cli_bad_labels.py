"""Labels that nothing can be learned from, and training options out of range."""

from pathlib import Path

import pytest

from tests.cli_runner import refuse, tree

FILE = "labels.csv"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder that holds what looks like an encoder: it is not loaded before the data is read."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text("{}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _refused(folder: Path, capsys: pytest.CaptureFixture[str], content: str, *options: object) -> str:
    (folder / FILE).write_text(content, encoding="utf-8")
    before = tree(folder)
    message = refuse(capsys, "finetune", FILE, "--base", "base", "--out", "out", *options)
    assert tree(folder) == before
    return message


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        pytest.param(
            "text,label\ngood,1\nbad,0\n",
            ["--label-column", "mood"],
            "labels.csv: no column 'mood'; the columns are text, label.",
            id="label-column-not-there",
        ),
        pytest.param(
            "text,label\ngood,1\nbad,0\n",
            ["--text-column", "review"],
            "labels.csv: no column 'review'; the columns are text, label.",
            id="text-column-not-there",
        ),
        pytest.param(
            "a,b,c\ngood,1,2\n",
            [],
            "labels.csv: which column? Name it with --label-column; the columns are a, b, c.",
            id="no-usual-name",
        ),
        pytest.param(
            "text,label\ngood,1\nfine,1\nlovely,1\n",
            [],
            "All rows have the label '1'; fine-tuning needs two labels or more.",
            id="one-label",
        ),
        pytest.param(
            "text,label\ngood,joy\nbad,anger\ncold,fear\n",
            [],
            "Label 'joy' has one row (labels.csv:2) of 3; give it two or more, or take it out.",
            id="as-many-labels-as-rows",
        ),
        pytest.param(
            "text,label\ngood,1\nfine,1\nbad,0\nrude,0\ncold,2\n",
            [],
            "Label '2' has one row (labels.csv:6) of 5; give it two or more, or take it out.",
            id="a-label-with-one-row",
        ),
        pytest.param(
            "text,label\ngood,1\n", [], "All rows have the label '1'; fine-tuning needs two labels", id="one-row"
        ),
        pytest.param(
            "text,label\ngood,1\nbad,0\n",
            ["--ordinal", "0,1,2"],
            "--ordinal names 0, 1, 2; the data's labels are 0, 1.",
            id="ordinal-names-others",
        ),
    ],
)
def test_useless_labels_are_refused(
    content: str, options: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the column, the label with its line, or both sets of labels; nothing is left."""
    assert message in _refused(folder, capsys, content, *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seed", "-1"], "seed is -1; it must lie between 0 and 4294967295."),
        (["--seed", "4294967296"], "seed is 4294967296; it must lie between 0 and 4294967295."),
        (["--ordinal", ""], "--ordinal names ; the data's labels are 0, 1."),
        (["--epochs", "0"], "epochs is 0; it must be 1 or more."),
        (["--batch-size", "0"], "batch_size is 0; it must be 1 or more."),
        (["--max-length", "-1"], "max_length is -1; it must be 1 or more."),
        (["--learning-rate", "0"], "learning_rate is 0; it must be above 0."),
        (["--validation", "1"], "validation is 1; it must lie between 0 and 1 (1 excluded)."),
        (["--validation", "-0.1"], "validation is -0.1; it must lie between 0 and 1 (1 excluded)."),
        (["--keep-meaning", "-1"], "keep_meaning is -1; it must be 0 or more."),
        (["--ordinal", "0,1", "--nominal"], "--ordinal and --nominal contradict each other; give one."),
    ],
)
def test_training_options_out_of_range_are_refused(
    options: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every training option has a range, and the message names the value and the range."""
    assert message in _refused(folder, capsys, "text,label\ngood,1\nbad,0\n", *options)
