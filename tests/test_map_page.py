"""Maps in a real browser: the page as a file, and the map of `kindred serve`."""

import re
import socket
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import BrowserContext, Page, expect

from search.index import Index
from search.index_map import map_of
from search.map_page import map_html
from search.service import Service
from search.web.app import create_app
from tests.browser import watched
from tests.cli_runner import toy_index
from tests.toy import ToyEncoder

pytestmark = pytest.mark.slow

NASTY = '<script>document.title = "taken"</script><img src=x onerror="document.title=1"> & "quotes" \' bad pool'
RTL = "\u202egood room \u05d7\u05d3\u05e8\u202c"
TEXTS = [NASTY, RTL, *(f"{feeling} {topic} {one}" for feeling in ("good", "bad", "so") for topic in ("food", "noise") for one in range(12))]  # fmt: skip  # noqa: E501


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an index of texts, some of them nasty."""
    return toy_index(tmp_path / "hotels", TEXTS, ToyEncoder())


@pytest.fixture
def page(context: BrowserContext, folder: Path, tmp_path: Path) -> Iterator[Page]:
    """Open the map as a file."""
    path = tmp_path / "map.html"
    with Index(folder) as index:
        path.write_text(map_html(map_of(index), index, title="<i>Hotels</i>"), encoding="utf-8")
    with watched(context, path.as_uri()) as page:
        page.goto(path.as_uri())
        page.locator("#list button").first.wait_for()
        yield page


@pytest.fixture
def served(context: BrowserContext, folder: Path) -> Iterator[Page]:
    """Open the map of a server on a free port."""
    with (
        Service({"hotels": folder}, load=lambda _: ToyEncoder()) as service,
        socket.create_server(("127.0.0.1", 0)) as open_,
    ):
        app = create_app(service, hosts=["127.0.0.1"])
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [open_]})
        thread.start()
        try:
            address = f"http://127.0.0.1:{open_.getsockname()[1]}"
            with watched(context, address) as page:
                page.goto(f"{address}/?q=good+food")
                page.locator("#to-map").click()
                page.locator("#near button").first.wait_for(timeout=60_000)
                yield page
        finally:
            server.should_exit = True
            thread.join(20)


def centred(page: Page, number: int) -> tuple[float, float]:
    """Choose a sentence of the list, which brings it to the middle in the file's page; return where the middle is."""
    page.locator("#list button").nth(number).click()
    box = page.locator("#map").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def colours(page: Page) -> int:
    """Return how many colours the canvas shows, of 3 bits each part."""
    count: int = page.evaluate(
        """() => { const canvas = document.getElementById("map"); const { data } = canvas.getContext("2d")
             .getImageData(0, 0, canvas.width, canvas.height); const seen = new Set();
             for (let at = 0; at < data.length; at += 4) seen.add([0, 1, 2].map((part) => data[at + part] >> 5).join());
             return seen.size; }"""
    )
    return count


def test_the_file_tells_what_a_point_says(page: Page) -> None:
    """Under the pointer stands the sentence, as text; clicked, where it is from too; the wheel and the keys zoom."""
    assert page.title() == "<i>Hotels</i>: map of 74 sentences"
    assert page.locator("h1").inner_text() == "<i>Hotels</i>"
    assert page.locator("#about").inner_text().startswith("74 sentences; meaning alone; t-SNE")
    page.locator("#search").fill("onerror")
    expect(page.locator("#found")).to_have_text("1 sentence")
    middle = centred(page, 0)
    assert page.locator("#chosen p").first.text_content() == NASTY
    assert page.locator("#chosen .quiet").inner_text().endswith("hotels-corpus.txt:1")
    page.mouse.move(*middle)
    expect(page.locator("#tip")).to_have_text(NASTY)
    page.mouse.move(2, 2)
    expect(page.locator("#tip")).to_be_hidden()
    page.locator("#search").fill("\u05d7\u05d3\u05e8")
    assert page.locator("#list button span").text_content() == RTL
    assert page.title().startswith("<i>")
    page.locator("#search").fill("")
    page.locator("#map").focus()
    for _ in range(12):
        page.keyboard.press("+")
    expect(page.locator("#found")).not_to_have_text("74 of 74 sentences")
    page.keyboard.press("0")
    expect(page.locator("#found")).to_have_text("74 of 74 sentences")


def test_the_legend_and_the_search_choose_what_is_seen(page: Page) -> None:
    """A label that is taken away is drawn and listed no more; what was found stands out."""
    assert [one.strip() for one in page.locator(".mark").all_inner_texts()] == [
        "negative 25, 34%", "neutral 25, 34%", "positive 24, 32%",
    ]  # fmt: skip
    many = colours(page)
    page.locator(".mark input").nth(0).uncheck()
    expect(page.locator("#found")).to_have_text("49 of 74 sentences")
    page.locator(".mark input").nth(1).uncheck()
    page.locator(".mark input").nth(2).uncheck()
    expect(page.locator("#found")).to_have_text("0 of 74 sentences")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert colours(page) == 1 < many


def test_a_click_finds_what_is_similar(served: Page) -> None:
    """On the server's map: the list is there for the keyboard, a point is asked for with a click, hits lead back."""
    page = served
    expect(page.locator("#said")).to_have_text(re.compile("^74 sentences; meaning alone"))
    page.locator("#near button", has_text="bad noise 3").or_(page.locator("#near button").first).first.click()
    expect(page.locator("#hits > li")).to_have_count(10)
    expect(page.locator("#list-name")).to_contain_text("Similar to")
    page.locator("#hits").get_by_role("button", name="On the map").first.click()
    first = page.locator("#hits .text").first.text_content()
    box = page.locator("#map").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    expect(page.locator("#tip")).to_be_visible()
    told = page.locator("#tip").text_content()
    page.mouse.click(*middle)
    expect(page.locator("#list-name bdi")).to_have_text(told or "")
    assert first
    page.get_by_role("button", name="Clear").click()
    page.locator("#near button").first.wait_for()
    page.locator("#q").fill("bad pool")
    page.keyboard.press("Enter")
    expect(page.locator("#hits .text").first).to_have_text(NASTY)
    page.locator("#weight").select_option("0.8")
    expect(page.locator("#said")).to_have_text(re.compile("weight of feeling 0.8"), timeout=60_000)
    assert "weight=0.8" in page.url
    expect(page.locator("#list-name bdi")).to_have_text("bad pool")  # what was asked is asked of the new map
    expect(page.locator("#hits > li")).to_have_count(10)
    assert page.title() == "Map: kindred"


def painted(page: Page) -> int:
    """Return a checksum of the points' canvas once it is drawn."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    checksum: int = page.evaluate(
        """() => { const canvas = document.getElementById("map"); const { data } = canvas.getContext("2d")
             .getImageData(0, 0, canvas.width, canvas.height); let sum = 0;
             for (const one of new Uint32Array(data.buffer)) sum = (Math.imul(sum, 31) + one) | 0;
             return sum; }"""
    )
    return checksum


def test_a_moved_map_is_drawn_as_a_new_one(page: Page) -> None:
    """What is moved as pixels, and stamped at the edges it shows, is pixel for pixel what is drawn from nothing."""
    canvas, label = page.locator("#map"), page.locator(".mark input").first
    canvas.focus()
    page.keyboard.press("+")
    seen = {painted(page)}
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        for _ in range(2 if key in {"ArrowRight", "ArrowDown"} else 4):
            page.keyboard.press(key)
            moved = painted(page)
        label.uncheck()  # all is drawn again
        assert painted(page) != moved
        label.check()
        assert painted(page) == moved
        seen.add(moved)
        canvas.focus()
    assert len(seen) == 5


def around(page: Page, *, left: float = 0.0, right: float = 1.0) -> None:
    """Draw an area on the map with Shift: all of its height, between shares of its width."""
    box = page.locator("#map").bounding_box()
    assert box is not None
    (x, y), (width, height) = (box["x"], box["y"]), (box["width"], box["height"])
    corners = [(x + share * width, y + part * height) for share, part in ((left, 0), (right, 0), (right, 1), (left, 1))]
    corners = [(min(max(a, x + 9), x + width - 9), min(max(b, y + 9), y + height - 9)) for a, b in corners]
    page.keyboard.down("Shift")
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")


def number(text: str | None) -> int:
    """Return the number that a text begins with."""
    found = re.match(r"\d+", text or "")
    assert found is not None
    return int(found[0])


def test_an_area_of_the_file_is_listed_and_searched(page: Page) -> None:
    """Shift and drag selects: how many, of which labels, and the sentences, in which one can look for words."""
    around(page)
    expect(page.locator("#list-name")).to_have_text("Selected")
    expect(page.locator("#found")).to_have_text("74 sentences")
    assert [one.strip() for one in page.locator("#mix .mark").all_inner_texts()] == [
        "negative 25, 34%", "neutral 25, 34%", "positive 24, 32%",
    ]  # fmt: skip
    page.locator(".mark input").first.uncheck()
    expect(page.locator("#found")).to_have_text("49 sentences")
    page.locator("#search").fill("good food")
    expect(page.locator("#found")).to_have_text("12 sentences")
    page.locator("#list button").first.click()
    expect(page.locator("#chosen p").first).to_contain_text("good food")
    page.locator("#search").fill("")
    page.locator(".mark input").first.check()
    page.locator("#whole").click()
    page.get_by_role("button", name="Clear the selection").click()
    expect(page.locator("#found")).to_have_text("74 of 74 sentences")
    expect(page.locator("#mix")).to_be_hidden()
    around(page, right=0.5)
    expect(page.locator("#list-name")).to_have_text("Selected")
    half = number(page.locator("#found").text_content())
    around(page, left=0.5)
    expect(page.locator("#found")).to_have_text(f"{74 - half} sentences")
    assert 0 < half < 74


def test_an_area_needs_no_dragging(page: Page) -> None:
    """The button, or the key S, and then what is in view: with the keyboard alone; Escape ends it."""
    canvas, select, bar = page.locator("#map"), page.locator("#select"), page.locator("#area")
    select.click()
    expect(bar).to_be_visible()
    assert select.get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="take all in view").click()
    expect(bar).to_be_hidden()
    expect(page.locator("#found")).to_have_text("74 sentences")
    expect(select).to_be_focused()
    page.get_by_role("button", name="Clear the selection").click()
    canvas.focus()
    page.keyboard.press("s")
    expect(bar).to_be_visible()
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    for key in ("s", "+", "+", "+", "+", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#list-name")).to_have_text("Selected")
    assert number(page.locator("#found").text_content()) < 74
    assert select.get_attribute("aria-pressed") == "false"


def test_an_area_of_the_server_is_listed(served: Page) -> None:
    """The selected sentences come a part at a time; each finds what is similar to it, and there is a way back."""
    page = served
    around(page)
    expect(page.locator("#list-name")).to_contain_text("74 sentences selected")
    expect(page.locator("#mix .mark")).to_have_count(3)
    expect(page.locator("#near button")).to_have_count(31)
    page.get_by_role("button", name="More of 44 sentences").click()
    expect(page.locator("#near button")).to_have_count(61)
    expect(page.locator("#near button").nth(30)).to_be_focused()
    page.get_by_role("button", name="More of 14 sentences").click()
    expect(page.locator("#near button")).to_have_count(74)
    assert len(set(page.locator("#near button").evaluate_all("all => all.map((one) => one.dataset.row)"))) == 74
    page.locator(".bottom .mark input").first.uncheck()
    expect(page.locator("#list-name")).to_contain_text("49 sentences selected")
    text = page.locator("#near button span").first.text_content()
    page.locator("#near button").first.click()
    expect(page.locator("#list-name bdi")).to_have_text(text or "")
    expect(page.locator("#hits > li")).to_have_count(10)
    page.get_by_role("button", name="Back to the selection").click()
    expect(page.locator("#near button")).to_have_count(31)
    expect(page.locator("#hits > li")).to_have_count(0)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#list-name")).to_have_text("Nearest to the middle of the map")


@pytest.mark.parametrize("kind", ["file", "served"])
def test_no_width_and_no_scheme_breaks_it(kind: str, request: pytest.FixtureRequest) -> None:
    """At 360 pixels and wide, light and dark: nothing runs over the side, and axe finds nothing serious."""
    page: Page = request.getfixturevalue("page" if kind == "file" else "served")
    session = page.context.new_cdp_session(page)
    session.send("Page.setBypassCSP", {"enabled": True})
    page.reload()
    page.locator(".mark").first.wait_for()
    page.locator("#take").evaluate("button => { document.getElementById('select').click(); button.click(); }")
    page.locator("#mix .mark").first.wait_for()
    page.locator("#select").click()
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    for width in (360, 1280):
        for dark in (False, True):
            page.emulate_media(color_scheme="dark" if dark else "light")
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_timeout(300)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert colours(page) > 4
            found = page.evaluate("axe.run(document).then((result) => result.violations)")
            assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
