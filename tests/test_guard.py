"""What the guard refuses and what it lets through, in many languages; see tests/data/guard_cases.tsv."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.cue_words import guess, rows
from search.guard import FEELING_BOUND, KINDS, Kind, Refusal, cues, refuse
from search.number_words import digits_of, spelled

CASES = [
    tuple(line.split("\t"))
    for line in Path(__file__)
    .with_name("data")
    .joinpath("guard_cases.tsv")
    .read_text(encoding="utf-8")
    .splitlines()[1:]
]
ANY = st.text(max_size=60)
TOUCHY = st.lists(
    st.sampled_from("not no n't never don't without turn on off 3 three 1,000 1.5 5km 5 miles mw-2 v1.2 March may 1/0 "
                    "$ - % from to York Hull good bad ne pas nicht 不 ない 안 ½ ٣ first second".split(" ")),
    max_size=12,
).map(" ".join)  # fmt: skip


@pytest.mark.parametrize(("first", "second", "reason"), CASES)
def test_cases(first: str, second: str, reason: str) -> None:
    """Each pair of the table is refused for its reason, or for none, whichever text comes first."""
    for one, other in ((first, second), (second, first)):
        refusal = refuse(cues(one), cues(other))
        assert (str(refusal.reason) if refusal else "") == reason
        assert refusal is None or len(refusal.words) > 0


@pytest.mark.parametrize(("first", "second", "reason"), [case for case in CASES if case[2]])
def test_a_kind_that_is_switched_off_refuses_nothing(first: str, second: str, reason: str) -> None:
    """Without its kind a pair of the table is not refused for it."""
    refusal = refuse(cues(first), cues(second), KINDS - {Kind(reason)})
    assert refusal is None or refusal.reason != reason


@settings(deadline=None, max_examples=300)
@given(ANY | TOUCHY, ANY | TOUCHY)
def test_any_texts(first: str, second: str) -> None:
    """Any two texts can be compared, in either order alike, and none is refused against itself."""
    one, other = cues(first), cues(second)
    forth, back = refuse(one, other), refuse(other, one)
    assert (forth and forth.reason) == (back and back.reason)
    assert refuse(one, one) is None
    assert refuse(other, cues(second), feelings=(0.9, 0.9)) is None


def test_the_words_are_of_both_texts_in_their_order() -> None:
    """A refusal names the words as they stand, first those of the first text."""
    first, second = cues("We pay two hundred euros on Monday."), cues("We pay 300 euros on Monday.")
    assert refuse(first, second) == Refusal(Kind.NUMBER, ("two hundred euros", "300 euros"))
    assert refuse(second, first) == Refusal(Kind.NUMBER, ("300 euros", "two hundred euros"))
    assert refuse(cues("It DOESN\u2019T work."), cues("It works.")) == Refusal(Kind.NEGATION, ("DOESN'T",))


def test_a_feeling_that_one_of_two_long_texts_names() -> None:
    """It counts in long texts that differ in little else; not where the other names one like it, nor in short ones."""
    rest = " ".join(f"scene{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(50))
    for one, other, words in (
        (f"a portrayal {rest}", f"a terrible portrayal {rest}", {"terrible"}),
        (f"you owe me time {rest}", f"well worth the time {rest}", {"well", "worth"}),
        (f"good {rest} great", f"{rest}", {"good", "great"}),
    ):
        for first, second in ((one, other), (other, one)):
            refusal = refuse(cues(first), cues(second))
            assert refusal is not None
            assert (refusal.reason, set(refusal.words)) == (Kind.FEELING, words)
        assert refuse(cues(one), cues(other), KINDS - {Kind.FEELING}) is None
    for one, other in (
        (f"a good start {rest}", f"a great start {rest}"),
        (f"a bad start {rest} in a good year", f"a start {rest} in a year"),
        (f"a portrayal {rest}", f"a terrible portrayal {rest} " + " ".join("and so on and on" for _ in range(3))),
        (f"a portrayal {rest[:200]}", f"a terrible portrayal {rest[:200]}"),
    ):
        assert refuse(cues(one), cues(other)) is None
        assert refuse(cues(other), cues(one)) is None


def test_feelings() -> None:
    """Opposite polarities are refused from the bound on, and only where both are."""
    one, other = cues("What a day."), cues("Such a day.")
    assert refuse(one, other) is None
    assert refuse(one, other, feelings=(FEELING_BOUND, FEELING_BOUND)) is None
    assert refuse(one, other, feelings=(-1.0, FEELING_BOUND - 0.01)) is None
    assert refuse(one, other, feelings=(-FEELING_BOUND, FEELING_BOUND)) == Refusal(Kind.FEELING, ("-0.50", "+0.50"))
    assert refuse(one, other, KINDS - {Kind.FEELING}, (-1.0, 1.0)) is None


def test_a_number_that_only_one_text_has_is_no_reason() -> None:
    """Two numbers of which one is left out are told from two that differ."""
    assert refuse(cues("10 rooms for 3 nights"), cues("rooms for 3 nights")) is None
    assert refuse(cues("10 rooms for 3 nights"), cues("9 rooms for 3 nights")) is not None


def test_numbers_written_out() -> None:
    """Written-out numbers are put in digits, and what stood there is known by its place."""
    assert spelled("dreiundzwanzig hunde", "de") == ("23 hunde", {0: "dreiundzwanzig"})
    assert spelled("a second, the second", "en") == ("a second, the 2", {14: "second"})
    assert spelled("no number", "xx") == ("no number", {})
    assert digits_of("०१ Ⅻ ²") == "01 XII 2"


def test_lists_are_whole() -> None:
    """Every row of a list has its columns, and no word of an own line stands against itself."""
    widths = {"languages": 2, "negation": 3, "opposites": 3, "opposites_wordnet": 2, "units": 3, "multipliers": 2}
    for name, width in (widths | {"calendar": 3, "feelings": 2}).items():
        assert {len(row) for row in rows(name)} == {width}
    for _, one, other in rows("opposites"):
        assert set(one.split()).isdisjoint(other.split()), (one, other)
    assert rows("languages")[0][0] == "en"


def test_languages() -> None:
    """The language of a few words is told, and that none is."""
    assert guess("the cat is on the mat".split()) == "en"
    assert guess("die katze ist auf der matte".split()) == "de"
    assert guess("el gato está en la casa".split()) == "es"
    assert guess(["zzz"]) == ""
