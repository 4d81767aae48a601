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


@pytest.mark.parametrize("kind", ["file", "served"])
def test_no_width_and_no_scheme_breaks_it(kind: str, request: pytest.FixtureRequest) -> None:
    """At 360 pixels and wide, light and dark: nothing runs over the side, and axe finds nothing serious."""
    page: Page = request.getfixturevalue("page" if kind == "file" else "served")
    session = page.context.new_cdp_session(page)
    session.send("Page.setBypassCSP", {"enabled": True})
    page.reload()
    page.locator(".mark").first.wait_for()
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
