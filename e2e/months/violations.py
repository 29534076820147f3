"""What was found: an invariant that did not hold, about whom, and when."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Violation:
    """`kind` groups violations with the same cause; `shrink` looks for the fewest steps that still show it."""

    invariant: str
    kind: str
    subject: str
    text: str
    at: datetime

    @property
    def key(self) -> tuple[str, str]:
        return self.invariant, self.kind

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.subject}: {self.text}"


@dataclass(frozen=True)
class Broken:
    """What an invariant reports: the kind of breach, the record and a sentence."""

    kind: str
    subject: str
    text: str
