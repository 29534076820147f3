"""The gateway of a run: it can be down, and every letter is judged at the instant at which it leaves."""

from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from zhoushan_consult.outbox.adapters import Adapter, PermanentFailure, TemporaryFailure
from zhoushan_consult.outbox.models import Notice


class Gateway(Adapter):
    """For SMS and e-mail. The service makes an adapter for each sweep, so what a run sets stands on the class."""

    down_until: datetime | None = None
    # Numbers that do not exist: the gateway refuses them at once.
    dead: set[str] = set()
    on_letter: Callable[[Notice, datetime], None] = staticmethod(lambda notice, at: None)
    sent = 0

    @classmethod
    def forget(cls) -> None:
        cls.down_until, cls.dead, cls.sent = None, set(), 0
        cls.on_letter = staticmethod(lambda notice, at: None)

    def send(self, notice: Notice) -> str:
        now = timezone.now()
        if type(self).down_until and now < type(self).down_until:
            raise TemporaryFailure("网关无应答")
        if notice.to.open() in type(self).dead:
            raise PermanentFailure("空号")
        type(self).sent += 1
        type(self).on_letter(notice, now)
        return f"months-{type(self).sent}"
