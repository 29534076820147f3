"""What must be ready before the site answers. Each step may be repeated: a second start changes nothing."""

import os
from contextlib import redirect_stdout
from io import StringIO

import django
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from zhoushan_consult.broker import embedded_folder, wipe


def prepare() -> None:
    """Database, static files, an empty broker; and the demonstration month where nobody works here yet."""
    print("正在准备数据库……", flush=True)
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if not settings.REDIS_URL:
        wipe(embedded_folder())
    if os.environ.get("DEMO") != "0" and _nobody_works_here():
        print("第一次启动，正在装入演示数据（虚构的企业和人员）……", flush=True)
        with redirect_stdout(StringIO()):  # a hundred letters would push the log-ins off the screen
            call_command("seed_demo")
            _do_what_is_due()
            _send_what_waits()
    else:
        _do_what_is_due()


def _do_what_is_due() -> None:
    """Make up for the time in which nothing ran, before anybody looks."""
    from zhoushan_consult.duties.runner import run_due

    run_due(timezone.now())


def _send_what_waits() -> None:
    from zhoushan_consult.outbox.delivery import deliver_due

    while deliver_due(timezone.now()):
        pass


def _nobody_works_here() -> bool:
    from zhoushan_consult.bureau.models import Officer

    return not Officer.objects.exists()


if __name__ == "__main__":
    django.setup()
    prepare()
