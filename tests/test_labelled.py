"""Labelled texts: every row with its line, and labels in the right order."""

import hashlib
from pathlib import Path

import pytest

from search.errors import InputError, OptionError
from search.labelled import LabelledCorpus, LabelledText, order_labels
from search.records import Source
from search.similarity import Labels, Scale


def written(folder: Path, name: str, content: str) -> str:
    """Write a file and return its name."""
    path = folder / name
    path.write_text(content, encoding="utf-8", newline="")
    return str(path)


def pairs(corpus: LabelledCorpus) -> list[tuple[str, str]]:
    """Read a corpus and return texts and labels alone."""
    return [(row.text, row.label) for row in corpus]


def counted(*names: str) -> dict[str, int]:
    """Count each label once."""
    return dict.fromkeys(names, 1)


def test_rows_and_sources(tmp_path: Path) -> None:
    """Rows come in order with trimmed text, label and line; each file is a source with hash and count."""
    contents = ['text,label\n" schön ",positive\n"a\nb", negative \n\n\u00fcbel,negative\n', "label\ttext\n1\tx\n"]
    files = [written(tmp_path, name, content) for name, content in zip(["a.csv", "b.tsv"], contents, strict=True)]
    corpus = LabelledCorpus(files)
    assert list(corpus) == [
        LabelledText("schön", "positive", files[0], 2),
        LabelledText("a\nb", "negative", files[0], 3),
        LabelledText("übel", "negative", files[0], 6),
        LabelledText("x", "1", files[1], 2),
    ]
    assert corpus.sources == [
        Source(file, len(content.encode()), hashlib.sha256(content.encode()).hexdigest(), count)
        for file, content, count in zip(files, contents, (3, 1), strict=True)
    ]


def test_columns(tmp_path: Path) -> None:
    """The usual columns are found, the label's first; each can be named instead."""
    file = written(tmp_path, "a.csv", "title,review,stars,mood\nT,R,5,calm\n")
    assert pairs(LabelledCorpus([file])) == [("R", "5")]
    assert pairs(LabelledCorpus([file], text_column="title")) == [("T", "5")]
    assert pairs(LabelledCorpus([file], label_column="mood")) == [("R", "calm")]
    assert pairs(LabelledCorpus([file], text_column="mood", label_column="title")) == [("calm", "T")]
    assert pairs(LabelledCorpus([written(tmp_path, "b.csv", "words,label\nw,1\n")])) == [("w", "1")]


def test_labels_of_other_types(tmp_path: Path) -> None:
    """Numbers and booleans of JSONL become names, whole numbers without a decimal point."""
    lines = "".join(f'{{"text": "t", "label": {value}}}\n' for value in ("1", "2.0", "2.5", "true", "0", '" x "'))
    labels = [label for _, label in pairs(LabelledCorpus([written(tmp_path, "a.jsonl", lines)]))]
    assert labels == ["1", "2", "2.5", "True", "0", "x"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\nx,1\n ,0\n", r"a\.csv:3: no text in column 'text'"),
        ("a.csv", "text,label\nx, \n", r"a\.csv:2: no label in column 'label'"),
        ("a.jsonl", '{"text": "x", "label": 1}\n{"text": "y"}\n', r"a\.jsonl:2: no label"),
        ("a.jsonl", '{"text": "x", "label": 1}\n{"label": 1}\n', r"a\.jsonl:2: no text"),
        ("a.jsonl", '{"text": 7, "label": 1}\n', r"a\.jsonl:1: no text"),
        (
            "a.jsonl",
            '{"text": "x", "label": ["joy", "fear"]}\n',
            r"a\.jsonl:1: .*\['joy', 'fear'\]; a row has one",
        ),
        ("a.csv", "text,label\n", r"a\.csv: no rows in it"),
        ("a.csv", "a,b,c\n1,2,3\n", r"which column\? Name it with --label-column"),
        ("a.csv", "a,b,label\n1,2,3\n", r"which column\? Name it with --text-column"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    """A row without text or label stops everything, with its line; so does a file without rows or columns."""
    with pytest.raises(InputError, match=message):
        list(LabelledCorpus([written(tmp_path, name, content)]))


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    """A column named but not there is an error that lists those that are."""
    file = written(tmp_path, "a.csv", "text,label\nx,1\n")
    for corpus in (LabelledCorpus([file], text_column="body"), LabelledCorpus([file], label_column="body")):
        with pytest.raises(InputError, match="no column 'body'; the columns are text, label"):
            list(corpus)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (counted("10", "9", "-1"), ("-1", "9", "10")),
        (counted("2.5", "1"), ("1", "2.5")),
        (counted("positive", "negative", "neutral"), ("negative", "neutral", "positive")),
        (counted("Good", "bad"), ("bad", "Good")),
        (counted("+", "-"), ("-", "+")),
        (counted("excellent", "ok", "terrible", "pos", "neg"), ("terrible", "neg", "ok", "pos", "excellent")),
    ],
)
def test_known_orders(given: dict[str, int], expected: tuple[str, ...]) -> None:
    """Numbers are ordered by value, not as text, and the usual names of feelings from bad to good."""
    assert order_labels(given) == Labels(expected, Scale.ORDINAL)
    assert order_labels(given, nominal=True) == Labels(tuple(sorted(given)), Scale.NOMINAL)


@pytest.mark.parametrize(
    "names",
    [
        ("joy", "anger"),
        ("positive", "joy"),
        ("pos", "positive", "neg"),
        ("1", "two"),
        ("1", "0", "nan"),
        ("1", "1.0", "2"),
    ],
)
def test_no_known_order(names: tuple[str, ...]) -> None:
    """Other names, two names of one step, a mixture of numbers and names, and nan are nominal, sorted by name."""
    assert order_labels(counted(*names)) == Labels(tuple(sorted(names)), Scale.NOMINAL)


def test_order_is_not_that_of_the_rows() -> None:
    """Which label comes first in the data changes nothing."""
    names = ("positive", "negative", "neutral")
    assert len({order_labels(counted(*names[turn:], *names[:turn])) for turn in range(3)}) == 1


def test_order_by_hand() -> None:
    """`ordinal` gives the order, lowest first, over any known one; it must name each label once."""
    given = counted("cold", "hot", "warm")
    assert order_labels(given, ordinal=["cold", "warm", "hot"]) == Labels(("cold", "warm", "hot"), Scale.ORDINAL)
    assert order_labels(counted("1", "2"), ordinal=["2", "1"]).names == ("2", "1")
    for wrong in (["cold", "warm"], ["cold", "warm", "hot", "icy"], ["cold", "warm", "hot", "hot"], ["a", "b", "c"]):
        with pytest.raises(OptionError, match=r"--ordinal names .*; the data's labels are cold, hot, warm"):
            order_labels(given, ordinal=wrong)


def test_one_label() -> None:
    """One label is an error that names it."""
    with pytest.raises(OptionError, match="All rows have the label 'good'"):
        order_labels({"good": 5})
