"""Fixtures: the toy encoder, and a small real BERT that the tests build themselves."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.toy import ToyEncoder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

WORDS = (
    "i love hate the a was were not is room hotel food staff noise price pool good bad fine clean dirty rude kind "
    "people friendly loud quiet breakfast bed and very we it you never again lovely awful cold warm . , ! ?"
).split()


@pytest.fixture(scope="session", autouse=True)
def _heed_interrupts() -> None:
    """Let the processes that tests start be interrupted, also where this one is a shell's background job."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def toy() -> ToyEncoder:
    """Give an encoder with three ordered feelings."""
    return ToyEncoder()


@pytest.fixture(scope="session")
def small_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a plain BERT folder of 2 layers and 32 dimensions with random weights: no sentence-transformers files."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("models") / "small-bert"
    folder.mkdir()
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *"abcdefghijklmnopqrstuvwxyz"]
    pieces += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer = BertTokenizer(vocab=vocabulary, do_lower_case=True)
    assert tokenizer.tokenize("The room was zany") == ["the", "room", "was", "z", "##a", "##n", "##y"]
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Start a real browser for the tests of pages in a file; they are skipped where there is none.

    Not for all files at once: as long as it runs, so does its event loop, and no other can.
    """
    from tests.browser import chromium

    with chromium() as started:
        yield started


@pytest.fixture
def context(browser: "Browser") -> "Iterator[BrowserContext]":
    """Give a window of a browser without a past."""
    with browser.new_context(viewport={"width": 1400, "height": 1000}) as context:
        context.set_default_timeout(10_000)
        yield context
