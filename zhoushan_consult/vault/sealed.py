"""A sealed value in memory: it can be passed on, stored, compared and printed without ever showing what it holds."""

from . import cipher

SHOWN = "（已封存）"


class Sealed:
    """The envelope of one column. Only `open()` gives the content; printing, formatting and pickling never do."""

    __slots__ = ("envelope", "place")

    def __init__(self, envelope: str, place: str):
        self.envelope, self.place = envelope, place

    @classmethod
    def around(cls, text: str, place: str) -> "Sealed":
        """`text` sealed for the column `place`. An empty text stays empty: there is nothing to hide in it."""
        return cls(cipher.seal(text, place) if text else "", place)

    def open(self) -> str:
        """The content. Raises DecryptionError."""
        return cipher.unseal(self.envelope, self.place) if self.envelope else ""

    open.alters_data = True  # type: ignore[attr-defined]  # no template opens it by a slip of a dot

    def __bool__(self) -> bool:
        return bool(self.envelope)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sealed):
            return NotImplemented
        return (self.envelope, self.place) == (other.envelope, other.place)

    def __hash__(self) -> int:
        return hash((self.envelope, self.place))

    def __str__(self) -> str:
        return SHOWN if self else ""

    def __repr__(self) -> str:
        return f"<Sealed {self.place}>"
