"""The report as a file: what is in it, that it is whole, and that no text can get out of where it belongs."""

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

import search
from search.decisions import Decision, content_hash, decisions_object
from search.report import MODULES, report_html, script
from search.web.page import duplicates_script
from tests.found import found

PARTS = Path(search.__file__).parent / "report_page"

HOSTILE = [
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a \u2028 b \u2029 c", "<!-- <script>",
    "\u202egnp.exe \u200f\u05d0", "\"quoted\" 'and' `so`", "${x} {{data}} {{policy}}", "lone \ud800 surrogate",
    "]]>\\u003c\\",    "&lt;b&gt; &amp;", "nul \x00 bell \x07",
]  # fmt: skip


def data_of(page: str) -> dict[str, Any]:
    """Return the data that a page holds."""
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, flags=re.DOTALL)
    value: dict[str, Any] = json.loads(data)
    return value


def test_the_data() -> None:
    """Sentences in the order of their texts, each with place and hash; pairs and refusals point at them."""
    one = found(["b", "a", "c", "a "], {(0, 1): 0.95}, refused={(0, 2): (0.91, "number", ("1", "2"))})
    data = data_of(report_html(one, encoder="toy", decisions=[Decision("a", "c", same=True)]))
    assert [sentence[0] for sentence in data["sentences"]] == ["a", "a ", "b", "c"]
    assert [sentence[2] for sentence in data["sentences"]] == [2, 4, 1, 3]
    assert data["sentences"][1][3] == content_hash("a")
    assert data["pairs"] == [[0, 1, 1_000_000, 0, "equal text"], [2, 0, 950_000, 2, "score"]]
    assert data["refused"] == [[2, 3, 910_000, 2, "number", ["1", "2"]]]
    assert (data["count"], data["threshold"], data["sources"]) == (4, 900_000, ["corpora/a.txt"])
    assert data["about"] == "4 sentences, toy, weight 0.3"
    assert data["decisions"] == decisions_object([Decision("a", "c", same=True)])


def test_another_result_has_another_digest() -> None:
    """What a browser keeps for one report is not taken for another's; the same result gives the same file."""
    pages = [report_html(found(["a", "b"], {(0, 1): score}), encoder="toy") for score in (0.95, 0.95, 0.96)]
    assert pages[0] == pages[1]
    assert data_of(pages[0])["digest"] != data_of(pages[2])["digest"]


def test_no_text_is_read_as_markup() -> None:
    """Texts, sources and reasons full of markup stand in the data alone, where not one of them is written raw."""
    one = found(
        HOSTILE, {(0, row): 0.95 for row in range(1, len(HOSTILE))}, source="<b>&.txt",
        refused={(1, 2): (0.99, "</script>", ("<i>",))},
    )  # fmt: skip
    page = report_html(one, encoder="<toy>")
    assert sorted(sentence[0] for sentence in data_of(page)["sentences"]) == sorted(HOSTILE)
    raw = page.partition('id="data">')[2].partition("</script>")[0]
    assert not re.search("[<>&\u2028\u2029\ud800-\udfff\x00-\x1f]", raw)
    assert page.encode("utf-8")
    for tag in ("<script", "</script", "<style", "</style"):
        assert page.count(tag) == report_html(found([], {}), encoder="toy").count(tag) <= 2


def test_the_policy_lets_nothing_else_run() -> None:
    """The browser may run the one script and style that the page holds, by their hashes, and load nothing at all."""
    page = report_html(found(["a", "b"], {(0, 1): 0.95}), encoder="toy")
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', page)
    rules = dict(rule.split(" ", 1) for rule in html.unescape(policy).split("; "))
    assert rules.pop("default-src") == "'none'"
    for name, tag in (("script-src", '<script type="module">'), ("style-src", "<style>")):
        content = page.partition(tag)[2].partition("</")[0]
        assert rules.pop(name) == f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
    assert set(rules) == {"base-uri", "form-action", "require-trusted-types-for"}
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", page)


@pytest.mark.parametrize("whole", [script(), duplicates_script()])
def test_modules_name_nothing_twice(whole: str) -> None:
    """Put one behind the other, no two modules name the same thing at their top, and nothing of `import` is left.

    Neither in a report nor where a server puts modules of its own among them.
    """
    names = re.findall(r"^(?:async )?(?:function\*?|class|const|let) (\w+)", whole, flags=re.MULTILINE)
    assert sorted(names) == sorted(set(names))
    assert len(names) > 40
    assert not re.search(r"^\s*(import|export)\b", whole, flags=re.MULTILINE)


@pytest.mark.parametrize("module", MODULES)
def test_modules_import_only_what_comes_before(module: str) -> None:
    """A module of the page imports only modules before it, so that all of them can be put one behind the other."""
    imported = re.findall(
        r'^import .* from "\./(\w+)\.js";$', (PARTS / f"{module}.js").read_text("utf-8"), re.MULTILINE
    )
    assert set(imported) <= set(MODULES[: MODULES.index(module)])


def test_every_part_is_used() -> None:
    """The folder holds the modules, the page, what it shows, and its style, and nothing else."""
    rest = {"page.html", "view.html", "page.css"}
    assert {path.name for path in PARTS.iterdir()} == {*(f"{name}.js" for name in MODULES), *rest}


def test_text_is_only_ever_text() -> None:
    """No module hands a string to anything that reads markup or runs code."""
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|fetch\(", script()
    )
