"""A PDF read back: its characters with place, size and glyph, and its lines as a reader sees them."""

from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from itertools import groupby

from fontTools.cffLib import CFFFontSet
from fontTools.pens.boundsPen import BoundsPen
from pdfminer.converter import PDFPageAggregator
from pdfminer.pdffont import PDFFont
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdftypes import resolve1

# What a line must not begin with, and what it must not end with.
CLOSING = "。，、；：？！”’）》〉】〕〗」』｝］…,.;:?!)]}%℃"
OPENING = "“‘（《〈【〔〖「『｛［([{"
# Points. Characters of one line stand on one height, but for rounding and raised marks.
SAME_LINE = 3


@dataclass(frozen=True)
class Drawn:
    """One character on the paper. `glyph` is its number in the font; 0 is the box for what the font lacks."""

    text: str
    glyph: int
    font: PDFFont
    page: int
    left: float
    right: float
    bottom: float
    size: float


class _Recorder(PDFPageAggregator):
    """pdfminer keeps no glyph numbers, so they are written down as they are drawn."""

    def __init__(self, manager: PDFResourceManager) -> None:
        super().__init__(manager, laparams=None)
        self.drawn: list[Drawn] = []

    def render_char(self, matrix, font, fontsize, scaling, rise, cid, ncs, graphicstate):
        advance = super().render_char(matrix, font, fontsize, scaling, rise, cid, ncs, graphicstate)
        seen = self.cur_item._objs[-1]
        self.drawn.append(
            Drawn(seen.get_text(), cid, font, self.pageno, seen.x0, seen.x1, seen.matrix[5], seen.size)
        )
        return advance


class Paper:
    def __init__(self, pdf: bytes) -> None:
        manager = PDFResourceManager()
        recorder = _Recorder(manager)
        interpreter = PDFPageInterpreter(manager, recorder)
        pages = list(PDFPage.get_pages(BytesIO(pdf)))
        for page in pages:
            interpreter.process_page(page)
        self.pages = len(pages)
        self.width = pages[0].mediabox[2]
        self.drawn = recorder.drawn
        self.shapes: dict[PDFFont, dict] = {}

    @cached_property
    def text(self) -> str:
        """All characters in the order in which they were set."""
        return "".join(drawn.text for drawn in self.drawn)

    @property
    def smallest(self) -> float:
        """The size of the smallest type, in points."""
        return min(drawn.size for drawn in self.drawn)

    def lines(self, page: int, left: float) -> list[str]:
        """The lines of a page from the top, right of `left`."""
        part = [drawn for drawn in self.drawn if drawn.page == page and drawn.left > left]
        part.sort(key=lambda drawn: (-round(drawn.bottom / SAME_LINE), drawn.left))
        rows = groupby(part, key=lambda drawn: round(drawn.bottom / SAME_LINE))
        return ["".join(drawn.text for drawn in row).strip() for _, row in rows]

    def not_drawn(self) -> set[str]:
        """The characters for which the font has only its box, or a glyph without a shape."""
        return {drawn.text for drawn in self.drawn if drawn.text.strip() and not self._has_shape(drawn)}

    def _has_shape(self, drawn: Drawn) -> bool:
        if not drawn.glyph:
            return False
        if drawn.font not in self.shapes:
            self.shapes[drawn.font] = _shapes(drawn.font)
        pen = BoundsPen(None)
        self.shapes[drawn.font][f"cid{drawn.glyph:05d}"].draw(pen)
        return pen.bounds is not None


def _shapes(font: PDFFont):
    """The outlines that are embedded in the PDF for this font."""
    embedded = CFFFontSet()
    embedded.decompile(BytesIO(resolve1(font.descriptor["FontFile3"]).get_data()), None)
    return embedded[0].CharStrings


def badly_broken(lines: list[str]) -> list[str]:
    """The lines that begin with a closing mark or end with an opening one."""
    return [line for line in lines if line and (line[0] in CLOSING or line[-1] in OPENING)]
