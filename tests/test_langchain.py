"""kindred as LangChain knows it: its own standard tests, and what kindred adds."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore
from langchain_tests.integration_tests import EmbeddingsIntegrationTests, VectorStoreIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from search.corpus import Corpus
from search.encoders import load_encoder
from search.errors import EncoderError, OptionError
from search.index import Index
from search.indexing import build_index
from search.langchain import ID, KindredEmbeddings, KindredStore
from tests.toy import ToyEncoder

slow = pytest.mark.slow


@slow
class TestEmbeddingsUnit(EmbeddingsUnitTests):
    """LangChain's unit tests of Embeddings."""

    @property
    def embeddings_class(self) -> type[Embeddings]:
        """Say what is tested."""
        return KindredEmbeddings


@slow
class TestEmbeddings(EmbeddingsIntegrationTests):
    """LangChain's integration tests of Embeddings, on the shipped encoder."""

    @property
    def embeddings_class(self) -> type[Embeddings]:
        """Say what is tested."""
        return KindredEmbeddings


@slow
class TestStore(VectorStoreIntegrationTests):
    """LangChain's tests of vector stores, on a real index folder and the shipped encoder."""

    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> Iterator[VectorStore]:
        """Give an empty store."""
        store = KindredStore(tmp_path / "index", encoder=load_encoder())
        yield store
        store.index.close()


@pytest.fixture
def store(tmp_path: Path, toy: ToyEncoder) -> Iterator[KindredStore]:
    """Give a store of four documents."""
    store = KindredStore(tmp_path / "i", encoder=toy)
    store.add_texts(
        ["good room", "bad room", "good food", "the pool"],
        [{"stars": 5}, {"stars": 1}, {"stars": 4, "city": "Lisbon"}, {}],
        ids=list("abcd"),
    )
    yield store
    store.index.close()


def texts(documents: list[Document]) -> list[str]:
    """Return what documents say."""
    return [document.page_content for document in documents]


def test_what_may_be_asked(store: KindredStore) -> None:
    """Sentiment, weight, conditions, a filter, words; as arguments or as a retriever's."""
    assert texts(store.similarity_search("good room", k=2)) == ["good room", "bad room"]
    assert texts(store.similarity_search("good room", k=1, sentiment="opposite")) == ["bad room"]
    assert texts(store.similarity_search("room", filter={"stars": [1, 4]}, k=9)) == ["bad room", "good food"]
    assert texts(store.similarity_search("room", filter={"stars": 5, "city": None}, k=9)) == ["good room"]
    assert texts(store.similarity_search("room", where="stars >= 4", k=9)) == ["good room", "good food"]
    assert texts(store.similarity_search("pool", match="words")) == ["the pool"]
    retriever = store.as_retriever(search_kwargs={"k": 1, "sentiment": "negative", "weight": 0.9})
    assert texts(retriever.invoke("food")) == ["bad room"]
    (document,) = store.similarity_search("food", k=1)
    assert document == Document(id="c", page_content="good food", metadata={"stars": 4, "city": "Lisbon"})


def test_scores_are_those_of_the_index(store: KindredStore) -> None:
    """From 1 for the text itself; LangChain's relevance is the same from 0 to 1, and may be cut off."""
    found = store.similarity_search_with_score("good room", k=4)
    (hits,) = store.index.search(["good room"], k=4)
    assert [score for _, score in found] == [hit.score for hit in hits]
    assert found[0][1] == 1.0
    relevant = store.similarity_search_with_relevance_scores("good room", k=4, score_threshold=0.9)
    assert [(document.page_content, score) for document, score in relevant] == [("good room", 1.0)]


def test_diverse_hits(store: KindredStore) -> None:
    """By nearness alone two rooms come first; with diversity the second is another topic."""
    assert texts(store.max_marginal_relevance_search("room food", k=2, lambda_mult=1.0, weight=0.0))[0] != "the pool"
    first, second = texts(store.max_marginal_relevance_search("room room food", k=2, lambda_mult=0.3))
    assert first.split()[1] == "room"
    assert second.split()[1] != "room"
    assert store.max_marginal_relevance_search("room", filter={"stars": 77}) == []


def test_an_index_of_files_is_a_store(tmp_path: Path, toy: ToyEncoder) -> None:
    """Its sentences say where they are; documents may be added to it, and deleted again."""
    (tmp_path / "a.txt").write_text("good room\nbad food\n", encoding="utf-8")
    build_index(Corpus([str(tmp_path / "a.txt")]), tmp_path / "i", toy)
    with Index.open(tmp_path / "i", encoder=toy) as index:
        store = KindredStore(index)
        (document,) = store.similarity_search("good room", k=1)
        assert document == Document(
            page_content="good room", metadata={"source": str(tmp_path / "a.txt"), "line": 1}, id=None
        )
        assert store.get_by_ids(["a"]) == []
        store.delete(["a"])
        store.add_texts(["good pool"], ids=["a"])
        assert texts(store.get_by_ids(["a", "b", "a"])) == ["good pool"]
        store.delete(["a"])
        assert (len(index), store.get_by_ids(["a"])) == (2, [])


def test_another_process_writes(store: KindredStore, toy: ToyEncoder) -> None:
    """What it commits is seen at the next question."""
    with Index.open(store.index.folder, encoder=toy) as other:
        other.add([{"text": "noise noise", ID: "n"}])
    assert texts(store.similarity_search("noise", k=1)) == ["noise noise"]
    assert texts(store.get_by_ids(["n"])) == ["noise noise"]


def test_many_threads_at_once(store: KindredStore) -> None:
    """Readers and writers of one store do not get into each other's way."""
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(5):
            name = f"{number}-{turn}"
            store.add_texts([f"price {name}"], ids=[name])
            if texts(store.get_by_ids([name])) != [f"price {name}"]:
                wrong.append(name)
            if not store.similarity_search("good room", k=1):
                wrong.append(turn)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(store.index) == 4 + 20


@pytest.mark.parametrize(
    ("texts_", "options", "said"),
    [
        (["a", " "], {}, "Text 1 .from 0. is blank"),
        (["a"], {"ids": ["1", "2"]}, "1 texts and 2 ids"),
        (["a"], {"metadatas": []}, "1 texts and 0 metadatas"),
        (["a"], {"metadatas": [{ID: 3}]}, "called 'document_id'"),
        (["a"], {"batch": 3}, "Unknown: batch"),
    ],
)
def test_what_cannot_be_added(store: KindredStore, texts_: list[str], options: dict[str, object], said: str) -> None:
    """It is said, and nothing is."""
    with pytest.raises(ValueError, match=said):
        store.add_texts(texts_, **options)  # type: ignore[arg-type]
    assert len(store.index) == 4
    assert store.add_texts([]) == []


def test_other_mistakes(store: KindredStore, tmp_path: Path) -> None:
    """Another's embeddings, no folder, no ids, a label that is none, an encoder without labels."""
    with pytest.raises(ValueError, match="A DeterministicFakeEmbedding gives no rows"):
        KindredStore.from_texts(["a"], DeterministicFakeEmbedding(size=8), index=tmp_path / "x")
    with pytest.raises(ValueError, match="where the index is to be"):
        KindredStore.from_texts(["a"], KindredEmbeddings(ToyEncoder()))
    with pytest.raises(ValueError, match="Give the ids"):
        store.delete()
    with pytest.raises(OptionError, match="No label 'happy'"):
        KindredEmbeddings(ToyEncoder(), sentiment="happy")
    with pytest.raises(EncoderError, match="knows meaning only"):
        KindredEmbeddings(ToyEncoder(None), weight=0.5)
    with pytest.raises(OptionError, match="it has a quotation mark"):
        store.similarity_search("room", filter={'a"b': 1})


def test_the_same_id_twice_at_once_is_the_last(store: KindredStore) -> None:
    """As it would be one after the other."""
    store.add_texts(["good staff", "bad staff"], ids=["s", "s"])
    assert texts(store.get_by_ids(["s"])) == ["bad staff"]


def test_any_store_of_inner_products_gives_the_score(toy: ToyEncoder) -> None:
    """The inner product of an embedded query and an embedded document is kindred's score."""
    embeddings = KindredEmbeddings(toy, sentiment="opposite", weight=0.5)
    rows = np.array(embeddings.embed_documents(["good room", "bad room"]))
    same, other = rows @ np.array(embeddings.embed_query("good room"))
    assert other > same + 0.3
    assert rows.shape == (2, toy.passport.width)
    plain = InMemoryVectorStore(KindredEmbeddings(toy, sentiment="any"))
    plain.add_texts(["good room", "bad food"])
    assert texts(plain.similarity_search("the room", k=1)) == ["good room"]


def test_a_chain(tmp_path: Path, toy: ToyEncoder) -> None:
    """Retriever, prompt, a chat model (here one that says what it was told to), text."""
    embeddings = KindredEmbeddings(toy)
    store = KindredStore.from_texts(["good room", "bad food"], embeddings, index=tmp_path / "i")
    assert store.embeddings.encoder is toy
    seen: list[str] = []

    def joined(documents: list[Document]) -> str:
        seen.extend(texts(documents))
        return "\n".join(texts(documents))

    chain = (
        {"context": store.as_retriever(search_kwargs={"k": 1}) | joined, "question": RunnablePassthrough()}
        | ChatPromptTemplate.from_template("Answer from this:\n{context}\n\n{question}")
        | FakeListChatModel(responses=["The food is bad."])
        | StrOutputParser()
    )
    assert chain.invoke("bad food") == "The food is bad."
    assert seen == ["bad food"]
    store.index.close()
