"""Build the fallback faces of the papers, for the characters that the main face, Noto Serif SC, does not draw.

    make fonts ARGS="FOLDER FOLDER"

The sources are those of Debian (`apt-get download fonts-hanazono fonts-dejavu-core`, then `dpkg-deb -x`), and are refused
if their bytes are others. The faces are cut into rows of 256 characters: a paper loads the row of the one rare character
that it shows, not sixty thousand. `coverage.json` says which face draws what, so that a paper knows it without reading a font.
"""

import hashlib
import io
import json
import logging
import sys
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont
from pylopdf_fonts_zh_cn import serif_path

FONTS = Path(__file__).parent.parent / "zhoushan_consult/paper/fonts"
# The same bytes make the same archive.
BUILD_DATE = (2026, 1, 1, 0, 0, 0)
SHA256 = {
    "HanaMinA.ttf": "7ca87559414474848fc513a8d8eb42d5b0f8194c30c2abdfbfedff5398ec88d7",
    "HanaMinB.ttf": "829543436cdf7b4c6730e2af5806fa406f8ddf0d4b656e0cd49c58d4db1c8d3c",
    "DejaVuSerif.ttf": "13e61509f5c81d7c3132810f4f903e3523df89c802bf6e0674621e8f659cdfe1",
    "DejaVuSans.ttf": "abdc775b21b1bc470d50c97e790d276f2054b7504e56e5bd3e64f48d68582322",
}
# Radicals, strokes, compatibility ideographs.
RADICALS = ((0x2E80, 0x303F), (0x3190, 0x33FF), (0xF900, 0xFAFF))
# Extensions B to F, the level 3 of GB 18030-2022.
RARE = ((0x20000, 0x2EBE0),)
# Letters and signs that are drawn one by one. Scripts whose letters join would come out wrong: they get a box.
SIGNS = (
    (0xA0, 0x58F),
    (0x1D00, 0x2BFF),
    (0x2C60, 0x2C7F),
    (0xA720, 0xA7FF),
    (0x1D400, 0x1D7FF),
    (0x1F000, 0x1FAFF),
)
# The first that draws a character is taken.
SOURCES = (
    ("HanaMinA.ttf", RADICALS),
    ("HanaMinB.ttf", RARE),
    ("DejaVuSerif.ttf", SIGNS),
    ("DejaVuSans.ttf", SIGNS),
)
# Hanazono's outlines have 1,024 units and three hundred points a character. A quarter of the units and two thirds of the
# points draw the same at the size of a form: one unit is 0.04 pt. DejaVu stays as it is.
TOLERANCE, UNITS = 2, 256

Point = tuple[float, float]


def main(*directories: str) -> None:
    logging.disable(logging.WARNING)
    main_face = set(TTFont(serif_path(), lazy=True).getBestCmap())
    covered = set(main_face)
    rows: dict[str, list[int]] = {}
    with zipfile.ZipFile(FONTS / "fallback.zip", "w") as archive:
        for name, blocks in SOURCES:
            font = _source(name, directories)
            wanted = sorted(
                code for code in font.getBestCmap() if _is_wanted(code, blocks) and code not in covered
            )
            covered.update(wanted)
            for row, codes in _in_rows(wanted):
                face = f"{Path(name).stem}-{row:x}"
                entry = zipfile.ZipInfo(f"{face}.otf", BUILD_DATE)
                archive.writestr(entry, _cut(font, codes, face), zipfile.ZIP_DEFLATED, compresslevel=9)
                rows[face] = codes
    coverage = {
        "main": _ranges(sorted(main_face)),
        "fallback": {face: _ranges(codes) for face, codes in rows.items()},
    }
    (FONTS / "coverage.json").write_text(json.dumps(coverage, separators=(",", ":")) + "\n")


def _source(name: str, directories: Iterable[str]) -> TTFont:
    path = next(path for folder in directories for path in Path(folder).rglob(name))
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise SystemExit(f"{path}: not the file that the faces are built from")
    return TTFont(io.BytesIO(content))


def _is_wanted(code: int, blocks) -> bool:
    """No private character, whose meaning only the sender knows, and no invisible one."""
    return any(first <= code <= last for first, last in blocks) and unicodedata.category(chr(code))[0] != "C"


def _in_rows(codes: list[int]) -> Iterator[tuple[int, list[int]]]:
    for row in sorted({code >> 8 for code in codes}):
        yield row, [code for code in codes if code >> 8 == row]


def _ranges(codes: list[int]) -> list[list[int]]:
    """[1, 2, 3, 7] → [[1, 3], [7, 7]]."""
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return ranges


def _cut(font: TTFont, codes: list[int], face: str) -> bytes:
    """A font with these characters only. CFF is a tenth smaller than TrueType here."""
    is_hanazono = face.startswith("HanaMin")
    units = UNITS if is_hanazono else font["head"].unitsPerEm
    scale = units / font["head"].unitsPerEm
    shapes, cmap = font.getGlyphSet(), font.getBestCmap()
    names = {".notdef": ".notdef", **{f"u{code:X}": cmap[code] for code in codes}}
    widths = {name: round(shapes[source].width * scale) for name, source in names.items()}
    builder = FontBuilder(units, isTTF=False)
    builder.setupGlyphOrder(list(names))
    builder.setupCharacterMap({code: f"u{code:X}" for code in codes})
    drawings = {
        name: _draw(shapes, source, scale, TOLERANCE if is_hanazono else 0, widths[name])
        for name, source in names.items()
    }
    builder.setupCFF(f"Fallback-{face}", {}, drawings, {})
    builder.setupHorizontalMetrics({name: (width, 0) for name, width in widths.items()})
    builder.setupHorizontalHeader(ascent=round(units * 0.88), descent=-round(units * 0.12))
    builder.setupNameTable(
        {"familyName": f"Fallback {face}", "styleName": "Regular", "psName": f"Fallback-{face}"}
    )
    builder.setupOS2(sTypoAscender=round(units * 0.88), sTypoDescender=-round(units * 0.12))
    builder.setupPost(keepGlyphNames=False)
    builder.font["head"].created = builder.font["head"].modified = 0
    out = io.BytesIO()
    builder.font.recalcTimestamp = False
    builder.save(out)
    return out.getvalue()


def _draw(shapes, source: str, scale: float, tolerance: float, width: int):
    recording = DecomposingRecordingPen(shapes)
    shapes[source].draw(recording)
    pen = T2CharStringPen(width, None)
    if tolerance and all(step != "qCurveTo" for step, _ in recording.value):
        for outline in _outlines(recording.value):
            _draw_polygon(
                pen, [(round(x * scale), round(y * scale)) for x, y in _simplified(outline, tolerance)]
            )
    else:
        recording.replay(TransformPen(pen, (scale, 0, 0, scale, 0, 0)))
    return pen.getCharString()


def _outlines(steps) -> Iterator[list[Point]]:
    """The closed outlines of a glyph without curves. Nearly all of Hanazono's are such."""
    outline: list[Point] = []
    for step, points in steps:
        if step == "closePath":
            yield outline
            outline = []
        else:
            outline.append(points[0])


def _draw_polygon(pen: T2CharStringPen, points: list[Point]) -> None:
    corners = [point for point, before in zip(points, [points[-1], *points], strict=False) if point != before]
    if len(corners) < 3:
        return
    pen.moveTo(corners[0])
    for point in corners[1:]:
        pen.lineTo(point)
    pen.closePath()


def _simplified(outline: list[Point], tolerance: float) -> list[Point]:
    """The outline without the corners that lie nearly on a line: Douglas and Peucker's way, between its two extremes."""
    start = outline.index(min(outline))
    turned = outline[start:] + outline[:start]
    far = turned.index(max(turned))
    return _thinned(turned[: far + 1], tolerance)[:-1] + _thinned([*turned[far:], turned[0]], tolerance)[:-1]


def _thinned(line: list[Point], tolerance: float) -> list[Point]:
    if len(line) < 3:
        return line
    distances = [_distance(point, line[0], line[-1]) for point in line[1:-1]]
    if max(distances) <= tolerance:
        return [line[0], line[-1]]
    split = distances.index(max(distances)) + 1
    return _thinned(line[: split + 1], tolerance)[:-1] + _thinned(line[split:], tolerance)


def _distance(point: Point, start: Point, end: Point) -> float:
    """From the point to the line through start and end."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = (dx * dx + dy * dy) ** 0.5
    if not length:
        return ((point[0] - start[0]) ** 2 + (point[1] - start[1]) ** 2) ** 0.5
    return abs(dx * (start[1] - point[1]) - dy * (start[0] - point[0])) / length


if __name__ == "__main__":
    main(*sys.argv[1:])
