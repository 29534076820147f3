"""A sealed value in memory. It can be passed on, stored, compared and printed, and never shows its content."""

from . import cipher

PLACEHOLDER = "（已封存）"


class Sealed:
    """An envelope and the name of its column. Only `open()` returns the content; printing and pickling never do."""

    __slots__ = ("column", "envelope")

    def __init__(self, envelope: str, column: str):
        self.envelope, self.column = envelope, column

    @classmethod
    def from_text(cls, text: str, column: str) -> "Sealed":
        """`text` sealed for the column `column`. An empty text stays empty, so that "no value" can be queried."""
        return cls(cipher.seal(text, column) if text else "", column)

    def open(self) -> str:
        """The content. Raises DecryptionError."""
        return cipher.unseal(self.envelope, self.column) if self.envelope else ""

    # Templates do not call methods with this mark: {{ firm.phone.open }} shows nothing.
    open.alters_data = True  # type: ignore[attr-defined]

    def __bool__(self) -> bool:
        return bool(self.envelope)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sealed):
            return NotImplemented
        return (self.envelope, self.column) == (other.envelope, other.column)

    def __hash__(self) -> int:
        return hash((self.envelope, self.column))

    def __str__(self) -> str:
        return PLACEHOLDER if self else ""

    def __repr__(self) -> str:
        return f"<Sealed {self.column}>"
