"""What makes a page one file: its modules put one behind the other, its data as text, and what it may do.

Such a page needs no server and no network, and could reach none: its policy lets its own script and style run, as they
are, and nothing else. Modules are put one behind the other, so that no two may name the same thing at their top.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

__all__ = ["joined", "page_json", "policy"]

_IMPORT = re.compile(r"^import .*;\n", flags=re.MULTILINE)
_EXPORT = re.compile(r"^export (?=async |class |const |function )", flags=re.MULTILINE)

_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
"""What HTML or JavaScript would read as its own, and what UTF-8 cannot hold."""


def joined(modules: Iterable[str]) -> str:
    """Return JavaScript modules as one script: what they import must be among them."""
    return _EXPORT.sub("", _IMPORT.sub("", "\n".join(modules)))


def page_json(value: Any) -> str:
    """Return JSON that can stand in a script element: no text in it is read as markup.

    >>> page_json({"text": "</script>"})
    '{"text":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def policy(style: str, code: str) -> str:
    """Return what the browser lets the page do: run its own style and script, as they are, and nothing else."""

    def own(content: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"

    rules = ["default-src 'none'", f"script-src {own(code)}", f"style-src {own(style)}", "base-uri 'none'"]
    return "; ".join([*rules, "form-action 'none'", "require-trusted-types-for 'script'"])
