"""A real browser for the tests of pages: Debian's or any other Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a headless browser; the test is skipped where there is none. CHROMIUM names another program."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium on this machine; install it (apt-get install chromium) or name it with CHROMIUM")
    expect.set_options(timeout=20_000)  # the machine may be busy
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-quic"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def watched(context: BrowserContext, *allowed: str) -> Iterator[Page]:
    """Open a window in which nothing may go wrong, and nothing be asked for but what begins with one of `allowed`.

    It is closed, and then judged, before what serves it stops: an error raised where the browser tells of it would end
    the connection to the browser.
    """
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"an error in the page: {error}"))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith((*allowed, "data:")) else wrong.append(asked.url))
    yield page
    page.close()
    assert not wrong, wrong  # named here: pytest rewrites the asserts of test files alone


def shown_clusters(page: Page) -> list[list[str]]:
    """Return where the sentences of each cluster stand, survivor first, as the page lists them."""
    return [
        [place.rpartition(":")[2] for place in cluster.locator(".place").all_text_contents()]
        for cluster in page.locator(".cluster").all()
    ]
