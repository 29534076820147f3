"""The letter to an officer whose second factor was reset: if they did not ask for it, another person did."""

from zhoushan_consult.outbox.kinds import LetterKind, account_closed

LETTERS = [
    LetterKind(
        name="factor_reset",
        title="您的动态口令已解除",
        facts=lambda officer, params, now: {"by": params["by"]},
        outdated=account_closed,
    )
]
