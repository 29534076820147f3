"""What may be told of an exception: its kind and its place. Its text may quote what people typed."""

from traceback import extract_tb

from django.conf import settings

NEAREST = 3  # places


def told(error: BaseException) -> str:
    """For example "IntegrityError: triage/seating.py:88 < triage/seating.py:41"."""
    frames = [frame for frame in extract_tb(error.__traceback__) if frame.filename.startswith(_ours())]
    places = [f"{frame.filename.removeprefix(_ours())}:{frame.lineno}" for frame in reversed(frames)]
    return f"{type(error).__name__}: {' < '.join(places[:NEAREST])}".removesuffix(": ")


def _ours() -> str:
    return f"{settings.BASE_DIR}/"
