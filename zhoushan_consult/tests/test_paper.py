"""Papers: every character is drawn or boxed, no word runs over the edge, and nothing that was typed gets into the log."""

import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Barrier
from unicodedata import normalize
from zipfile import ZipFile

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from pylopdf_fonts_zh_cn import serif_path

from zhoushan_consult.paper import faces, line_breaks, press, typesetting
from zhoushan_consult.paper.printable import BOX, Printable
from zhoushan_consult.tests.papers import Paper

PAPER = Path(__file__).parent / "data" / "characters.typ"
# GB 18030-2022, 实现级别3: 87,887 ideographs and the 214 radicals of the 康熙部首.
IDEOGRAPHS = [
    *range(0x4E00, 0x9FF0), *range(0x3400, 0x4DB6), *range(0x20000, 0x2A6D7), *range(0x2A700, 0x2B735),
    *range(0x2B740, 0x2B81E), *range(0x2B820, 0x2CEA2), *range(0x2CEB0, 0x2EBE1),
    0xFA0E, 0xFA0F, 0xFA11, 0xFA13, 0xFA14, 0xFA1F, 0xFA21, 0xFA23, 0xFA24, 0xFA27, 0xFA28, 0xFA29,
]  # fmt: skip
RADICALS = range(0x2F00, 0x2FD6)
SIGNS = "₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₊₋℃℉°‰‱µμΩ㎡㎥㎎㎏㎜㎝㎞㏄㏑≥≤≠≈≡±×÷∑√∞∫∮∈∵∴⊙№℡§※★→↑⇌①⑳⑴⒈ⅠⅫⅰ㈠㊣【】〔〕〖〗《》「」『』～—…·‘’“”￥€£‖々〇ǎḿⓐ"
NAMES = "王䶮𪚥𠮷𬴊𫟼㐂龘𬭚𬱟"


def in_ranges(ranges: list[list[int]]) -> set[int]:
    return {code for first, last in ranges for code in range(first, last + 1)}


def typeset(text: str) -> Paper:
    return Paper(typesetting.typeset(PAPER, {"text": text}))


# --- Characters ----------------------------------------------------------------------------------------------------
def test_every_character_of_gb_18030_level_3_has_a_face():
    assert len(IDEOGRAPHS) == 87_887
    assert [f"U+{code:X}" for code in [*IDEOGRAPHS, *RADICALS] if not faces.face_of(chr(code))] == []


def test_coverage_is_what_the_fonts_draw():
    """`make fonts` writes it. A newer main font must not be believed to draw what it no longer does."""
    coverage = json.loads((faces.FONTS / "coverage.json").read_text())
    assert in_ranges(coverage["main"]) == set(TTFont(serif_path(), lazy=True).getBestCmap())
    with ZipFile(faces.FONTS / "fallback.zip") as archive:
        drawn = {
            name.removesuffix(".otf"): set(TTFont(BytesIO(archive.read(name)), lazy=True).getBestCmap())
            for name in archive.namelist()
        }
    assert {face: in_ranges(ranges) for face, ranges in coverage["fallback"].items()} == drawn


def test_rare_names_and_the_signs_of_the_trade_are_drawn_and_read_back():
    """Each row of 256 ideographs has one in the sample."""
    typed = NAMES + SIGNS + "".join(map(chr, IDEOGRAPHS[::251]))
    paper = typeset(typed)
    assert paper.text == typed
    assert paper.not_drawn() == set()


def test_radicals_are_drawn():
    """⼀ has the glyph of 一, and is read back as this."""
    typed = "".join(map(chr, RADICALS))
    paper = typeset(typed)
    assert normalize("NFKC", paper.text) == normalize("NFKC", typed)
    assert paper.not_drawn() == set()


def test_what_no_face_draws_is_a_box_and_is_listed():
    paper = typeset("甲\U0001fae0乙\ue000丙")
    assert (
        paper.text
        == f"甲{BOX}乙{BOX}丙注：标“{BOX}”处的字符（U+1FAE0、U+E000）不在打印字库中，无法印出，以网上登记的内容为准。"
    )
    assert paper.not_drawn() == set()


def test_paper_without_such_characters_has_no_note():
    assert typeset("甲乙丙").text == "甲乙丙"


def test_note_names_ten_characters_at_the_most():
    note = typeset("".join(map(chr, range(0xE000, 0xE00C)))).text
    assert "U+E009等）" in note and "U+E00A" not in note


@pytest.mark.parametrize(
    ("typed", "printed"),
    [("e\u0301", "é"), ("葛\U000e0100", "葛"), ("甲\u200d乙\u00ad丙\ufeff", "甲乙丙"), ("a\r\nb\u2028c", "a\nb\nc"),
     ("a\tb", "a    b"), ("\U0002f804", "你")],
)  # fmt: skip
def test_text_is_printed_as_it_is_seen_on_a_screen(typed, printed):
    printable = Printable()
    assert printable.prepare([{"key": typed}, 3]) == [{"key": printed}, 3]
    assert printable.missing == []


# --- Lines ---------------------------------------------------------------------------------------------------------
@given(st.text(alphabet="a,）“□。𠮷问 \n(", max_size=200))
def test_line_breaks_add_nothing_that_is_seen(text):
    assert line_breaks.with_line_breaks(text).replace(line_breaks.ZERO_WIDTH_SPACE, "") == text


@pytest.mark.parametrize(
    "typed",
    [
        "W" * 300,
        "）" * 300,
        "□" * 300,
        "“" * 300,
        "，”" * 150,
        "ー々" * 150,
        "https://example.com/" + "q=1&" * 80,
    ],
)
def test_no_word_runs_over_the_edge_of_the_paper(typed):
    paper = typeset(typed)
    assert paper.text == typed
    assert max(drawn.right for drawn in paper.drawn) <= paper.width


@pytest.mark.parametrize("typed", ["https://zs.gov.cn/a", "PM2.5、SO₂、NOₓ、VOCs、COD、NH₃-N、TP、TN"])
def test_words_of_usual_length_are_not_cut(typed):
    assert line_breaks.with_line_breaks(typed) == typed


def test_long_word_is_not_cut_before_a_closing_mark():
    pieces = line_breaks.with_line_breaks("abcdef." * 9).split(line_breaks.ZERO_WIDTH_SPACE)
    assert len(pieces) > 5
    assert [piece for piece in pieces if piece.startswith(".")] == []


# --- The press -----------------------------------------------------------------------------------------------------
def test_engine_stays_out_of_the_process_that_asks_for_the_paper():
    code = (
        "import sys, pathlib; from zhoushan_consult.paper.typesetting import typeset;"
        f"pdf = typeset(pathlib.Path({str(PAPER)!r}), {{'text': '䶮'}});"
        "print(pdf[:4].decode(), {'typst', 'fontTools', 'pylopdf_fonts_zh_cn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=typesetting.ROOT, capture_output=True, text=True)
    assert done.stdout == "%PDF set()\n", done.stderr


def test_missing_font_is_a_failure_not_a_blank_paper():
    """Typst leaves out text for which it has no font."""
    job = {"faces": ["HanaMinB-2a6"], "inputs": {}, "template": str(PAPER), "root": str(typesetting.ROOT)}
    with pytest.raises(LookupError):
        press.typeset(job, [str(serif_path().parent)])


@pytest.mark.parametrize(
    "wrong", ["#panic(sys.inputs.job)", "#import sys.inputs.job", "#json(sys.inputs.job)"]
)
def test_failure_leaves_nothing_typed_in_the_log(tmp_path, caplog, monkeypatch, wrong):
    broken = tmp_path / "broken.typ"
    broken.write_text(wrong)
    monkeypatch.setattr(typesetting, "ROOT", Path("/"))
    with caplog.at_level(logging.DEBUG), pytest.raises(typesetting.PaperError) as failure:
        typesetting.typeset(broken, {"text": "a\nWang Xiaoming"})
    assert "broken.typ" in caplog.text and "TypstError" in caplog.text
    assert "Wang" not in caplog.text + str(failure.value)


def test_engine_that_is_not_installed_is_named_in_the_log(tmp_path, caplog, monkeypatch):
    bare = tmp_path / "press.py"
    bare.write_text("import an_engine_that_is_not_there")
    monkeypatch.setattr(typesetting, "PRESS", bare)
    with pytest.raises(typesetting.PaperError):
        typeset("甲")
    assert "ModuleNotFoundError" in caplog.text


def test_press_that_hangs_is_stopped(monkeypatch, tmp_path):
    hanging = tmp_path / "press.py"
    hanging.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(typesetting, "PRESS", hanging)
    monkeypatch.setattr(typesetting, "TIMEOUT", 0.2)
    with pytest.raises(typesetting.PaperError):
        typeset("甲")


def test_two_papers_are_set_at_a_time_and_the_others_wait(monkeypatch):
    active, most, pair = [], [], Barrier(2, timeout=20)

    def press(job, name):
        active.append(name)
        most.append(len(active))
        pair.wait()
        active.pop()
        return b"%PDF"

    monkeypatch.setattr(typesetting, "_press", press)
    with ThreadPoolExecutor(8) as visitors:
        papers = list(
            visitors.map(lambda text: typesetting.typeset(PAPER, {"text": text}), "甲乙丙丁戊己庚辛")
        )
    assert papers == [b"%PDF"] * 8
    assert max(most) == 2
