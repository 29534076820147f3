"""A month played at random by all roles breaks no invariant (`make months` plays more of them; see `e2e.months`)."""

from datetime import datetime

import pytest

from e2e.months.database import unchanging_router
from e2e.months.run import play_seed
from triage.rulebook import versions
from zhoushan_consult.clock import SHANGHAI

# From the last days of booking to the days after the 咨询日.
BEGIN, UNTIL = datetime(2026, 11, 24, 8, tzinfo=SHANGHAI), datetime(2026, 12, 11, 12, tzinfo=SHANGHAI)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2])
def test_month_played_at_random_breaks_no_invariant(seed, settings, monkeypatch):
    settings.OUTBOX_ADAPTERS = dict.fromkeys(("sms", "email"), "e2e.months.gateway.Gateway")
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    monkeypatch.setattr(versions, "router_cache", unchanging_router())
    result = play_seed(seed, BEGIN, UNTIL)
    assert result.figures["letters"] > 50  # else nothing was played
    found = [f"{each.invariant}: {each.kind}\n    {each}" for each in result.violations]
    assert not found, "\n".join(found)
