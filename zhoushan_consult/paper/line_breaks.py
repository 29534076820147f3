"""Where a line may break inside a word that is longer than the line.

The engine breaks Chinese by its rules: no line begins with a closing mark or ends with an opening one. But it never breaks
a link, or a row of marks, and would set the rest of it beyond the edge of the paper, unseen.
"""

import re
import unicodedata

# Characters. So many full-width ones fit into the narrowest column of a form.
LONGEST_WORD = 24
# Characters. A long word breaks near the end of a line, so that the line is not stretched.
PIECE = 6
ZERO_WIDTH_SPACE = "\u200b"
OPENING, CLOSING = ("Ps", "Pi"), ("Pe", "Pf", "Mn", "Mc", "Me")
CLOSING_SIGNS = ",.;:!?、。，．：；！？…—·～%‰℃°′″々"
# Between ideographs, and at blanks, the engine breaks by itself.
OVERLONG = re.compile(rf"[^\s\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{{{LONGEST_WORD + 1},}}")
# So it does after a full-width mark: PM2.5、SO₂、NOₓ is a list of short words.
WORD_END = re.compile(r"(?<=[、。，：；！？）》”])(?![、。，：；！？）》”…])")


def with_line_breaks(text: str) -> str:
    """The text, with zero-width spaces where an overlong word may break."""
    return OVERLONG.sub(lambda match: "".join(map(_with_breaks, WORD_END.split(match[0]))), text)


def _with_breaks(word: str) -> str:
    return ZERO_WIDTH_SPACE.join(_pieces(word)) if len(word) > LONGEST_WORD else word


def _pieces(word: str) -> list[str]:
    pieces = []
    while len(word) > PIECE:
        # Where no place is allowed, as in a row of closing marks, any place is better than the edge of the paper.
        end = next((at for at in range(PIECE, 0, -1) if _may_break(word[at - 1], word[at])), PIECE)
        pieces.append(word[:end])
        word = word[end:]
    return [*pieces, word]


def _may_break(before: str, after: str) -> bool:
    opens = unicodedata.category(before) in OPENING
    closes = unicodedata.category(after) in CLOSING or after in CLOSING_SIGNS
    return not opens and not closes
