"""What is learnt from examples: that two ways of saying mean the same, and that two like texts do not."""

from appointments.similarity.concepts import said
from appointments.training.corpus_files import Apart
from appointments.training.train_embedding import learn

# The official word and the firm's share no character: only the examples say that they mean the same.
WORDS = [
    "漆渣 糊糊",
    "油泥 黑汤",
    "飞灰 炉末",
    "尾水 塘换",
    "噪声 嗡嗡",
    "油烟 灶气",
    "底泥 河烂",
    "废炭 旧芯",
]
GROUPS = [
    [
        f"{official}如何处置",
        f"{official}的处置要求",
        f"那些{own}咋弄",
        f"一堆{own}给谁",
        f"{own}就是{official}",
    ]
    for official, own in map(str.split, WORDS)
]


def likeness(meaning, one: str, other: str) -> float:
    return float(meaning.direction(said(one)) @ meaning.direction(said(other)))


def test_it_learns_which_words_mean_the_same():
    meaning = learn(GROUPS, [])
    for number, line in enumerate(WORDS):
        official, own = line.split()
        other = WORDS[number - 1].split()[0]
        assert likeness(meaning, f"{own}咋弄", f"{official}如何处置") > likeness(
            meaning, f"{own}咋弄", f"{other}如何处置"
        )


def test_it_learns_what_is_easily_confused():
    apart = [Apart("糊糊能卖吗", ["漆渣可否出售"] * 2, ["糊糊可否存放", "糊糊可否填埋", "糊糊可否焚烧"])] * 6
    before, after = learn(GROUPS, []), learn(GROUPS, apart)
    gained = [
        likeness(meaning, "糊糊能卖吗", "漆渣可否出售") - likeness(meaning, "糊糊能卖吗", "糊糊可否存放")
        for meaning in (before, after)
    ]
    assert gained[1] > gained[0]


def test_it_learns_the_same_from_the_same():
    assert (learn(GROUPS, []).contributed == learn(GROUPS, []).contributed).all()


def test_it_tells_how_far_it_has_come():
    told: list[str] = []
    learn(GROUPS, [], told.append)
    assert told[0].startswith("1/") and len(told) > 1
