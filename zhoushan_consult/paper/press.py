"""The child process that sets one paper, in Typst: a job in JSON comes by standard input, the PDF goes to standard output.

A process of its own, because an engine and the fonts it has read stay in memory: 50 MB, which a web worker would never
give back. It is started by its path and imports nothing of the project, so it is there in a tenth of a second.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast
from zipfile import ZipFile

import typst
from pylopdf_fonts_zh_cn import serif_path

MAIN_FAMILY = "Noto Serif SC"


def main() -> None:
    job = json.load(sys.stdin.buffer)
    # Folders only: Typst takes no font from memory.
    with TemporaryDirectory(prefix="paper-") as folder:
        unpack(job["archive"], job["faces"], folder)
        sys.stdout.buffer.write(typeset(job, [str(serif_path().parent), folder]))


def unpack(archive: str, faces: list[str], folder: str) -> None:
    with ZipFile(archive) as rows:
        for face in faces:
            Path(folder, f"{face}.otf").write_bytes(rows.read(f"{face}.otf"))


def typeset(job: dict, folders: list[str]) -> bytes:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
    families = [MAIN_FAMILY, *(f"Fallback {face}" for face in job["faces"])]
    # Typst leaves out what it has no font for, without a word.
    if missing := set(families) - set(fonts.families()):
        raise LookupError(f"no font {missing}")
    inputs = json.dumps({**job["inputs"], "families": families})
    compiler = typst.Compiler(job["template"], root=job["root"], font_paths=fonts, sys_inputs={"job": inputs})
    return cast(bytes, compiler.compile(format="pdf"))  # a list only for formats with one file a page


if __name__ == "__main__":
    try:
        main()
    except BaseException as error:
        # The name only, which the log gets: a message could quote what was typed. An engine that panics is no Exception.
        sys.exit(type(error).__name__)
