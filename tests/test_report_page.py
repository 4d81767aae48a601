"""The report in a real browser: what a person sees, can do, and takes away."""

import itertools
import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Dialog, Locator, Page, expect

from search.decisions import Decision, decisions_object, read_decisions
from search.duplicates import Duplicates
from search.explaining_pairs import Explained, PairExplanation
from search.report import report_html
from search.word_shares import Part
from tests.browser import shown_clusters, watched
from tests.found import found
from tests.test_report import HOSTILE

pytestmark = pytest.mark.slow

TEXTS = [
    "How do I reset the router?", "How would I reset the router?", "How do I reset the  router?",
    "Can I withdraw 500 euros?", "Can I withdraw 5000 euros?", "The parcel has arrived.", "The parcel has not arrived.",
    "My card was stolen", "My bank card was stolen", "Where is my parcel",
]  # fmt: skip
SUPPORT = found(
    TEXTS,
    {(1, 2): 0.97, (7, 8): 0.93, (5, 9): 0.905},
    refused={(3, 4): (0.98, "number", ("500", "5000")), (5, 6): (0.96, "negation", ("not",))},
)


@contextmanager
def report(context: BrowserContext, folder: Path, result: Duplicates, **options: Any) -> Iterator[Page]:
    """Write a report and open it as a file; in the end, nothing may have gone wrong in it, nor been asked for."""
    path = folder / "report.html"
    path.write_text(report_html(result, encoder="toy", **options), encoding="utf-8")
    with watched(context, path.as_uri()) as page:
        page.goto(path.as_uri())
        yield page


@pytest.fixture
def opened(context: BrowserContext, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Give what opens the report of a result, watched until the test ends."""
    with ExitStack() as windows:
        yield lambda result, **options: windows.enter_context(report(context, tmp_path, result, **options))


@pytest.fixture
def page(opened: Callable[..., Page]) -> Page:
    """Open the report of SUPPORT."""
    return opened(SUPPORT)


def slide(page: Page, threshold: float) -> None:
    """Move the slider."""
    page.locator("#threshold").evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", round(threshold * 1e6)
    )
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def row_at(page: Page, line: int) -> Locator:
    """Return the first row that shows the sentence of a line."""
    return page.locator(".row").filter(has=page.locator(".place", has_text=re.compile(rf":{line}$"))).first


def saved(page: Page, path: Path) -> Path:
    """Save the decisions."""
    with page.expect_download() as download:
        page.locator("#save").click()
    assert download.value.suggested_filename == "decisions.json"
    download.value.save_as(path)
    return path


def test_it_opens_as_a_file(page: Page) -> None:
    """Clusters are there, the most sentences first, with how many stay; no request was made, as `opened` sees to."""
    assert page.title() == "Duplicates: kindred"
    assert shown_clusters(page) == [["3", "1", "2"], ["9", "8"], ["6", "10"]]
    assert page.locator("#effect").inner_text() == "3 clusters: 4 sentences would go, 6 of 10 stay."
    assert page.locator("#threshold-value").inner_text() == "0.900"
    member = row_at(page, 2)
    assert member.locator(".score").inner_text() == "0.970"
    assert member.locator("del").all_text_contents() == ["do"]
    assert member.locator("ins").all_text_contents() == ["would"]
    assert member.locator(".text").inner_text() == "How do would I reset the router?"


def test_nothing_can_be_sent_or_run(context: BrowserContext, tmp_path: Path) -> None:
    """Were a script to get in, it could not run, nor fetch, nor put markup into the page."""
    path = tmp_path / "report.html"
    path.write_text(report_html(SUPPORT, encoder="toy"), encoding="utf-8")
    page = context.new_page()
    page.goto(path.as_uri())
    blocked = page.evaluate(
        """async () => {
          const tried = [];
          const attempt = async (name, what) => { try { await what(); tried.push(name); } catch { /* good */ } };
          await attempt("fetch", () => fetch("http://127.0.0.1:9/"));
          await attempt("markup", () => { document.body.innerHTML = "<b>x</b>"; });
          await attempt("handler", () => document.body.setAttribute("onclick", "window.ran = 1"));
          const script = document.createElement("script");
          await attempt("script", () => { script.text = "window.ran = 1"; document.body.append(script); });
          document.body.click();
          return [tried, window.ran ?? null];
        }"""
    )
    assert blocked == [[], None]


def test_the_slider_regroups(page: Page) -> None:
    """A higher threshold leaves fewer pairs; a lower one brings them back; exact pairs always stay."""
    slide(page, 0.92)
    assert shown_clusters(page) == [["3", "1", "2"], ["9", "8"]]
    slide(page, 0.98)
    assert shown_clusters(page) == [["3", "1"]]
    assert page.locator("#effect").inner_text() == "1 cluster: 1 sentence would go, 9 of 10 stay."
    assert "--threshold 0.980" in page.locator(".apply").inner_text()
    slide(page, 0.9)
    assert len(shown_clusters(page)) == 3
    page.locator("#threshold").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#threshold-value")).to_have_text("0.901")
    expect(page.locator("#threshold")).to_have_attribute("aria-valuetext", "0.901")


def test_the_slider_ends_at_one(opened: Callable[..., Page]) -> None:
    """Also where the lowest score is no whole step away, as below the threshold that the slider begins at."""
    page = opened(found(TEXTS, {(1, 2): 0.801301, (7, 8): 0.95}))
    assert page.locator("#low").inner_text() == "0.801"
    assert page.locator("#high").inner_text() == "1.000"


def test_the_histogram(page: Page) -> None:
    """It has the scores of the pairs and of what was refused, exact pairs aside, and marks the threshold."""
    assert page.locator("#histogram rect.kept").count() == 3
    assert page.locator("#histogram rect.refused").count() == 2
    assert page.locator("#histogram").get_attribute("aria-label") == (
        "Histogram of 4 pairs and 2 refused pairs by score, from 0.900 to 1.000"
    )
    slide(page, 0.95)
    assert page.locator("#histogram .threshold-line").get_attribute("x1") == "500"
    assert page.locator("#histogram .bar.below").count() == 30


def test_refusals_say_why(page: Page) -> None:
    """Each has its reason, and the words that caused it are marked where they stand, and nowhere else."""
    page.get_by_role("button", name="Refused").click()
    assert page.locator(".row").count() == 2
    number, negation = page.locator(".row").all()
    assert number.locator(".reason").inner_text() == "numbers differ"
    assert number.locator("mark").all_text_contents() == ["500", "5000"]
    assert negation.locator("mark").all_text_contents() == ["not"]
    assert negation.locator("u").all_text_contents() == ["not"]
    page.locator("#reason").select_option("negation")
    assert page.locator(".row").count() == 1


def test_why_a_pair_scores_so(opened: Callable[..., Page]) -> None:
    """Opened, it gives both parts and each text's words, the survivor's first wherever it stands; else none."""
    survivor, other = TEXTS[7], TEXTS[8]

    def words(value: float, *names: str) -> tuple[Part, ...]:
        return tuple(Part(name, 0, 1, value) for name in names)

    why = PairExplanation(0.95, 0.88, words(0.5, "stolen"), 0.45, words(-0.25, "<b>bank</b>"), 1.2, ())
    for explained in (Explained({(survivor, other): why}), Explained({(other, survivor): why.turned()})):
        page = opened(SUPPORT, explained=explained)
        assert page.locator(".why").count() == 1
        member = row_at(page, 8)
        assert not member.locator(".shares").first.is_visible()
        member.get_by_text("Why").click()
        assert member.locator(".why > p").first.inner_text() == "meaning 0.950, sentiment 0.880; to the meaning give"
        told = [line.strip() for line in member.locator(".shares").all_inner_texts()]
        assert told == [
            "survivor: <b>bank</b> \u22120.25 all else +1.20", "this: stolen +0.50 all else +0.45",
        ]  # fmt: skip
        page.get_by_role("button", name="Pairs").click()
        row = row_at(page, 8)
        row.get_by_text("Why").click()
        assert row.locator(".shares").first.inner_text().startswith("above: stolen")
        page.close()


def test_search_and_filters(page: Page) -> None:
    """Search finds words and places in any case; level and decision narrow further; clearing brings all back."""
    page.keyboard.press("/")
    page.keyboard.type("BANK card")
    assert shown_clusters(page) == [["9", "8"]]
    page.locator("#search").fill("a.txt:3")
    assert shown_clusters(page) == [["3", "1", "2"]]
    page.locator("#level").select_option("exact")
    assert shown_clusters(page) == [["3", "1", "2"]]
    page.locator("#search").fill("card")
    assert page.locator("#empty").is_visible()
    page.locator("#clear").click()
    assert len(shown_clusters(page)) == 3
    row_at(page, 8).get_by_role("button", name="Same", exact=True).click()
    page.locator("#decided").select_option("same")
    assert shown_clusters(page) == [["9", "8"]]
    page.locator("#decided").select_option("undecided")
    assert shown_clusters(page) == [["3", "1", "2"], ["6", "10"]]
    page.locator("#clear").evaluate("(button) => button.click()")
    page.locator("#order").select_option("lowest")
    assert shown_clusters(page) == [["6", "10"], ["9", "8"], ["3", "1", "2"]]
    page.get_by_role("button", name="Pairs").click()
    assert page.locator(".score").all_text_contents() == ["0.905", "0.930", "0.970", "1.000"]


def test_the_keyboard(page: Page) -> None:
    """J and k walk, s, n and u decide, ? helps; with the keys switched off they do nothing."""
    page.keyboard.press("j")
    page.keyboard.press("s")
    assert page.locator("#save").is_disabled(), "equal texts need no decision"
    page.keyboard.press("j")
    page.keyboard.press("n")
    assert row_at(page, 2).get_attribute("data-decided") == "different"
    page.keyboard.press("u")
    assert row_at(page, 2).get_attribute("data-decided") == ""
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("s")
    assert row_at(page, 2).get_attribute("data-decided") == "same"
    assert page.locator("#save").inner_text() == "Save 1 decision"
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.locator("#shortcuts").uncheck()
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()
    page.keyboard.press("n")
    page.keyboard.press("/")
    page.keyboard.type("n")
    assert row_at(page, 2).get_attribute("data-decided") == "same"


def test_decisions_regroup_and_survive_a_reload(page: Page) -> None:
    """What was decided is grouped by when asked for: split, or merged though refused; the browser keeps it."""
    row_at(page, 2).get_by_role("button", name="Not the same").click()
    page.get_by_role("button", name="Refused").click()
    row_at(page, 4).get_by_role("button", name="Same", exact=True).click()
    page.get_by_role("button", name="Clusters").click()
    assert shown_clusters(page)[0] == ["3", "1", "2"], "rows do not move while one decides"
    page.get_by_role("button", name="Regroup").click()
    expected = [["4", "5"], ["3", "1"], ["9", "8"], ["6", "10"]]
    assert sorted(shown_clusters(page)) == sorted(expected)
    page.reload()
    assert sorted(shown_clusters(page)) == sorted(expected)
    assert page.locator("#save").inner_text() == "Save 2 decisions"


def test_a_saved_file_is_what_the_command_reads(page: Page, tmp_path: Path) -> None:
    """The file holds the decisions as `read_decisions` reads them, byte for byte as Python would write them."""
    row_at(page, 2).get_by_role("button", name="Not the same").click()
    row_at(page, 8).get_by_role("button", name="Same", exact=True).click()
    path = saved(page, tmp_path / "decisions.json")
    decisions = read_decisions(path)
    expected = [Decision(TEXTS[2], TEXTS[1], same=False), Decision(TEXTS[7], TEXTS[8], same=True)]
    assert decisions_object(decisions) == decisions_object(expected)
    assert json.loads(path.read_text(encoding="utf-8")) == decisions_object(expected)


def test_a_file_is_loaded_back(opened: Callable[..., Page], tmp_path: Path) -> None:
    """Another browser takes a saved file in; a bad one is refused with its entry, and nothing of it is taken."""
    page = opened(SUPPORT)
    good = decisions_object([Decision(TEXTS[3], TEXTS[4], same=True), Decision("elsewhere", "another", same=True)])
    bad = json.loads(json.dumps(good))
    bad["decisions"][1]["same"] = "yes"
    for name, value in (("bad.json", bad), ("good.json", good)):
        (tmp_path / name).write_text(json.dumps(value), encoding="utf-8")
    page.locator("#file").set_input_files(tmp_path / "bad.json")
    page.get_by_text('bad.json was not read: entry 2: "same" must be true or false.').wait_for()
    assert page.locator("#save").is_disabled()
    page.locator("#file").set_input_files(tmp_path / "good.json")
    page.get_by_text("good.json: 2 decisions read.").wait_for()
    assert "5 of 10 stay" in page.locator("#effect").inner_text()
    assert read_decisions(saved(page, tmp_path / "again.json")) == read_decisions(tmp_path / "good.json")


def test_given_decisions_are_there_from_the_start(opened: Callable[..., Page]) -> None:
    """A report of a job that was given decisions shows them, and groups by them."""
    page = opened(SUPPORT, decisions=[Decision(TEXTS[7], TEXTS[8], same=False)])
    assert shown_clusters(page) == [["3", "1", "2"], ["6", "10"]]
    page.get_by_role("button", name="Pairs").click()
    assert row_at(page, 9).get_attribute("data-decided") == "different"


def test_hostile_texts_are_shown_as_they_are(opened: Callable[..., Page]) -> None:
    """Markup, quotes, U+2028 and marks of direction are text, wherever they come in; no script of theirs runs."""
    pairs = {(0, row): 0.95 for row in range(1, len(HOSTILE))}
    refusals = dict.fromkeys(itertools.combinations(range(1, 4), 2), (0.92, "<b>r</b>", ("<img", "script")))
    page = opened(found(HOSTILE, pairs, refused=refusals, source="<i>.txt"))
    told: list[str] = []

    def answer(dialog: Dialog) -> None:
        told.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", answer)
    for view in ("Clusters", "Pairs", "Refused"):
        page.get_by_role("button", name=view).click()
        assert page.locator("#list img, #list script, #list b, #list i").count() == 0
    page.get_by_role("button", name="Pairs").click()
    texts = {text.strip() for text in page.locator(".text").all_text_contents()}
    assert {" ".join(text.split()) for text in texts} == {" ".join(text.split()) for text in HOSTILE}
    assert page.locator(".place bdi").first.inner_text() == "<i>.txt"
    assert told == []


def test_right_to_left_and_long(opened: Callable[..., Page]) -> None:
    """Hebrew runs from the right; a sentence of 10,000 characters is shortened until all of it is asked for."""
    words = [f"word{number}" for number in range(1500)]
    other = [*words[:700], "changed", *words[701:]]
    texts = [
        "\u05d4\u05d7\u05d3\u05e8 \u05e7\u05e8",
        "\u05d7\u05d3\u05e8 \u05e7\u05e8",
        " ".join(words),
        " ".join(other),
        "x" * 9000,
        "x" * 9001,
    ]
    page = opened(found(texts, {(0, 1): 0.95, (2, 3): 0.99, (4, 5): 0.98}))
    assert page.locator(".text").first.evaluate("(p) => getComputedStyle(p).direction") in {"rtl", "ltr"}
    hebrew = page.locator(".text").filter(has_text="\u05d7\u05d3\u05e8").first
    assert hebrew.evaluate("(p) => getComputedStyle(p).direction") == "rtl"
    member = row_at(page, 3)
    assert len(member.locator(".text").inner_text()) < 1000
    assert member.locator("ins, del").count() == 2
    member.get_by_role("button", name="Show all").click()
    assert len(member.locator(".text").inner_text()) > 10_000
    one_word = row_at(page, 6)
    shown = one_word.locator(".text").text_content() or ""
    assert "8,101 characters" in shown
    assert len(shown) < 1000
    one_word.get_by_role("button", name="Show all").click()
    assert one_word.locator(".text").text_content() == "x" * 9001
    for width in (360, 1400, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_it_is_accessible(browser: Browser, tmp_path: Path, scheme: Any, width: int) -> None:
    """Axe finds nothing amiss in either scheme at either width, in any view, with decisions made, nor in the help."""
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    with ExitStack() as windows:
        size: Any = {"width": width, "height": 900}
        context = windows.enter_context(browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True))
        page = windows.enter_context(report(context, tmp_path, SUPPORT))
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 26)"
        assert dark == (scheme == "dark")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(axe)
        for view in ("Clusters", "Pairs", "Refused"):
            page.get_by_role("button", name=view).click()
            page.keyboard.press("j")
            page.keyboard.press("n")
            assert _violations(page) == []
        page.keyboard.press("?")
        assert _violations(page) == []


def _violations(page: Page) -> list[str]:
    found: dict[str, Any] = page.evaluate("axe.run()")
    return [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]


def test_fifty_thousand_pairs_stay_usable(opened: Callable[..., Page], context: BrowserContext) -> None:
    """Opened, regrouped and searched in times that a person can wait, on a machine that may be busy."""
    chance = random.Random(5)  # noqa: S311
    texts = [f"sentence {number} " + " ".join(chance.choices(TEXTS[0].split(), k=15)) for number in range(40_000)]
    pairs: dict[tuple[int, int], float] = {}
    while len(pairs) < 50_000:
        first = chance.randrange(len(texts) - 40)
        pairs[first, first + chance.randrange(1, 40)] = round(chance.uniform(0.9, 1), 6)
    page = opened(found(texts, pairs))
    assert page.locator("#pairs-count").inner_text() == "50,000"
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    regrouped = [_cost(session, page, "threshold", value) for value in (920_000, 950_000, 905_000)]
    searched = [_cost(session, page, "search", value) for value in ("sentence 77", "reset the", "")]
    assert sorted(regrouped)[1] < 0.4
    assert sorted(searched)[1] < 0.4
    assert page.locator("#list > li").count() == 50
    page.locator("#next").click()
    assert page.locator("#range").inner_text().startswith("51\u2013100 of ")


def _cost(session: CDPSession, page: Page, field: str, value: object) -> float:
    """Return the seconds of a processor, busy or not with other things, that the page takes to follow a change."""

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")

    before = spent()
    page.evaluate(
        """([id, value]) => new Promise((done) => {
          const field = document.getElementById(id);
          field.value = value;
          field.dispatchEvent(new Event("input"));
          requestAnimationFrame(() => requestAnimationFrame(done));
        })""",
        [field, value],
    )
    return spent() - before
