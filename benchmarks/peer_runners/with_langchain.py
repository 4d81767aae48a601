"""LangChain: HuggingFaceEmbeddings and FAISS.from_texts, as its tutorial does."""

from collections.abc import Callable
from pathlib import Path

from langchain_community.vectorstores import FAISS
from langchain_huggingface import HuggingFaceEmbeddings


def load(model: str) -> HuggingFaceEmbeddings:
    """Load the encoder."""
    return HuggingFaceEmbeddings(model_name=model)


def build(encoder: HuggingFaceEmbeddings, texts: Path, folder: Path) -> None:
    """Encode and store a file of lines."""
    store = FAISS.from_texts(texts.read_text().splitlines(), encoder)
    store.save_local(str(folder))


def opened(model: str, folder: Path) -> Callable[[str], list[str]]:
    """Open what was stored, to ask it."""
    encoder = HuggingFaceEmbeddings(model_name=model)
    store = FAISS.load_local(str(folder), encoder, allow_dangerous_deserialization=True)
    return lambda query: [document.page_content for document in store.similarity_search(query, k=10)]
