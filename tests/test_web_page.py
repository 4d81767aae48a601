"""The page in a real browser, and the command as a real process."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Request, expect

from search.index import Index
from tests.cli_runner import ROOT, refuse, succeed, toy_index
from tests.serving import serving
from tests.toy import ToyEncoder

pytestmark = pytest.mark.slow

TOKEN = "not-to-be-logged"  # noqa: S105 - of this test alone
RTL = "\u202eroom \u05d7\u05d3\u05e8 \u0637\u064a\u0628 good\u202c"
TEXTS = [
    "good room",
    "bad room",
    "good food",
    '<script>document.title = "taken"</script> & "quotes" pool',
    RTL,
    "price " + "long " * 2000,
    "staff",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an index of texts, some of them nasty."""
    return toy_index(tmp_path / "hotels", TEXTS, ToyEncoder())


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """Serve it on a free port."""
    with serving({"hotels": folder}) as address:
        yield address


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    """Open the page; nothing may be asked of another server, and nothing may go wrong in it."""
    page = context.new_page()
    wrong: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((address, "data:")):
            wrong.append(request.url)

    page.on("request", asked)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.get_by_text("7 sentences. Ask for something.").wait_for()
    yield page
    assert wrong == []


def ask(page: Page, text: str) -> None:
    """Type a question and press Enter."""
    page.locator("#q").fill(text)
    page.keyboard.press("Enter")
    page.get_by_text(re.compile(r"\d+ of \d+ sentences, \d+ ms")).wait_for()


def first_text(page: Page) -> Locator:
    """Return the text of the first hit."""
    return page.locator("#hits .text").first


def texts(page: Page, count: int | None = None) -> list[str]:
    """Return what the hits say, once there are so many."""
    if count is not None:
        expect(page.locator("#hits > li")).to_have_count(count)
    return [text or "" for text in page.locator("#hits > li > .text").all_text_contents()]


def test_ask_the_opposite_similar_and_back(page: Page) -> None:
    """The nearest first; the other view of a hit; like a hit; and the back button brings each back."""
    ask(page, "good room")
    assert texts(page)[:2] == ["good room", "bad room"]
    page.locator("#hits > li").first.get_by_role("button", name="Opposite view").click()
    expect(first_text(page)).to_have_text("bad room")
    assert page.locator("#sentiment").input_value() == "opposite"
    assert "row=0" in page.url
    page.locator("#hits > li", has_text="good food").get_by_role("button", name="Similar").click()
    expect(page.locator("#q")).to_have_value("good food")
    page.go_back()
    expect(first_text(page)).to_have_text("bad room")
    page.go_back()
    expect(first_text(page)).to_have_text("good room")
    assert page.locator("#q").input_value() == "good room"


def test_the_slider_and_the_filter_change_the_hits(page: Page) -> None:
    """All weight on feeling brings the bad ones up; a label or a condition narrows; a mistake is told."""
    ask(page, "bad food")
    assert "good food" in texts(page)[:2]
    page.locator("#weight").fill("1")
    expect(first_text(page)).to_have_text("bad room")
    assert page.locator("#weight-value").text_content() == "1.00"
    assert "weight=1" in page.url
    page.locator("#sentiment").select_option("any")
    expect(first_text(page)).to_have_text("good food")
    assert page.locator("#weight").is_disabled()
    page.locator("#where").fill("stars > 3")
    page.locator("#where").press("Tab")
    page.get_by_text("No sentence has a column 'stars'").wait_for()
    assert texts(page) == []


def test_a_search_can_be_shared(page: Page, address: str) -> None:
    """An address is a search: opened anew it asks the same."""
    page.goto(f"{address}/?index=hotels&q=good+room&sentiment=opposite&weight=0.8&k=5&explain=1")
    assert texts(page, 5)[0] == "bad room"
    assert page.locator("#weight-value").text_content() == "0.80"
    assert page.locator("#hits mark").first.text_content() == "room"
    assert "Feeling: bad" in (page.locator(".why").first.text_content() or "")


def test_why_comes_and_goes_without_a_new_search(page: Page) -> None:
    """Say why marks the hits that are there, and those of the next search, and takes the marks away."""
    ask(page, "good room price")
    kept = page.locator("#hits > li").first.element_handle()
    page.locator("#explain").check()
    expect(page.locator("#hits > li:has(mark)")).to_have_count(3)  # those with a word of it that are not cut
    assert kept is not None
    assert kept.evaluate("hit => hit.isConnected")
    assert "explain=1" in page.url
    page.locator("#hits > li").first.get_by_role("button", name="Opposite view").click()
    expect(first_text(page)).to_have_text("bad room")
    expect(page.locator("#hits > li").first.locator(".why")).to_contain_text("Feeling: bad")
    page.go_back()
    expect(first_text(page)).to_have_text("good room")
    page.locator("#explain").uncheck()
    expect(page.locator("#hits mark")).to_have_count(0)
    assert "explain=1" not in page.url


def test_what_is_typed_in_a_row_is_one_step(page: Page, address: str) -> None:
    """Hits follow the keys; Enter asks for nothing else, and the back button leaves out what was half typed."""
    for text in ("good room", "bad food"):
        page.locator("#q").press("Control+a")
        page.locator("#q").press_sequentially(text, delay=150)
        page.keyboard.press("Enter")
        expect(first_text(page)).to_have_text("good room" if text == "good room" else "good food")
        page.wait_for_timeout(2500)
    page.go_back()
    expect(page.locator("#q")).to_have_value("good room")
    page.go_back()
    expect(page.locator("#q")).to_have_value("")
    assert page.url.rstrip("?").rstrip("/") == address


def test_what_texts_hold_is_shown_as_text(page: Page) -> None:
    """Script, quotes, and marks that turn the direction are characters; long texts are cut until they are asked for."""
    ask(page, "pool")
    assert TEXTS[3] in texts(page)
    assert page.title() == "kindred"
    ask(page, "room")
    assert RTL in texts(page)
    page.locator("#q").fill("price")
    page.keyboard.press("Enter")
    expect(first_text(page)).to_have_text(re.compile("^price"))
    assert len(texts(page)[0]) < 1300
    page.get_by_role("button", name="All of it").click()
    assert texts(page)[0] == TEXTS[5].strip()


def test_the_sentences_around_and_a_new_generation(page: Page, folder: Path) -> None:
    """Those before and after a hit, until the button is pressed again; what is committed meanwhile is found."""
    ask(page, "bad room")
    button = page.locator("#hits > li").first.get_by_role("button", name="Around it")
    for _ in range(2):
        assert button.get_attribute("aria-expanded") == "false"
        button.click()
        page.locator(".around li").first.wait_for()
        assert page.locator(".around li").all_text_contents() == TEXTS[:4]
        expect(button).to_have_attribute("aria-expanded", "true")
        button.press("Enter")
        expect(page.locator(".around")).to_be_hidden()
    with Index.open(folder, encoder=ToyEncoder()) as index:
        index.add(["noise noise noise"])
    ask(page, "noise")
    expect(first_text(page)).to_have_text("noise noise noise")


@pytest.mark.parametrize("width", [360, 1280, 2560])
def test_the_way_between_the_views_stays_where_it_is(page: Page, address: str, width: int) -> None:
    """The three links stand in the same place in each view, and each view is as wide as the others."""
    page.set_viewport_size({"width": width, "height": 900})
    seen = []
    for view, there in (("", "#said"), ("duplicates", "#about"), ("map", "#near button")):
        page.goto(f"{address}/{view}")
        page.locator(there).first.wait_for(timeout=60_000)
        links = page.locator("nav[aria-label=Views] a")
        assert links.all_text_contents() == ["Ask", "Duplicates", "Map"]
        width_of_view = page.evaluate("document.querySelector('main').getBoundingClientRect().width")
        seen.append(([one.bounding_box() for one in links.all()], width_of_view))
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400, 2560])
def test_no_width_and_no_scheme_breaks_it(page: Page, width: int, scheme: str) -> None:
    """Nothing runs over the side, and axe finds nothing serious."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    page.locator("#explain").check()
    ask(page, "good room price")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 300) == (scheme == "dark")
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    session = page.context.new_cdp_session(page)
    session.send("Page.setBypassCSP", {"enabled": True})
    page.evaluate(axe)
    found = page.evaluate("axe.run(document).then((result) => result.violations)")
    serious = [one["id"] for one in found if one["impact"] in {"serious", "critical"}]
    assert serious == []


def test_the_keyboard_is_enough(page: Page) -> None:
    """The question has the focus at once; Tab goes through everything to the first hit's buttons."""
    page.keyboard.type("good room")
    page.keyboard.press("Enter")
    page.locator("#hits > li").first.wait_for()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Similar":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("row=0"))


def test_the_command_serves_and_ends_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real process: it says where, answers, and Ctrl-C ends it without a trace; no line holds the token."""
    index = tmp_path / "hotels"
    succeed(capsys, "index", ROOT / "corpora" / "hotels.txt", "--out", index)
    process = subprocess.Popen(
        [sys.executable, "-m", "search", "serve", str(index), "--port", "0", "--token", TOKEN],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stderr is not None
        said = ""
        while (match := re.search(r"http://\S+", said)) is None:
            said += process.stderr.readline()
            assert process.poll() is None, said
        address = match[0]
        begin = time.monotonic()
        asked = urllib.request.Request(  # noqa: S310 - of this test's server
            f"{address}api/indexes/hotels/query?q=cold+room&k=1", headers={"authorization": f"Bearer {TOKEN}"}
        )
        while True:
            try:
                with urllib.request.urlopen(asked) as answer:  # noqa: S310
                    (hit,) = json.load(answer)["hits"]
                break
            except OSError:
                assert time.monotonic() < begin + 20
        assert hit["label"] == "negative"
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
        assert "Traceback" not in rest
        assert TOKEN not in said + rest
        assert process.returncode == 0
    finally:
        process.kill()


def test_mistakes_of_the_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Open to others without a token, no index, a port that is taken: each is told before anything is served."""
    assert "set a token" in refuse(capsys, "serve", folder, "--host", "0.0.0.0", code=2)  # noqa: S104 - it is refused
    assert "no such index" in refuse(capsys, "serve", tmp_path / "none")
    assert "same name" in refuse(capsys, "serve", folder, folder, code=2)
