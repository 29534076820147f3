"""What was typed, made ready for a paper: each character has a face that draws it, or is a box, which a note explains."""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from . import faces
from .line_breaks import with_line_breaks

BOX = "□"
TAB = " " * 4
LINE_END = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# A letter with its accents as separate characters is drawn as one where Unicode has it.
ACCENTED = re.compile("[^\u0300-\u036f][\u0300-\u036f]+")
# Signs that choose a variant of the character before them.
VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")


@dataclass
class Printable:
    """Gathers over the texts of one paper which faces draw them, and what no face draws."""

    faces: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)

    def prepare(self, value: Any) -> Any:
        """The value with every text in it ready to print. The keys of a dict are names, which are not printed."""
        if isinstance(value, str):
            return self._prepare_text(value)
        if isinstance(value, dict):
            return {key: self.prepare(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.prepare(part) for part in value]
        return value

    def _prepare_text(self, text: str) -> str:
        text = LINE_END.sub("\n", text).replace("\t", TAB)
        text = ACCENTED.sub(lambda match: unicodedata.normalize("NFC", match[0]), text)
        return with_line_breaks("".join(map(self._drawn, VARIATION_SELECTORS.sub("", text))))

    def _drawn(self, character: str) -> str:
        """The character; its canonical equal, if only this has a face; a box, if neither has."""
        # Format characters (a zero-width joiner, a direction mark) are invisible on a screen too.
        if character == "\n" or unicodedata.category(character) == "Cf":
            return "\n" if character == "\n" else ""
        for candidate in (character, unicodedata.normalize("NFC", character)):
            if all(map(faces.face_of, candidate)):
                self.faces.update(map(faces.face_of, candidate))
                return candidate
        if character not in self.missing:
            self.missing.append(character)
        return BOX
