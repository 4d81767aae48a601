"""How often the encoding of a text is found out: chardet, as the package asks it, beside charset-normalizer.

    python benchmarks/encodings.py

Pieces of a few sentences written for this, in fourteen languages and the encodings they used to be in. A piece is read
right, refused (too little to tell), or read wrong, which is the one that does harm. charset-normalizer, which comes
with requests, has no figure to refuse by. The two limits of `search.encodings` were chosen on pieces like these.
"""

import random
from collections import Counter

from search.encodings import detect, is_utf8

SENTENCES = {
    "German": (
        "Das Zimmer war größer als erwartet. Frühstück gab es bis elf Uhr, mit Brötchen, "
        "Käse und süßem Gebäck. Nachts störte uns nur die Straßenbahn, die alle zwanzig "
        "Minuten vorüberfuhr; wir würden trotzdem wiederkommen."
    ),
    "French": (
        "La chambre était très propre, mais l\N{RIGHT SINGLE QUOTATION MARK}ascenseur "
        "était en panne. Le petit déjeuner coûtait 14 € et ne valait pas ce prix. À la "
        "réception, on nous a répondu : « Ça arrive, soyez patients. »"
    ),
    "Spanish": (
        "La habitación daba a una calle muy ruidosa. Mañana pediremos otra, aunque el "
        "señor decía que no quedaba ninguna. ¿Cómo es posible? El desayuno fue magnífico: "
        "café, piñas y pan recién hecho."
    ),
    "Polish": (
        "Pokój był czysty, ale łóżko skrzypiało przez całą noc. Śniadanie zaczynało się "
        "dopiero o dziewiątej. Obsługa była bardzo miła i pomogła nam znaleźć źródło "
        "hałasu."
    ),
    "Turkish": (
        "Oda temiz ve genişti, ancak pencere çok gürültülü bir caddeye bakıyordu. Kahvaltı "
        "saat ona kadardı. Çalışanlar çok yardımseverdi, bavullarımızı taşıdılar."
    ),
    "Russian": (
        "Номер оказался чистым и просторным, но окна выходили на шумную улицу. Завтрак "
        "подавали до десяти часов, и кофе был холодным. Персонал вежливый, помог нам "
        "донести чемоданы."
    ),
    "Greek": (
        "Το δωμάτιο ήταν καθαρό αλλά πολύ μικρό. Το πρωινό σερβιριζόταν μέχρι τις δέκα. "
        "Το προσωπικό ήταν ευγενικό και μας βοήθησε με τις βαλίτσες."
    ),
    "Hebrew": ("החדר היה נקי ומרווח, אבל החלונות פנו לרחוב רועש. ארוחת הבוקר הוגשה עד עשר והקפה היה קר."),
    "Arabic": ("كانت الغرفة نظيفة وواسعة لكن النوافذ تطل على شارع صاخب. كان الإفطار حتى الساعة العاشرة."),
    "Japanese": (
        "部屋は広くて清潔でしたが、窓の外の通りがとても騒がしかったです。朝食は十時までで、コーヒーは冷めていました。"
    ),
    "Chinese, simplified": (
        "房间很大也很干净、但是窗外的街道非常吵。早餐供应到十点、咖啡是凉的。服务员很热情、帮我们搬了行李。"
    ),
    "Chinese, traditional": (
        "房間很大也很乾淨、但是窗外的街道非常吵。早餐供應到十點、咖啡是涼的。服務員幫我們搬了行李。"
    ),
    "Korean": (
        "방은 넓고 깨끗했지만 창밖의 거리가 매우 시끄러웠습니다. 아침 식사는 열 시까지였고 커피는 차가웠습니다."
    ),
    "English": (
        "The room was fine \N{EN DASH} but the café downstairs wasn\N{RIGHT SINGLE QUOTATION MARK}t. "
        "We asked for another and were told \N{LEFT DOUBLE QUOTATION MARK}no\N{RIGHT DOUBLE QUOTATION MARK}. "
        "It cost 40 € a night."
    ),
}
ENCODINGS = {
    "German": ["cp1252", "latin-1"],
    "French": ["cp1252"],
    "Spanish": ["cp1252", "latin-1"],
    "Polish": ["cp1250", "iso8859-2"],
    "Turkish": ["cp1254"],
    "Russian": ["koi8-r", "cp1251"],
    "Greek": ["cp1253", "iso8859-7"],
    "Hebrew": ["cp1255"],
    "Arabic": ["cp1256"],
    "Japanese": ["shift_jis", "euc_jp"],
    "Chinese, simplified": ["gb18030"],
    "Chinese, traditional": ["big5"],
    "Korean": ["cp949"],
    "English": ["cp1252"],
}
LENGTHS = (10, 20, 40, 80, None)
PIECES = 40
WIDTHS = (16, 9, 7, 28, 9, 7)


def main() -> None:
    """Print a table: for pieces of each length, how many are right, refused and wrong."""
    print("characters  chardet: right  refused  wrong   charset-normalizer: right  refused  wrong")
    for length in LENGTHS:
        ours, other = Counter[str](), Counter[str]()
        for piece, encoding in pieces(length):
            content = piece.encode(encoding)
            if not is_utf8(content):
                ours[judged(content, piece, _ours(content))] += 1
                other[judged(content, piece, _other(content))] += 1
        chardet, normalizer = ([table[key] for key in ("right", "refused", "wrong")] for table in (ours, other))
        figures = [*chardet, *normalizer]
        print(f"{length or 'all':>10}" + "".join(f"{one:{width}}" for one, width in zip(figures, WIDTHS, strict=True)))


def pieces(length: int | None) -> list[tuple[str, str]]:
    """Return pieces of so many characters, each with the encoding to put it in; the same ones in every run."""
    dice = random.Random(length)  # noqa: S311 - no secret
    chosen = []
    for language, text in SENTENCES.items():
        for encoding in ENCODINGS[language]:
            for _ in range(PIECES if length else 1):
                start = dice.randrange(max(1, len(text) - (length or len(text))))
                chosen.append((text[start : start + (length or len(text))], encoding))
    return chosen


def judged(content: bytes, piece: str, encoding: str | None) -> str:
    """Say whether a piece would be read right, be refused, or be read wrong."""
    if encoding is None:
        return "refused"
    return "right" if content.decode(encoding, "replace") == piece else "wrong"


def _ours(content: bytes) -> str | None:
    guess = detect(content)
    return guess.encoding if guess.sure else None


def _other(content: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(content).best()
    return best.encoding if best else None


if __name__ == "__main__":
    main()
