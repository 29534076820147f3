"""Describes an exception by its type and place only. Its text may quote what people typed."""

from traceback import extract_tb

from django.conf import settings

MAX_FRAMES = 3


def describe(error: BaseException) -> str:
    """The type and our nearest frames: "IntegrityError: triage/seating.py:88 < triage/seating.py:41"."""
    frames = [
        frame for frame in extract_tb(error.__traceback__) if frame.filename.startswith(_project_prefix())
    ]
    places = [
        f"{frame.filename.removeprefix(_project_prefix())}:{frame.lineno}" for frame in reversed(frames)
    ]
    return f"{type(error).__name__}: {' < '.join(places[:MAX_FRAMES])}".removesuffix(": ")


def _project_prefix() -> str:
    return f"{settings.BASE_DIR}/"
