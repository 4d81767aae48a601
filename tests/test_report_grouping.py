"""The page groups as the job does, whatever the threshold, the guard, the decisions and what is to be kept."""

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from search.corpus import Corpus
from search.decisions import Decision, Verdict, decisions_object
from search.duplicates import Duplicates, find_duplicates
from search.index import Index
from search.indexing import build_index
from search.keeping import Keeping
from search.records import Pair, Refused
from search.report import report_html, script
from tests.test_report import data_of
from tests.toy import TOPICS, ToyEncoder

pytestmark = pytest.mark.slow

Clusters = list[tuple[int, list[int]]]

LOW = 0.8


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """Load what the page groups by, without the page."""
    page = context.new_page()
    modules = script(["model", "decisions", "clusters"])
    page.add_script_tag(content=f"{modules}; window.kindred = {{ read, group, Decisions }};")
    return page


def by_page(page: Page, result: Duplicates, threshold: float, decisions: Any = None) -> Clusters:
    """Group by the page's rule; return the lines of each cluster, the survivor's and the others'."""
    grouped: Clusters = page.evaluate(
        """([data, threshold, decided]) => {
          const model = kindred.read(data);
          const decisions = new kindred.Decisions();
          decisions.load(JSON.stringify(decided ?? data.decisions));
          const line = (row) => model.sentences[row].line;
          return kindred.group(model, threshold, decisions).map(({ survivor, members }) =>
            [line(survivor), members.map((one) => line(one.row))]);
        }""",
        [data_of(report_html(result, encoder="toy")), round(threshold * 1e6), decisions],
    )
    return [(survivor, sorted(members)) for survivor, members in grouped]


def by_job(result: Duplicates) -> Clusters:
    """Return the lines of each cluster as the job grouped them."""
    return [
        (cluster.survivor.sentence.line, sorted(member.sentence.line for member in cluster.members))
        for cluster in result.clusters
    ]


def texts_of(seed: int, number: int = 60) -> list[str]:
    """Make up texts of a few words, so that many score alike and some are equal."""
    chance = random.Random(seed)  # noqa: S311
    words = [*TOPICS[:4], "good", "bad", "the"]
    return [" ".join(chance.choices(words, k=chance.randint(2, 4))) + chance.choice(["", " "]) for _ in range(number)]


def indexed(folder: Path, texts: list[str]) -> Index:
    """Index some texts, a line each."""
    corpus = folder.with_suffix(".txt")
    corpus.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    build_index(Corpus([str(corpus)]), folder, ToyEncoder())
    return Index(folder)


def picky(a: str, b: str, feelings: tuple[float, float] | None) -> Verdict | None:
    """Refuse pairs by their lengths, as a guard might."""
    return Verdict("number", ()) if (len(a) + len(b)) % 4 == 0 else None


@pytest.mark.parametrize("guard", [None, picky])
@pytest.mark.parametrize("keeping", [None, Keeping("longest"), Keeping("first")])
def test_at_any_threshold(page: Page, tmp_path: Path, guard: Any, keeping: Keeping | None) -> None:
    """From the report of a low threshold, the slider gives what the job gives at the higher one, in the same order."""
    compared = 0
    for seed in range(4):
        with indexed(tmp_path / f"{seed}", texts_of(seed)) as index:

            def job(threshold: float, index: Index = index) -> Duplicates:
                return find_duplicates(index, threshold=threshold, near=None, guard=guard, keeping=keeping)

            low = job(LOW)
            for threshold in (LOW, 0.9, 0.97, 1.0):
                grouped = by_page(page, low, threshold)
                assert grouped == by_job(job(threshold))
                compared += len(grouped)
    assert compared > 50


def test_what_is_known(page: Page, tmp_path: Path) -> None:
    """Compared with another index, each sentence goes to the nearest of that index; exact ones too."""
    with indexed(tmp_path / "new", texts_of(1)) as new, indexed(tmp_path / "old", texts_of(2)) as old:
        low = find_duplicates(new, against=old, threshold=LOW)
        assert {pair.level for pair in low.pairs} >= {"exact", "semantic"}
        for threshold in (LOW, 0.95):
            expected = by_job(find_duplicates(new, against=old, threshold=threshold))
            assert len(expected) > 5
            assert by_page(page, low, threshold) == expected


@pytest.mark.parametrize("guard", [None, picky])
def test_with_decisions(page: Page, tmp_path: Path, guard: Callable[..., Any] | None) -> None:
    """Decisions do on the page what they do in the job; none that are decided apart are together."""
    for seed in range(4):
        texts = [" ".join(text.split()) for text in texts_of(seed)]
        with indexed(tmp_path / f"{seed}", texts) as index:
            low = find_duplicates(index, threshold=LOW, guard=guard)
            listed: list[Pair | Refused] = [*low.pairs, *low.refused]
            chosen = random.Random(seed).sample([one for one in listed if one.level != "exact"], 12)  # noqa: S311
            decisions = [
                Decision(one.a.sentence.text, one.b.sentence.text, same=number % 2 == 0)
                for number, one in enumerate(chosen)
            ]
            again = find_duplicates(index, threshold=LOW, guard=guard, decisions=decisions)
            assert by_page(page, low, LOW, decisions_object(decisions)) == by_job(again) != by_job(low)
            assert by_page(page, again, LOW, decisions_object(decisions)) == by_job(again)
            apart = {one.key for one in decisions if not one.same}
            for cluster in again.clusters:
                together = [entry.sentence.text for entry in (cluster.survivor, *cluster.members)]
                keys = {Decision(a, b, same=True).key for a, b in itertools.combinations(together, 2)}
                assert apart.isdisjoint(keys)
