"""The view of duplicates in a real browser: what is decided there is what the command applies."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from search.decisions import Decision, decisions_object, read_decisions
from search.index import Index
from tests.browser import shown_clusters
from tests.cli_runner import ROOT, succeed, toy_index
from tests.serving import serving
from tests.toy import ToyEncoder

pytestmark = pytest.mark.slow

SCRIPT = '<script>document.title = "taken"</script> & "quotes" pool'
RTL = "\u202eroom \u05d7\u05d3\u05e8 \u05d8\u05d9\u05d1 good\u202c"
LONG = "price " + "long " * 2000
TEXTS = [
    "good room 5", "good room 6", "good room five", "good room  5", "food", "the food", SCRIPT, SCRIPT + "!",
    RTL, RTL.replace(" ", "  "), LONG, LONG + "longer", "staff",
]  # fmt: skip
KEYS = ("a", "b")


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Give two indexes, one of nasty texts."""
    return {
        "hotels": toy_index(tmp_path / "hotels", TEXTS, ToyEncoder()),
        "other": toy_index(tmp_path / "other", ["noise", "a pool", "pool"], ToyEncoder()),
    }


@pytest.fixture
def address(folders: dict[str, Path]) -> Iterator[str]:
    """Serve them."""
    with serving(folders) as address:
        yield address


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    """Open the view; nothing may be asked of another server, and nothing may go wrong in it."""
    page = context.new_page()
    wrong: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            wrong.append(request.url)

    page.on("request", asked)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{address}/duplicates")
    page.locator("#list > li").first.wait_for()
    yield page
    assert wrong == []


def slide(page: Page, threshold: float) -> None:
    """Move the slider."""
    page.locator("#threshold").evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", round(threshold * 1e6)
    )
    expect(page.locator("#threshold-value")).to_have_text(f"{threshold:.3f}")


def test_from_asking_to_duplicates_and_back(page: Page, address: str) -> None:
    """The two views lead to each other, and keep the index; another index, or lower scores, are other addresses."""
    assert page.title() == "Duplicates: kindred"
    expect(page.locator("#about")).to_have_text("13 sentences, toy, weight 0.3")
    page.get_by_label("Index").select_option("other")
    expect(page.locator("#about")).to_have_text("3 sentences, toy, weight 0.3")
    assert page.url.endswith("?index=other")
    page.get_by_role("link", name="Ask").click()
    expect(page.locator("#said")).to_have_text("3 sentences. Ask for something.")
    page.get_by_role("link", name="Duplicates").click()
    expect(page.locator("#about")).to_have_text("3 sentences, toy, weight 0.3")
    assert shown_clusters(page) == [["2", "3"]]
    page.get_by_label("Pairs that score").fill("-1")
    page.get_by_role("button", name="Look").click()
    expect(page.locator("#pairs-count")).to_have_text("3")
    assert page.url.endswith("?index=other&lowest=-1")
    page.get_by_label("Pairs that score").fill("3")
    page.get_by_label("Pairs that score").press("Enter")
    assert page.url.endswith("lowest=-1"), "the browser says what is wrong"
    page.goto(f"{address}/duplicates?index=hotels&lowest=3")
    expect(page.locator("#wait.problem")).to_have_text(re.compile("threshold: .* less than or equal to 1"))
    assert not page.locator("#view").is_visible()
    page.goto(f"{address}/duplicates?index=none")
    expect(page.locator("#wait.problem")).to_have_text("No index 'none'; there are hotels, other.")


def test_the_slider_and_the_refusals(page: Page) -> None:
    """It begins at the usual threshold and goes both ways; what the guard refused says why, with its words marked."""
    assert page.locator("#threshold-value").inner_text() == "0.900"
    before = len(shown_clusters(page))
    slide(page, 1.0)
    assert len(shown_clusters(page)) < before
    page.get_by_role("button", name="Refused").click()
    rows = page.locator(".row").all()
    assert {row.locator(".reason").inner_text() for row in rows} == {"numbers differ"}
    assert set(rows[0].locator("mark").all_text_contents()) <= {"5", "6", "five"}
    page.get_by_role("button", name="Pairs").click()
    row = page.locator(".row").filter(has_text="the food")
    slide(page, 0.9)
    assert row.locator("u").all_text_contents() == ["the"]


def test_what_texts_hold_is_shown_as_text(page: Page) -> None:
    """Script, quotes and marks of direction are characters; long texts are cut until they are asked for."""
    page.get_by_role("button", name="Pairs").click()
    shown = "\n".join(page.locator(".text").all_inner_texts())
    assert SCRIPT in shown
    assert "\u05d7\u05d3\u05e8" in shown
    assert page.title() == "Duplicates: kindred"
    assert max(map(len, page.locator(".text").all_inner_texts())) < 1000
    for width in (360, 1280, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_decisions_outlive_a_generation(page: Page, folders: dict[str, Path]) -> None:
    """What was decided is still there when the index has grown, and the new sentences are too."""
    page.locator(".row", has_text="the food").first.get_by_role("button", name="Not the same").click()
    expect(page.locator("#save")).to_have_text("Save 1 decision")
    with Index.open(folders["hotels"], encoder=ToyEncoder()) as index:
        index.add(["noise", "noise!"])
    page.reload()
    expect(page.locator("#about")).to_have_text("15 sentences, toy, weight 0.3")
    expect(page.locator("#save")).to_have_text("Save 1 decision")
    page.get_by_label("Index").select_option("other")
    expect(page.locator("#save")).to_have_text("Save 0 decisions")


def test_a_token_is_asked_for_once(context: BrowserContext, folders: dict[str, Path]) -> None:
    """The view asks for it as the other one does, and both know it then."""
    with serving(folders, token="secret") as address:  # noqa: S106 - of this test alone
        page = context.new_page()
        asked: list[str] = []

        def answer(dialog: Any) -> None:
            asked.append(dialog.message)
            dialog.accept("secret")

        page.on("dialog", answer)
        page.goto(f"{address}/duplicates")
        page.locator("#list > li").first.wait_for()
        page.get_by_role("link", name="Ask").click()
        expect(page.locator("#said")).to_have_text("13 sentences. Ask for something.")
        assert asked == ["This server asks for a token:"]


def found_by_command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[set[Any], set[Any]]:
    """Run the command; return the pairs and the refusals, each as two texts and, of refusals, the reason."""
    lines = [json.loads(line) for line in succeed(capsys, "duplicates", *arguments, "--json").splitlines()]

    def texts(one: dict[str, Any]) -> frozenset[str]:
        return frozenset(one[side]["text"] for side in KEYS)

    pairs = {texts(one) for one in lines if one["kind"] == "pair"}
    return pairs, {(texts(one), one["reason"]) for one in lines if one["kind"] == "refusal"}


def test_what_is_decided_is_what_the_command_applies(
    context: BrowserContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real index, page, download, command: a pair is split, a refused one is merged, and nothing else changes."""
    index = tmp_path / "support"
    succeed(capsys, "index", ROOT / "corpora" / "support.txt", "--out", index)
    pairs, refused = found_by_command(capsys, index, "--threshold", "0.9")
    from search.encoders import load_encoder

    with serving({"support": index}, load=load_encoder) as address:
        page = context.new_page()
        page.goto(f"{address}/duplicates?index=support&lowest=0.9")
        page.locator("#list > li").first.wait_for()
        page.get_by_role("button", name="Refused").click()
        row = page.locator(".row").first
        merged = {text.strip() for text in row.locator(".text").all_inner_texts()}
        row.get_by_role("button", name="Same", exact=True).click()
        page.get_by_role("button", name="Pairs").click()
        page.locator("#level").select_option("semantic")
        row = page.locator(".row").first
        split = {text.strip() for text in row.locator(".text").all_inner_texts()}
        row.get_by_role("button", name="Not the same").click()
        told = page.locator("#apply").inner_text()
        with page.expect_download() as download:
            page.get_by_role("button", name="Save 2 decisions").click()
    assert re.sub(r"\s+", " ", told.strip()) == "--threshold 0.900 --decisions decisions.json"
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    decisions = read_decisions(path)
    assert {(frozenset(map(spaced, (one.a, one.b))), one.same) for one in decisions} == {
        (frozenset(map(spaced, merged)), True), (frozenset(map(spaced, split)), False),
    }  # fmt: skip
    assert json.loads(path.read_text(encoding="utf-8")) == decisions_object(decisions)
    pairs_after, refused_after = found_by_command(capsys, index, "--threshold", "0.9", "--decisions", path)
    (same,), (other,) = ([one for one in decisions if one.same is said] for said in (True, False))
    assert pairs_after == (pairs | {both(same)}) - {both(other)}
    assert refused_after == {one for one in refused if one[0] != both(same)} | {(both(other), "decision")}


def spaced(text: str) -> str:
    """Return a text as a browser shows it."""
    return " ".join(text.split())


def both(one: Decision) -> frozenset[str]:
    """Return the two texts that are decided on."""
    return frozenset((one.a, one.b))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_is_accessible(browser: Browser, address: str, scheme: Any, width: int) -> None:
    """Axe finds nothing amiss in any list of the view, in either scheme, at either width, nor with a problem."""
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True) as context:
        page = context.new_page()
        page.goto(f"{address}/duplicates")
        page.locator("#list > li").first.wait_for()
        page.evaluate(axe)
        for view in ("Clusters", "Pairs", "Refused"):
            page.get_by_role("button", name=view).click()
            assert violations(page) == []
        page.goto(f"{address}/duplicates?index=none")
        page.locator("#wait.problem").wait_for()
        page.evaluate(axe)
        assert violations(page) == []


def violations(page: Page) -> list[str]:
    """Return what axe finds."""
    found: dict[str, Any] = page.evaluate("axe.run()")
    return [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]
