"""What happened to the letters of a deployment, according to its database and to its gateway."""

from collections import Counter

from .processes import TIMEOUT, Deployment, wait_until
from .recording import SENT_LOG

GATEWAYS = "channel IN ('sms', 'email')"


def expect_every_letter_once(deployment: Deployment, letters: int, seconds: float = TIMEOUT) -> None:
    """Within `seconds`, exactly `letters` letters are marked as sent, and the gateway got each of them once."""
    wait_until("every letter is sent", lambda: states(deployment), {"sent": letters}, seconds)
    assert Counter(deployment.read_log(SENT_LOG)) == Counter(dedupe_keys(deployment))
    assert letter_files(deployment) == set(dedupe_keys(deployment))


def states(deployment: Deployment) -> dict[str, int]:
    return Counter(deployment.column(f"SELECT state FROM outbox_notice WHERE {GATEWAYS}"))


def dedupe_keys(deployment: Deployment, state: str = "%") -> list[str]:
    """The dedupe keys of the letters for the gateway, if `state` is given of those in this state."""
    return deployment.column(
        f"SELECT dedupe_key FROM outbox_notice WHERE {GATEWAYS} AND state LIKE '{state}'"
    )


def letter_files(deployment: Deployment) -> set[str]:
    return {path.stem for path in (deployment.var / "letters").glob("*.json")}


def expire_claims(deployment: Deployment) -> None:
    """End the claims of dead workers at once, instead of waiting for the lease to expire."""
    deployment.execute("UPDATE outbox_notice SET next_try_at = due_at WHERE state = 'inflight'")
    deployment.execute("UPDATE duties_duty SET next_try_at = due_at WHERE state = 'running'")
