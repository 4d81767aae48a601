"""The arithmetic of the comparison with other libraries, on made-up figures; none of them is installed or run."""

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from limits import alternating, operations, products
from peer_figures import FIGURES, PANELS, markdown, middle, of, peers, percentile, plot, ratios, sizes, table
from peers import PEERS, RUNNERS, distinct, main, spaced
from watched import run


def _record(peer: str, number: int, seconds: float, size: int = 100, part: str = "index") -> dict[str, Any]:
    return {"part": part, "peer": peer, "size": size, "round": number, "seconds": seconds, "cpu_seconds": 2 * seconds}


RECORDS = [
    _record("langchain", 0, 8.0),
    _record("kindred", 0, 2.0),
    _record("kindred", 1, 10.0),
    _record("langchain", 1, 50.0),
    _record("langchain", 2, 18.0),
    _record("kindred", 2, 3.0),
    _record("kindred", 3, 1.0),
]
"""Rounds in which the machine was five times slower, and one that was not finished."""


@pytest.mark.parametrize(("percent", "expected"), [(50, 100), (99, 198), (100, 200), (0, 1), (0.4, 1)])
def test_percentile_is_the_nearest_rank(percent: float, expected: int) -> None:
    """Of 1 to 200 in any order, half do not exceed 100, and 99 % do not exceed 198."""
    assert percentile(list(range(200, 0, -1)), percent) == expected


def test_percentile_of_one_value_is_that_value() -> None:
    """One query is its own median and its own worst."""
    assert percentile([7.0], 50) == percentile([7.0], 99) == 7.0


def test_ratios_are_formed_within_a_round() -> None:
    """8/2, 50/10, 18/3: rounds without both do not count, and the order of records does not matter."""
    assert ratios(RECORDS, "langchain", "seconds") == [4.0, 5.0, 6.0]
    assert ratios(RECORDS[::-1], "langchain", "seconds") == [4.0, 5.0, 6.0]
    assert ratios(RECORDS, "kindred", "seconds") == [1.0] * 4
    assert ratios(RECORDS, "chroma", "seconds") == []


def test_medians_leave_out_what_was_not_measured() -> None:
    """Anonymous memory is not known everywhere."""
    assert middle(RECORDS, "seconds") == 8.0
    assert middle([{"anonymous_mb": None}, {"anonymous_mb": 3.0}, {}], "anonymous_mb") == 3.0
    assert middle(RECORDS, "anonymous_mb") is None


def test_records_are_chosen_by_part_and_size() -> None:
    """A part's sizes, smallest first; kindred comes first among those measured."""
    records = [*RECORDS, _record("kindred", 0, 1.0, size=10), _record("kindred", 0, 1.0, size=7, part="cold")]
    assert sizes(records, "index") == [10, 100]
    assert len(of(records, "index", 10)) == 1
    assert len(of(records, "index")) == 8
    assert peers(records) == ["kindred", "langchain"]


def test_a_table_shows_medians_and_ratios() -> None:
    """Medians of 2, 10, 3, 1 and of 8, 50, 18, the median of ratios and their span; a dash for what is not known."""
    titles, lines = table(RECORDS, "index", 100)
    assert titles[:5] == ["", "s", "times kindred", "CPU s", "times kindred"]
    assert lines[0][:3] == ["kindred", "2.5", "1.0 (1.0 to 1.0)"]
    assert lines[1][:5] == ["langchain", "18.0", "5.0 (4.0 to 6.0)", "36.0", "5.0 (4.0 to 6.0)"]
    assert lines[1][titles.index("disk MB")] == "-"
    assert [line[-1] for line in lines] == ["4", "3"]
    assert {len(line) for line in lines} == {len(titles)}


def test_markdown_has_a_rule_below_its_titles() -> None:
    """A table as peers.md holds it."""
    assert markdown(["", "s"], [["kindred", "2.0"]]) == "|  | s |\n| --- | --- |\n| kindred | 2.0 |"


def test_every_panel_is_of_a_figure_that_is_measured() -> None:
    """The plot asks for nothing that no table has."""
    assert all(key in {figure.key for figure in FIGURES[part]} for part, key, _ in PANELS)


def test_the_plot_names_peers_and_figures(tmp_path: Path) -> None:
    """Bars for one size; lines once there are several; the same records make the same file."""
    pytest.importorskip("matplotlib")
    plot(RECORDS, tmp_path / "bars.svg")
    plot([*RECORDS, _record("kindred", 0, 1.0, size=10)], tmp_path / "lines.svg")
    plot(RECORDS, tmp_path / "again.svg")
    bars, lines, again = ((tmp_path / f"{name}.svg").read_text() for name in ("bars", "lines", "again"))
    assert bars == again
    for drawing in (bars, lines):
        assert "<!-- langchain -->" in drawing
        assert "<!-- encode and index: s -->" in drawing
        assert "cold start" not in drawing
    assert "<!-- 2.5 -->" in bars  # kindred's median, beside its bar
    assert "<!-- sentences -->" in lines


def test_lines_are_distinct_and_queries_are_not_indexed(tmp_path: Path) -> None:
    """Blank and repeated lines go; the 200 queries come first, and the rest holds none of them; .gz is read."""
    texts = [f"line {number % 900}" for number in range(1800)] + ["", "  "]
    with gzip.open(tmp_path / "texts.txt.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(texts))
    lines = distinct(tmp_path / "texts.txt.gz")
    assert len(lines) == len(set(lines)) == 900
    assert lines[1] == "line 4"
    assert set(lines[:200]).isdisjoint(lines[200:])
    assert spaced(lines, 3) == [lines[0], lines[300], lines[600]]


def test_operations_are_those_of_the_published_shape() -> None:
    """Worked by hand for one layer of width 2 and 3 within: 4 x 4 + 2 x 6 products a token, attention 2 x 2 x L x L."""
    config = {"hidden_size": 2, "intermediate_size": 3, "num_hidden_layers": 1}
    assert products(config) == [(2, 2)] * 4 + [(2, 3), (3, 2)]
    assert operations(config, [5]) == 5 * 2 * (4 * 4 + 2 * 6) + 2 * (2 * 5 * 5 * 2)
    assert operations(config, [5, 5]) == 2 * operations(config, [5])


def test_jobs_take_turns() -> None:
    """One repetition to warm up, then each job as often as asked, in turn."""
    done: list[str] = []
    taken = alternating({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 2)
    assert done == ["a", "b"] * 3
    assert set(taken) == {"a", "b"}


@pytest.mark.slow
def test_a_process_is_measured() -> None:
    """What it printed, its time, and the 64 MB that it held for a while."""
    code = "import time; held = bytes(64 << 20); held = bytearray(held); time.sleep(0.5); print('done')"
    ran = run([sys.executable, "-c", code], dict(os.environ))
    assert ran.output == "done\n"
    assert ran.seconds > 0.5
    assert ran.rss > 64 << 20
    assert ran.cpu_seconds > 0
    assert ran.anonymous is None or ran.anonymous > 64 << 20


@pytest.mark.slow
def test_a_process_that_fails_is_told() -> None:
    """With its exit code, and what it said."""
    with pytest.raises(SystemExit, match=r"(?s)ended with 3.*no such thing"):
        run(
            [sys.executable, "-c", "import sys; print('no such thing', file=sys.stderr); sys.exit(3)"], dict(os.environ)
        )


def test_records_of_earlier_runs_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without parts nothing is run: the tables are of what the file holds."""
    (tmp_path / "peers.json").write_text(json.dumps({"records": RECORDS}))
    command = ["peers.py", "--texts", "-", "--parts", "--json", str(tmp_path / "peers.json")]
    monkeypatch.setattr(sys, "argv", command)
    main()
    printed = capsys.readouterr().out
    assert "index, 100 sentences" in printed
    assert "| langchain | 18.0 | 5.0 (4.0 to 6.0) |" in printed


def test_every_peer_has_a_runner() -> None:
    """`with_PEER.py` for each, and none that is never run."""
    assert {path.stem.removeprefix("with_") for path in RUNNERS.glob("with_*.py")} == set(PEERS)
