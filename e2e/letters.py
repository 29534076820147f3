"""What became of the letters of a house: what its database says, and what its gateway was given."""

from collections import Counter

from .counting import LETTERS
from .processes import PATIENCE, House, until

GATEWAYS = "channel IN ('sms', 'email')"


def expect_every_letter_once(house: House, letters: int, seconds: float = PATIENCE) -> None:
    """There are so many for the gateway; each is recorded as sent before long, and the gateway was given it once."""
    until("every letter is sent", lambda: states(house), {"sent": letters}, seconds)
    assert Counter(house.book(LETTERS)) == Counter(keys(house))
    assert files(house) == set(keys(house))


def states(house: House) -> dict[str, int]:
    return Counter(house.column(f"SELECT state FROM outbox_notice WHERE {GATEWAYS}"))


def keys(house: House, state: str = "%") -> list[str]:
    """The keys by which the gateway knows the letters."""
    return house.column(f"SELECT dedupe_key FROM outbox_notice WHERE {GATEWAYS} AND state LIKE '{state}'")


def files(house: House) -> set[str]:
    return {path.stem for path in (house.var / "letters").glob("*.json")}


def let_claims_run_out(house: House) -> None:
    """As if the time had passed that whoever died may hold a letter or a duty."""
    house.change("UPDATE outbox_notice SET next_try_at = due_at WHERE state = 'inflight'")
    house.change("UPDATE duties_duty SET next_try_at = due_at WHERE state = 'running'")
