"""`kindred duplicates --report` and `--decisions`: from the command to the browser and back."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from search.decisions import Decision, decisions_object
from search.files import write_json
from tests.cli_runner import run, succeed
from tests.test_report import data_of

CARDS = ["My card was stolen", "My bank card was stolen", "My bank card has been stolen", "The weather is fine"]


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    """Write a small corpus."""
    path = tmp_path / "cards.txt"
    path.write_text("".join(f"{text}\n" for text in CARDS), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--report", "{}/out.txt"], "out.txt: a report is a page; name a file that ends in .html with --report."),
        (["--report", "{}/none/out.html"], "out.html: there is no folder"),
        (["--decisions", "{}/none.json"], "none.json: there is no such file of decisions."),
        (["--decisions", "{}/cards.txt"], "cards.txt: not valid JSON"),
    ],
)
def test_what_cannot_be_is_refused_first(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, cards: Path, options: list[str], message: str
) -> None:
    """A report that cannot be written, and decisions that cannot be read, are told before any work is done."""
    done = run(capsys, "duplicates", cards, *(option.format(tmp_path) for option in options))
    assert (done.code, done.out) == (1, "")
    assert message in done.err
    assert "Encoder" not in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cards.txt"]


@pytest.mark.slow
def test_decisions_go_round(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, cards: Path, context: BrowserContext
) -> None:
    """What is decided in the report's page is what the command then does, and what its next report begins with."""
    report, saved = tmp_path / "found.html", tmp_path / "decisions.json"
    options = ["duplicates", cards, "--threshold", "0.7", "--json"]
    first = [json.loads(line) for line in succeed(capsys, *options, "--report", report).splitlines()]
    assert [len(one["members"]) for one in first if one["kind"] == "cluster"] == [2]
    page = context.new_page()
    page.goto(report.as_uri())
    page.locator(".row").filter(has_text="cards.txt:1").get_by_role("button", name="Not the same").click()
    with page.expect_download() as download:
        page.locator("#save").click()
    download.value.save_as(saved)
    page.get_by_role("button", name="Regroup").click()
    shown = [len(cluster.locator(".row").all()) for cluster in page.locator(".cluster").all()]
    again = [
        json.loads(line)
        for line in succeed(capsys, *options, "--decisions", saved, "--report", report, "--overwrite").splitlines()
    ]
    assert [len(one["members"]) for one in again if one["kind"] == "cluster"] == shown == [1]
    assert [one["reason"] for one in again if one["kind"] == "refusal"] == ["decision"]
    page.goto(report.as_uri())
    page.get_by_role("button", name="Refused").click()
    assert page.locator(".reason").all_text_contents() == ["decided not the same"]


@pytest.mark.slow
def test_a_decision_makes_a_pair(capsys: pytest.CaptureFixture[str], tmp_path: Path, cards: Path) -> None:
    """Two texts decided to be the same are merged though they score nothing like the threshold, and it is told why."""
    decisions = tmp_path / "decisions.json"
    write_json(decisions, decisions_object([Decision(CARDS[3], CARDS[0], same=True)]))
    asked = ["duplicates", cards, "--threshold", "0.999", "--json", "--decisions", decisions]
    found = [json.loads(line) for line in succeed(capsys, *asked, "--report", tmp_path / "found.html").splitlines()]
    (pair,) = (one for one in found if one["kind"] == "pair")
    assert (pair["a"]["line"], pair["b"]["line"], pair["reason"]) == (1, 4, "decision")
    assert pair["score"] < 0.9
    assert [len(one["members"]) for one in found if one["kind"] == "cluster"] == [1]
    assert data_of((tmp_path / "found.html").read_text(encoding="utf-8"))["decisions"] == decisions_object(
        [Decision(CARDS[0], CARDS[3], same=True)]
    )
