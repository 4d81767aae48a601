"""Questions that cannot be asked: options out of range, and sentiment that an encoder does not know."""

from pathlib import Path

import pytest

from tests.cli_runner import refuse, run, toy_index
from tests.toy import EMOTIONS, FEELINGS, ToyEncoder

TEXTS = ["the room was good", "the food was bad", "the staff"]


@pytest.fixture
def index(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Index three sentences with the labels that the test names: none, ordinal or nominal ones."""
    return toy_index(tmp_path / "index", TEXTS, ToyEncoder(getattr(request, "param", FEELINGS)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-k", "0"], "k is 0; it must be 1 or more."),
        (["-k", "-3"], "k is -3; it must be 1 or more."),
        (["--weight", "1.01"], "weight is 1.01; it must lie between 0 (meaning only) and 1 (sentiment only)."),
        (["--weight", "-0.5"], "weight is -0.5; it must lie between 0 (meaning only) and 1 (sentiment only)."),
        (["--weight", "nan"], "weight is nan; it must lie between 0"),
        (["--sentiment", "happy"], "No label 'happy'; this encoder knows negative, neutral, positive."),
        (["--sentiment", "any", "--weight", "0.5"], "weight is 0.5, but sentiment 'any' means 0"),
    ],
)
def test_query_options_out_of_range_are_refused(
    options: list[str], message: str, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`query` names the value and the range, before it loads an encoder."""
    assert message in refuse(capsys, "query", index, "the room", *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--threshold", "1.1"], "threshold is 1.1; scores lie between -1 and 1."),
        (["--threshold", "-1.5"], "threshold is -1.5; scores lie between -1 and 1."),
        (["--threshold", "nan"], "threshold is nan; scores lie between -1 and 1."),
        (["--weight", "2"], "weight is 2; it must lie between 0"),
    ],
)
def test_duplicates_options_out_of_range_are_refused(
    options: list[str], message: str, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`duplicates` names the value and the range."""
    assert message in refuse(capsys, "duplicates", index, *options)


@pytest.mark.parametrize("index", [None], indirect=True)
@pytest.mark.parametrize("sentiment", ["same", "opposite", "positive"])
def test_sentiment_of_an_encoder_without_labels_is_refused(
    sentiment: str, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An encoder that knows meaning only says so, and how to get one that knows more."""
    message = refuse(capsys, "query", index, "the room", "--sentiment", sentiment)
    assert "The encoder toy knows meaning only" in message
    assert "kindred finetune" in message


@pytest.mark.parametrize("index", [None], indirect=True)
@pytest.mark.parametrize("command", ["query", "duplicates"])
def test_a_weight_for_an_encoder_without_labels_is_refused(
    command: str, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A weight of sentiment is not silently dropped where there is no sentiment."""
    words = ["the room"] if command == "query" else []
    assert "The encoder toy knows meaning only" in refuse(capsys, command, index, *words, "--weight", "0.3")


@pytest.mark.parametrize("index", [EMOTIONS], indirect=True)
def test_the_opposite_of_nominal_labels_is_refused(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Labels without an order have no opposite; the message names them."""
    message = refuse(capsys, "query", index, "the room", "--sentiment", "opposite")
    assert "'opposite' needs labels with an order; this encoder's are nominal (anger, fear, joy)." in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["qurey"], "No such command 'qurey'"),
        (["query"], "Missing argument 'INDEX'"),
        (["index"], "Missing argument 'FILES...'"),
        (["finetune"], "Missing argument 'FILES...'"),
        (["duplicates"], "Missing argument 'INPUTS...'"),
        (["evaluate"], "Missing argument 'FILES...'"),
        (["info"], "Missing argument 'INDEX'"),
        (["query", "hotels", "-k", "many"], "'many' is not a valid integer"),
        (["index", "a.txt", "--unit", "word"], "'word' is not one of 'line', 'sentence', 'paragraph', 'document'"),
        (["finetune", "a.csv", "--dry"], "No such option '--dry'"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be parsed is exit code 2, with the usage line."""
    outcome = run(capsys, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert outcome.err.startswith("Usage: ")
