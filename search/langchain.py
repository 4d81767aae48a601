"""kindred for LangChain: its encoders as Embeddings, an index folder as a VectorStore; retrievers come from the latter.

store = KindredStore("indexes/hotels")
retriever = store.as_retriever(search_kwargs={"k": 3, "sentiment": "opposite", "weight": 0.5})
retriever.invoke("the staff were rude")
"""

import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Self

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance

from search.encoder import Encoder
from search.encoders import load_encoder
from search.filters import Filter, matching_rows
from search.index import Index, resolve
from search.manifest import Layout
from search.query import aim
from search.records import Entry, Hit
from search.similarity import weigh

__all__ = ["ID", "KindredEmbeddings", "KindredStore"]

ID = "document_id"
"""The metadata column in which the index holds a document's id; documents do not show it."""


class KindredEmbeddings(Embeddings):
    """Texts to whole rows, meaning and sentiment, for any vector store that compares by inner product.

    A document's vector is its row of two unit blocks; a query's is weighed, so that the inner product of the two is
    kindred's score (`similarity`). Stores that bring vectors to length 1 first do not give it.
    """

    def __init__(
        self, encoder: Encoder | str | None = None, *, sentiment: str | None = None, weight: float | None = None
    ) -> None:
        """Take or load an encoder.

        Args:
            encoder: an encoder, a checkpoint's folder or a model's name; None: kindred-mini.
            sentiment: what queries ask of sentiment: "same", "opposite", "any", or a label.
            weight: how much of the score is sentiment, in [0, 1]; None: the encoder's default.

        Raises:
            EncoderError: it cannot be found or loaded, or knows no sentiment and is asked for it.
            OptionError: no such label, or the weight is out of range.
        """
        self.encoder = load_encoder(encoder) if encoder is None or isinstance(encoder, str) else encoder
        self._asked = (sentiment, weight)
        aim(np.empty((0, self.encoder.passport.width), np.float32), self.encoder.passport, sentiment, weight)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return n rows of d+s numbers."""
        rows: list[list[float]] = self.encoder.encode(texts).rows.tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """Return the (d+s) numbers of a weighed query."""
        passport = self.encoder.passport
        rows, weight = aim(self.encoder.encode([text]).rows, passport, *self._asked)
        query: list[float] = weigh(rows, weight, passport.meaning_dim)[0].tolist()
        return query


class KindredStore(VectorStore):
    """An index folder as LangChain's vector store; the folder is an ordinary index, which every command reads.

    Searches take `sentiment`, `weight`, `where`, `sources`, `labels`, `match` (see `Index.search`) and `filter`, a
    mapping of metadata columns to the value, or values, that they must hold. Documents added here have ids; a sentence
    that came from a file has none, and its metadata say its source and line.
    """

    def __init__(self, index: Index | str | Path, *, encoder: Encoder | str | None = None) -> None:
        """Open an index, or make an empty one where there is none.

        Args:
            index: an open index, its folder, or its name in `indexes/`.
            encoder: the one that made it; for a new index None is kindred-mini.

        Raises:
            IndexFolderError: the folder is damaged, or was made by another encoder.
            EncoderError: the encoder cannot be found or loaded.
        """
        if isinstance(index, Index):
            self.index = index
        elif Layout(resolve(str(index))).manifest.exists():
            self.index = Index.open(index, encoder=encoder)
        else:
            self.index = Index.create(index, encoder=encoder)
        self._lock = threading.Lock()

    @property
    def embeddings(self) -> KindredEmbeddings:
        """Return the index's encoder as Embeddings."""
        return KindredEmbeddings(self.index.encoder)

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add texts and commit; one with an id that is there takes the other's place. Return the ids.

        Args:
            texts: what to add; white space around a text is not kept.
            metadatas: a mapping for each.
            ids: an id for each; None, or None among them: new ones.
            kwargs: none is known.

        Raises:
            ValueError: the lists differ in length, a text is blank, or a metadata column is called `document_id`.
            OutputError: the index cannot be written to.
        """
        _refuse(kwargs)
        given = list(texts)
        for name, one in (("metadatas", metadatas), ("ids", ids)):
            if one is not None and len(one) != len(given):
                raise ValueError(f"{len(given)} texts and {len(one)} {name}; give as many.")
        blank = [number for number, text in enumerate(given) if not text.strip()]
        if blank:
            raise ValueError(f"Text {blank[0]} (from 0) is blank; a document needs some words.")
        if any(ID in metadata for metadata in metadatas or ()):
            raise ValueError(f"A metadata column is called {ID!r}, which kindred holds the documents' ids in.")
        names = [one or str(uuid.uuid4()) for one in ids or [None] * len(given)]
        last = {
            name: {"text": text, **metadata, ID: name}
            for name, text, metadata in zip(names, given, metadatas or cycle([{}]), strict=False)
        }
        if not last:
            return []
        with self._lock:
            self._delete(list(last))
            self.index.add(last.values(), text_column="text")
        return names

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        """Delete documents by their ids and commit; ids that are not there do not matter.

        Raises:
            ValueError: no ids are given.
            OutputError: the index cannot be written to.
        """
        _refuse(kwargs)
        if ids is None:
            raise ValueError("Give the ids of the documents to delete.")
        with self._lock:
            self._delete(ids)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents of these ids, in the order given; those that are not there are left out."""
        with self._lock:
            self.index.refresh()
            found = {document.id: document for document in map(self._document, self._entries(ids))}
        return [found[name] for name in dict.fromkeys(ids) if name in found]

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Return the k nearest documents; see the class for what may be asked."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **kwargs)]

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> list[tuple[Document, float]]:
        """Return the k nearest documents with their scores, in [-1, 1], larger is nearer."""
        return [(self._document(hit.entry), hit.score) for hit in self._hits(query, k, **kwargs)]

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Return k of the `fetch_k` nearest that are near to the query and unlike each other (by meaning)."""
        with self._lock:
            hits = self._found(query, max(k, fetch_k), **kwargs)
            meaning = self.index.passport.meaning_dim
            asked = self.index.encoder.encode([query]).rows[0, :meaning]
            rows = [self.index.vectors[hit.entry.row, :meaning].tolist() for hit in hits]
        chosen = maximal_marginal_relevance(asked, rows, lambda_mult, k) if rows else []
        return [self._document(hits[number].entry) for number in chosen]

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        index: Index | str | Path | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a store of texts.

        Args:
            texts: what to add.
            embedding: a `KindredEmbeddings`.
            metadatas: a mapping for each text.
            ids: an id for each text.
            index: the folder of the index, which is made where there is none.
            kwargs: none is known.

        Raises:
            ValueError: the embedding is another, or no index is named.
        """
        _refuse(kwargs)
        if not isinstance(embedding, KindredEmbeddings):
            raise ValueError(  # noqa: TRY004 - what LangChain's own stores raise
                f"A {type(embedding).__name__} gives no rows of meaning and sentiment; use KindredEmbeddings, which "
                "takes any sentence-transformers or BERT folder."
            )
        if index is None:
            raise ValueError("Say where the index is to be: index='indexes/NAME'.")
        store = cls(index, encoder=embedding.encoder)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    def _select_relevance_score_fn(self) -> Any:
        """Bring scores from [-1, 1] to LangChain's [0, 1]."""
        return lambda score: (score + 1.0) / 2.0

    def _hits(self, query: str, k: int, **kwargs: Any) -> list[Hit]:
        with self._lock:
            return self._found(query, k, **kwargs)

    def _found(self, query: str, k: int, **kwargs: Any) -> list[Hit]:
        """Return a query's hits; the lock is held."""
        wanted: Mapping[str, Any] = kwargs.pop("filter", None) or {}
        fields = {
            column: value if isinstance(value, list | tuple | set) else [value] for column, value in wanted.items()
        }
        self.index.refresh()
        (hits,) = self.index.search([query], k=k, fields=fields, **kwargs)
        return hits

    def _entries(self, ids: Sequence[str]) -> list[Entry]:
        if ID not in self.index.columns():
            return []
        among = matching_rows(self.index, Filter(fields={ID: tuple(ids)}))
        return self.index.entries(self.index.counting(among))

    def _delete(self, ids: Sequence[str]) -> None:
        self.index.refresh()
        if self._entries(ids):
            self.index.delete(fields={ID: tuple(ids)})

    def _document(self, entry: Entry) -> Document:
        metadata = dict(entry.sentence.metadata)
        name = metadata.pop(ID, None)
        if name is None:
            metadata |= {"source": entry.sentence.source, "line": entry.sentence.line}
        return Document(page_content=entry.sentence.text, metadata=metadata, id=name)


def _refuse(unknown: Mapping[str, Any]) -> None:
    if unknown:
        raise ValueError(f"Unknown: {', '.join(unknown)}.")
