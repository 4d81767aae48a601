"""Compare sentence splitters on a small gold set of hard cases.

Kindred ranks sentences, so a bad split hurts twice: a fragment matches nothing well, and two
sentences glued together match everything a little. This command shows how often each library
agrees with splits made by hand, how fast it is, and whether it keeps the text whole.

Run it with whichever libraries are installed; the others are listed as missing::

    pip install sentencex pysbd syntok blingfire nupunkt spacy
    python benchmarks/splitters.py              # the table
    python benchmarks/splitters.py --failures   # and every case each library gets wrong

Columns: exact, the share of cases split just as by hand, each library being told the language
where it takes one; English, the same over the English cases; unknown, the same as exact with
every case passed as English; F1, over the boundaries between sentences; whole, the share of cases
whose spans hold each visible character once, in order; chars/s, on the gold set repeated to 1 MB
of characters, or to the size shown if that would take too long; import, seconds to import.
Boundaries are compared by counting visible characters, so a library is free to leave the white
space between two sentences with the one before, with the one after, or out.
"""

from __future__ import annotations

import argparse
import functools
import importlib.metadata
import itertools
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

# One case a line, its language first; "|" marks a boundary and "¶" a line break in a sentence.
GOLD = """
en The U.S. Senate adjourned.|The U.K. Parliament did not.
en He was born in the U.S.|His sister was born in Chile.
en Doors open at 7 p.m.|Dinner follows an hour later.
en See No. 5 on the list.|It costs less than No. 12 does.
en The recipe needs flour, sugar, butter, etc. for the base.|The filling is simpler.
en We met J. R. Halloran at the library.|He signed both books.
en Harlow v. Mercer Bros. Inc. was decided in June.|The appeal failed.
en The parcel went to 14 Birch St. by mistake.|We sent another.
en She lives on Birch St.|Her office is on Fern Ave.|Both are quiet.
en Lt. Col. Baines and Sgt. Ruiz reported at dawn.|The gate was already open.
en The study (Moreau et al. 2014) found no effect.|A later one did.
en Compare pp. 14-19 with Fig. 3.|The curves differ.
en The jar weighs approx. 3 lb. when full.|Lift it with care.
en Pi is roughly 3.14159.|Nobody needs more digits to bake a pie.
en Open https://example.com/a.b?c=d.e for the form.|Fill in every box.
en Node.js and ASP.NET are both listed.|Neither is required.
en "Stop!" she cried.|The cart rolled on.
en "Are you coming?" he asked.|"I would rather sleep."
en "It is late," said Mara.|"We should go."
en He whispered, “Listen.”|Then the owl called.
en 'Run!' he shouted, and they ran.|The barn fell behind them.
en Yahoo! was founded in a trailer.|It grew quickly.
en Wait... is that the last train?|I think it is.
en I thought I knew the way...|I was wrong.
en The bridge (built in 1911) is closed.|Use the ford.
en The museum was empty.|(It was a Monday.)|We had the rooms to ourselves.
en He kept the receipt (who wouldn't?) in a drawer.|It is still there.
en The trial ended early.[3]|Costs were shared.[4]
en 1. Wash the rice.|2. Boil the water.|3. Wait.
en The rules: a) no running, b) no shouting.|Break one and you leave.
en iPhones sell well.|eBay lists thousands of them.
en The river ran¶high that spring.|The mill¶was lost.
en The letter was from Dr.¶Ellis, as usual.|We filed it.
en You and I.|Nobody else was invited.
en She has a B.A. and an M.Sc. from Cork.|He has neither.
en The temperature fell to -4.5 °C overnight.|The pipes held.
de Dr. Weber wohnt am Markt.|Er ist selten zu Hause.
de Viele Tiere, z. B. Igel, schlafen im Winter.|Andere wandern.
de Das Fest beginnt am 3. Oktober um 18 Uhr.|Der Eintritt ist frei.
de Das Haus ist ca. 200 Jahre alt, d.h. es steht unter Schutz.|Niemand darf es abreißen.
de „Kommst du mit?“, fragte sie.|Er nickte.
fr M. Girard vend des pommes.|Mme Petit les achète.
fr Il habite au n° 12, cf. le plan.|La porte est bleue.
fr « Tu viens ? » demanda-t-elle.|Il ne répondit pas.
fr Quelle histoire !|Personne n'y croit.
es El Sr. Ramos y la Sra. Vidal llegaron tarde.|Nadie los esperaba.
es La Dra. Soto vive en la Av. Central.|Atiende los lunes.
ru Писатель А. С. Громов жил в Туле.|Там он и умер.
ru Завод построили в 1932 г. на берегу реки.|Его закрыли весной.
ru Купите хлеб, сыр и т. д. к ужину.|Гости придут в семь.
ru — Куда ты идёшь? — спросил он.|Она молчала.
ja 今日は雨です。|傘を持って行きましょう。
ja 「もう帰るの？」と彼女は聞いた。|彼は黙っていた。
ja すごい！|本当に君が作ったの？
zh 他问：“你去哪儿？”|她没有回答。
zh 价格是3.5元。|太贵了！
ar وصل القطار متأخرا.|هل انتظرت طويلا؟|نعم، ساعة كاملة.
ar اشترى الكتاب بسعر 12.5 دينارا.|ثم عاد إلى البيت.
hi आज बहुत ठंड है।|क्या तुम चाय पिओगे?|हाँ, ज़रूर।
hi डॉ. शर्मा कल आएँगे।|उनसे समय ले लो।
"""

Span = tuple[int, int]
Splitter = Callable[[str, str], list[Span]]  # (text, language) to spans


class Case(NamedTuple):
    """A text, its language and where its sentences end, in visible characters."""

    language: str
    text: str
    cuts: set[int]


def visible(text: str) -> int:
    """Count the characters of `text` that are not white space."""
    return sum(not character.isspace() for character in text)


def read_case(line: str) -> Case:
    """Read one line of the gold set."""
    language, marked = line.split(" ", 1)
    sentences = marked.replace("¶", "\n").split("|")
    text = ("" if language in {"ja", "zh"} else " ").join(sentences)
    ends = set(itertools.accumulate(visible(sentence) for sentence in sentences))
    return Case(language, text, ends - {visible(text)})


def load_sentencex() -> Splitter:
    from sentencex import get_sentence_boundaries as find

    return lambda text, language: [(s["start_index"], s["end_index"]) for s in find(language, text)]


def load_pysbd() -> Splitter:
    warnings.simplefilter("ignore", SyntaxWarning)  # its patterns are not raw strings
    from pysbd import Segmenter

    make = functools.cache(lambda language: Segmenter(language=language, char_span=True))
    return lambda text, language: [(s.start, s.end) for s in make(language).segment(text)]


def load_syntok() -> Splitter:
    from syntok.segmenter import analyze

    def split(text: str, language: str) -> list[Span]:
        sentences = (list(tokens) for paragraph in analyze(text) for tokens in paragraph)
        return [(s[0].offset, s[-1].offset + len(s[-1].value)) for s in sentences if s]

    return split


def load_blingfire() -> Splitter:
    from blingfire import text_to_sentences_and_offsets

    return lambda text, language: text_to_sentences_and_offsets(text)[1]


def load_nupunkt() -> Splitter:
    from nupunkt import sent_spans

    return lambda text, language: list(sent_spans(text))


def load_spacy() -> Splitter:
    import spacy

    @functools.cache
    def make(language: str) -> spacy.language.Language:
        # Japanese needs a package for its words, and neither needs them for the rules.
        nlp = spacy.blank("xx" if language in {"ja", "zh"} else language)
        nlp.add_pipe("sentencizer")
        return nlp

    return lambda text, language: [(s.start_char, s.end_char) for s in make(language)(text).sents]


LOADERS = (load_sentencex, load_pysbd, load_syntok, load_blingfire, load_nupunkt, load_spacy)


def find_cuts(text: str, spans: list[Span]) -> set[int]:
    """Turn spans into boundaries counted in visible characters, without the text's own ends."""
    return {visible(text[:end]) for _, end in spans} - {0, visible(text)}


def is_whole(text: str, spans: list[Span]) -> bool:
    """Say whether the spans hold every visible character once and in order."""
    return "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())


def speed(split: Splitter, unit: str, budget: float) -> tuple[float, int]:
    """Return characters a second, and the size timed: `unit` repeated to 1 MB if time allows."""
    size = 10_000
    while True:
        text = (unit * (size // len(unit) + 1))[:size]
        start = time.perf_counter()
        split(text, "en")
        seconds = time.perf_counter() - start
        if size == 1_000_000 or seconds * 10 > budget:  # ten times the text, ten times or more
            return size / seconds, size
        size *= 10


def import_time(name: str) -> float:
    """Return the seconds a new interpreter takes to import a library, best of three."""
    module = "syntok.segmenter" if name == "syntok" else name
    program = f"import time as t; s = t.time(); import {module}; print(t.time() - s)"
    command = [sys.executable, "-W", "ignore", "-c", program]
    return min(float(subprocess.check_output(command)) for _ in range(3))


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare sentence splitters on a gold set.")
    parser.add_argument("--failures", action="store_true", help="print the cases each gets wrong")
    parser.add_argument("--budget", type=float, default=20.0, help="seconds for one speed test")
    options = parser.parse_args()
    gold = [read_case(line) for line in GOLD.strip().splitlines()]
    english = sum(case.language == "en" for case in gold)
    unit = "\n\n".join(case.text for case in gold) + "\n\n"
    print(f"{len(gold)} cases, {english} of them English; Python {sys.version.split()[0]}")
    print("library    version   exact English unknown    F1  whole     chars/s  timed on  import")
    wrong: list[str] = []
    for loader in LOADERS:
        name = loader.__name__.removeprefix("load_")
        try:
            split = loader()
        except ImportError:
            print(f"{name:10} not installed")
            continue
        exact = exact_english = unknown = whole = right = given = 0
        for language, text, cuts in gold:
            spans = split(text, language)
            found = find_cuts(text, spans)
            right += len(found & cuts)
            given += len(found)
            exact += found == cuts
            exact_english += found == cuts and language == "en"
            unknown += find_cuts(text, split(text, "en")) == cuts
            whole += is_whole(text, spans)
            if found != cuts:
                wrong.append(f"{name:10} {language}  {[text[a:b] for a, b in spans]}")
        f1 = 2 * right / (given + sum(len(case.cuts) for case in gold))
        rate, size = speed(split, unit, options.budget)
        print(
            f"{name:10} {importlib.metadata.version(name):8} {exact / len(gold):6.1%} "
            f"{exact_english / english:7.1%} {unknown / len(gold):7.1%} {f1:5.3f} "
            f"{whole / len(gold):6.1%} {rate:11,.0f} {size:9,} {import_time(name):6.3f}s",
        )
    if options.failures:
        print("\nSplit differently from the gold set:", *wrong, sep="\n")


if __name__ == "__main__":
    main()
